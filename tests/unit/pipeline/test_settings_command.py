"""``settings STACK`` shows every value in full, from the stack's file alone."""

import io
import json
from pathlib import Path

import pytest

from components.keys import KEYS, NAME
from components.model import Target
from components.rules.target import applies
from components.settings import ROOT, check
from pipeline import __main__, settings
from pipeline.console import Console, PipelineError


def run(*arguments: str) -> tuple[int, str, str]:
    """Run the command line and give its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    return __main__.main(["settings", *arguments], Console(out, err)), out.getvalue(), err.getvalue()


def test_every_value_with_where_it_comes_from() -> None:
    """Each single value has its line."""
    code, out, err = run("prod")

    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in out.splitlines()}
    assert (code, err) == (0, "")
    assert list(rows) == [
        key.name
        for key in KEYS.values()
        if NAME not in key.path and ((key.single and applies(key.path, Target.DOCKER)) or key.entry is not None)
    ]
    assert " ".join(rows["slipway:web.replicas"].split()) == "3 default of prod"
    assert " ".join(rows["slipway:domain"].split()) == '"guestbook.example.org" stack file'
    assert " ".join(rows["slipway:app.wsgi_module"].split()) == (
        '"config.wsgi:application" from slipway:app.settings_module'
    )


def test_for_programs() -> None:
    """With --json the same comes as data."""
    code, out, _err = run("staging", "--json")

    assert code == 0
    assert json.loads(out)["slipway:edge.port"] == {"value": 8081, "from": "default of staging"}


def test_the_values_of_a_cluster_and_of_its_processes(root: Path) -> None:
    """What the target has is shown, each process with its values, and what it does not have is not."""
    stack(
        root,
        "config:\n  slipway:environment: dev\n  slipway:target: kubernetes\n"
        "  slipway:kubernetes: {registry: registry.example.org, expose: node_port}\n"
        "  slipway:processes: {worker: {command: celery worker, replicas: 2}}\n"
        f"  slipway:app: {{source: {ROOT}/examples/guestbook, settings_module: config.settings}}\n",
    )

    rows = {key: (value, source) for key, value, source in settings.rows(settings.explain("dev", root))}

    assert rows["slipway:processes.worker.command"] == (["celery", "worker"], "stack file")
    assert rows["slipway:processes.worker.replicas"] == (2, "stack file")
    assert rows["slipway:processes.worker.stop_grace_seconds"] == (35, "default")
    assert rows["slipway:kubernetes.namespace"] == ("guestbook-dev", "from slipway:app.name")
    assert rows["slipway:kubernetes.expose"] == ("node_port", "stack file")
    assert not {"slipway:edge.port", "slipway:edge.address", "slipway:processes"} & set(rows)


def test_a_stack_that_does_not_exist() -> None:
    """The stacks that there are, are named: those of the repository, and whatever a team has added."""
    code, out, err = run("produktion")
    found, allowed, mend = err.splitlines()
    named = allowed.removeprefix("  allowed: ").split(", ")

    assert (code, out) == (1, "")
    assert found == "error: there is no stack produktion: stacks/Pulumi.produktion.yaml does not exist"
    assert {"dev", "prod", "staging"} <= set(named)
    assert mend == "  mend:    cp stacks/dev.template.yaml stacks/Pulumi.produktion.yaml   # and edit it"


def test_a_template_stands_in_for_a_file() -> None:
    """Before `make up` has made the file of dev, its template is shown."""
    assert settings.stack_file("review").name == "review.template.yaml"


def stack(root: Path, text: str) -> None:
    """Write a stack's file."""
    (root / "stacks/Pulumi.dev.yaml").write_text(text)


def test_problems_are_those_of_pulumi_up(root: Path) -> None:
    """The command refuses what the program would refuse, and more closely: a secret is found where it stands."""
    stack(root, "config:\n  slipway:environment: dev\n  slipway:app:\n    environment: {TOKEN: {secure: hush}}\n")

    with pytest.raises(Exception, match="3 problems in the configuration of stack dev") as error:
        settings.load("dev", root)
    assert "slipway:app.environment.TOKEN: found a secret (not shown)" in str(error.value)
    assert "hush" not in str(error.value)


def test_yaml_is_read_as_pulumi_reads_it(root: Path) -> None:
    """Words such as yes, and dates, are text for Pulumi."""
    stack(root, "config:\n  slipway:app:\n    environment: {A: yes, B: 2026-01-01, C: true, D: off, E: 1}\n")

    assert settings.said("dev", root) == {
        "app": {"environment": {"A": "yes", "B": "2026-01-01", "C": True, "D": "off", "E": 1}}
    }


@pytest.mark.parametrize("text", ["", "config:\n", "- a\n", "config: x\n"])
def test_a_file_that_says_nothing(root: Path, text: str) -> None:
    """A file without settings has none."""
    stack(root, text)

    assert settings.said("dev", root) == {}


def test_a_file_that_is_not_yaml(root: Path) -> None:
    """What is wrong with the file is said with its place, on one line."""
    stack(root, "config:\n  slipway:app: {\n")

    with pytest.raises(PipelineError) as error:
        settings.said("dev", root)
    (only,) = error.value.problems
    assert only.found.startswith("stacks/Pulumi.dev.yaml is not valid YAML: while parsing a flow node")
    assert only.mend == "edit stacks/Pulumi.dev.yaml"


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "review"])
def test_the_shipped_stacks_are_valid(name: str) -> None:
    """What is shipped works as it is, with the example that is shipped."""
    path = ROOT / "stacks" / f"{name}.template.yaml"
    said = settings.read(path if path.exists() else ROOT / "stacks" / f"Pulumi.{name}.yaml")
    plain = {key.removeprefix("slipway:"): value for key, value in said.items() if key.startswith("slipway:")}

    assert check(plain, name).environment == name
