"""The template of review environments, and the file of the stack that is made from it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.problems import SettingsError
from components.settings import parse
from pipeline.console import PipelineError
from pipeline.engine import Engine
from pipeline.env import seed, stackfile
from tests.unit.pipeline.fake_pulumi import Fake

SAID: dict[str, Any] = {
    "slipway:environment": "review",
    "slipway:app": {"name": "shop", "source": "examples/guestbook", "settings_module": "config.settings"},
    "slipway:review": {"domain": "review.example.org", "gateway": {"name": "shared"}},
}


def template(root: Path, **said: Any) -> stackfile.Template:  # noqa: ANN401 - settings are of many types
    """Write a template and read it."""
    config = {**SAID, **{f"slipway:{key}": value for key, value in said.items()}}
    (root / "stacks/review.template.yaml").write_text(yaml.safe_dump({"config": config}))
    return stackfile.read("review", root)


def config(root: Path, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - settings are of many types
    """Give what the file of an environment says."""
    made = template(root, **said)
    return stackfile.config(made, "pr-1", step=seed.step(made.review))


def test_the_name_is_in_the_address(root: Path) -> None:
    """Everything is as the template says, with a host name below its domain, behind its gateway; the result is valid."""
    found = config(root)

    assert found == {
        **SAID,
        "slipway:domain": "pr-1.review.example.org",
        "slipway:edge": {"gateway": "shared"},
    }
    loaded = parse({key.removeprefix("slipway:"): value for key, value in found.items()}, "review-pr-1")
    assert (loaded.edge.gateway, loaded.domain, loaded.edge.noindex) == ("shared", "pr-1.review.example.org", True)


def test_on_a_cluster_the_ingress_is_the_gateway(root: Path) -> None:
    """Each has an Ingress with its host name, unless the template says otherwise."""
    cluster: dict[str, Any] = {"target": "kubernetes", "review": {"domain": "review.example.org"}}

    found = config(root, **cluster, kubernetes={"ingress_class": "nginx"})
    assert found["slipway:kubernetes"] == {"expose": "ingress", "ingress_class": "nginx"}
    assert "slipway:edge" not in found
    assert config(root, **cluster, kubernetes={"expose": "gateway"})["slipway:kubernetes"] == {"expose": "gateway"}


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ({"fixture": "fixtures/demo.json"}, "python manage.py loaddata fixtures/demo.json"),
        ({"command": "python manage.py make_data"}, "python manage.py make_data"),
    ],
)
def test_seeds_are_steps_that_run_once(root: Path, said: dict[str, str], command: str) -> None:
    """The database itself remembers that it has its data; the template's own steps stay."""
    review = {**SAID["slipway:review"], "seed": said}

    assert config(root, review=review)["slipway:release"] == {"once": {"review-seed": command}}
    release = {"once": {"superuser": "x"}, "migrate": False}
    assert config(root, review=review, release=release)["slipway:release"] == {
        "once": {"superuser": "x", "review-seed": command},
        "migrate": False,
    }


def test_a_dump_is_no_step(root: Path) -> None:
    """It comes from the machine that runs the command, once there is a database."""
    said = {**SAID["slipway:review"], "seed": {"dump": "/srv/dump.tar"}}

    assert "slipway:release" not in config(root, review=said)


def test_two_seeds_are_refused(root: Path) -> None:
    """One kind of data is what a review environment starts with."""
    said = {**SAID["slipway:review"], "seed": {"dump": "/srv/dump.tar", "command": "x"}}
    found = config(root, review=said)

    with pytest.raises(SettingsError) as error:
        parse({key.removeprefix("slipway:"): value for key, value in found.items()}, "review-pr-1")
    [problem] = error.value.problems
    assert problem.key == "slipway:review.seed.dump"
    assert problem.allowed == "nothing, since slipway:review.seed.command says what data there is"


@pytest.mark.parametrize(("name", "value"), [("port", 8083), ("address", "10.0.0.7")])
def test_a_port_beside_the_gateway_is_refused(root: Path, name: str, value: object) -> None:
    """It would not be published."""
    found = config(root, edge={name: value})

    with pytest.raises(SettingsError) as error:
        parse({key.removeprefix("slipway:"): value for key, value in found.items()}, "review-pr-1")
    [problem] = error.value.problems
    assert problem.key == f"slipway:edge.{name}"
    assert problem.allowed == "nothing, since slipway:edge.gateway says how the stack is reached"


def test_another_ref_of_the_project(root: Path) -> None:
    """What is reviewed is said on the command line, where the project is in a repository."""
    said = stackfile.config(template(root), "pr-1", ref="feature")

    assert said["slipway:app"] == {**SAID["slipway:app"], "ref": "feature"}


def test_another_kind_is_refused(root: Path) -> None:
    """What goes away by itself is never staging."""
    with pytest.raises(PipelineError, match=r"stacks/review.template.yaml: slipway:environment is 'staging'"):
        template(root, environment="staging")


def test_what_is_wrong_in_a_template_is_mended_there(root: Path) -> None:
    """The stack's file is made from it anew, and a template is no stack of Pulumi's."""
    with pytest.raises(SettingsError) as error:
        template(root, review={"domain": "Shelf_x"})
    assert str(error.value.problems[0]) == (
        'slipway:review.domain: found "Shelf_x"\n'
        "  allowed: a host name in small letters, such as shop.example.org\n"
        "  mend:    change it in stacks/review.template.yaml, and give the same command again"
    )


@pytest.mark.parametrize(("name", "option"), [("review", ""), ("large", " --from large")])
def test_the_commands_are_told_another_template(root: Path, name: str, option: str) -> None:
    """The usual one goes without saying."""
    made = replace(template(root), file=f"{name}.template.yaml")
    assert made.option == option


def test_secrets_in_the_template_are_refused(root: Path) -> None:
    """Each environment has its own; those that nobody can make up come from variables."""
    path = root / "stacks/review.template.yaml"
    path.write_text(yaml.safe_dump({"config": {**SAID, "secrets:mail": {"secure": "v1:x"}}}))

    with pytest.raises(PipelineError) as error:
        stackfile.read("review", root)
    assert str(error.value) == (
        "stacks/review.template.yaml: found secrets:mail; a secret is encrypted for one stack, and each environment has "
        "its own\n"
        "  allowed: no secrets: passwords are made for each environment, and others come from variables\n"
        "  mend:    remove secrets:mail, and export SLIPWAY_SECRET_MAIL=VALUE where `env create` runs"
    )


def test_a_template_that_is_not_there(root: Path) -> None:
    """Those that are there are named."""
    template(root)

    with pytest.raises(PipelineError, match=r"stacks/other.template.yaml does not exist\n  allowed: one of review\n"):
        stackfile.read("other", root)


def test_secrets_of_before_stay(root: Path) -> None:
    """The next release keeps the passwords and what encrypts them; everything else is the template's."""
    kept = {
        "encryptionsalt": "v1:salt",
        "config": {"secrets:django_key": {"secure": "v1:x"}, "slipway:web": {"replicas": 3}},
    }
    made = template(root)
    text = stackfile.text(made, stackfile.config(made, "pr-1"), kept)

    assert text.startswith("# Made by `python -m pipeline env create`: it goes with the environment.")
    assert yaml.safe_load(text) == {
        "encryptionsalt": "v1:salt",
        "config": {**stackfile.config(made, "pr-1"), "secrets:django_key": {"secure": "v1:x"}},
    }


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ({"type": "passphrase", "state": {"salt": "v1:s"}}, {"encryptionsalt": "v1:s"}),
        (
            {"type": "cloud", "state": {"url": "awskms://x", "encryptedkey": "k"}},
            {"secretsprovider": "awskms://x", "encryptedkey": "k"},
        ),
        (None, {}),
    ],
)
def test_the_encryption_is_in_the_state(provider: object, said: dict[str, str]) -> None:
    """A clone without the file of the stack opens its secrets all the same."""
    assert stackfile.encryption({"secrets_providers": provider}) == said


def test_a_file_comes_back(engine_for: Callable[[str], Engine], fake: Fake) -> None:
    """What the last update was given is in the backend; without one, there is the salt of the state."""
    engine = engine_for("review-pr-1")
    fake.when("config refresh", err="error: getting latest configuration: no previous deployment\n", code=1)

    found = stackfile.recover(engine, {"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:s"}}})

    assert found == ({"encryptionsalt": "v1:s"}, False)
    assert yaml.safe_load(engine.stack_file.read_text()) == {"encryptionsalt": "v1:s"}
    assert fake.calls == ["config refresh --force --stack review-pr-1"]

    engine.stack_file.write_text("config: {a: b}\nencryptionsalt: v1:t\n")
    fake.when("config refresh")
    assert stackfile.recover(engine, {}) == ({"config": {"a": "b"}, "encryptionsalt": "v1:t"}, True)
    assert stackfile.recover(engine, None)[1] is False
