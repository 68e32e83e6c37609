"""Pulumi.yaml, the schema and the reference page say what the model says, and nothing else."""

import argparse
import io
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from components import secrets
from components.keys import KEYS, NAME
from components.model import Settings, Target
from components.problems import full_key
from components.rules.target import ONLY_ON, applies
from components.settings import ROOT, parse
from pipeline import generate
from pipeline.console import Console, PipelineError

SCHEMA = json.loads((ROOT / "stacks/schema.json").read_text())
LEAVES = [key.name for key in KEYS.values() if key.single]


def test_what_is_generated_is_up_to_date() -> None:
    """The files in the repository are what the model gives."""
    assert generate.stale() == []


def test_project_file_declares_every_key_with_type_and_description() -> None:
    """Pulumi knows each top-level key; the empty defaults keep it from refusing a stack by itself."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())

    assert project["name"] == "slipway"
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}
    assert project["stackConfigDir"] == "stacks"
    assert list(project["config"]) == list(Settings.model_fields)
    for name, declared in project["config"].items():
        assert declared["description"].startswith(Settings.model_fields[name].description or "?")
        is_group = not KEYS[name,].single
        assert (declared["type"], declared["default"]) == (("object", {}) if is_group else ("string", ""))


def test_schema_has_every_key_and_no_other() -> None:
    """The schema's keys are the model's, at every level."""

    def paths(node: dict[str, Any], above: str) -> list[str]:
        if node.get("type") == "object" and list(node.get("patternProperties", {})) == [
            "^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$"
        ]:
            (entry,) = node["patternProperties"].values()
            return paths(entry, f"{above}.{NAME}")
        if "properties" not in node:
            return [above]
        return [path for name, child in node["properties"].items() for path in paths(child, f"{above}.{name}")]

    config = SCHEMA["properties"]["config"]["properties"]
    found = [path for name, node in config.items() if name.startswith("slipway:") for path in paths(node, name)]
    assert found == LEAVES
    assert [name for name in config if name.startswith("secrets:")] == [f"secrets:{name}" for name in secrets.NAMES]


def test_page_has_every_key_and_no_other() -> None:
    """The reference page lists each single value and each secret once."""
    page = (ROOT / "docs/settings.md").read_text()
    keys, _, rest = page.partition("## What one target alone has")

    assert re.findall(r"^\| `(slipway:[^`]+)`", keys, re.MULTILINE) == sorted(LEAVES, key=LEAVES.index)
    assert re.findall(r"^\| `(slipway:[^`]+)`", rest, re.MULTILINE) == [full_key(path) for path in ONLY_ON]
    assert re.findall(r"^\| `secrets:([^`]+)`", rest, re.MULTILINE) == list(secrets.NAMES)


EXAMPLE: dict[str, Any] = {
    "environment": "dev",
    "app": {"source": "examples/guestbook", "settings_module": "config.settings"},
    "services": {"worker": {"image": "a:1", "entrypoint": ["a"], "user": 1, "port": 1}},
    "processes": {"worker": {"command": ["celery"]}, "sockets": {"command": ["daphne"], "port": 9000}},
    "volumes": {"worker": {"path": "/srv/worker"}},
}
ASSETS: dict[str, Any] = EXAMPLE | {"assets": {"directory": "frontend", "outputs": "frontend/dist"}}
PROMOTED: dict[str, Any] = EXAMPLE | {"promoted": {"image": f"sha256:{'0' * 64}", "release": "0123456789ab"}}
CLUSTER: dict[str, Any] = EXAMPLE | {
    "target": "kubernetes",
    "postgres": {"provider": "cloudnative-pg"},
    "kubernetes": {"registry": "a.b", "gateway": "a/b", "issuer": "a", "expose": "ingress"},
}


def test_each_key_has_a_description_and_an_example_that_is_allowed() -> None:
    """Examples are real: each is accepted where it is recommended."""
    for key in KEYS.values():
        assert key.info.description
        if key.single:
            alone = not applies(key.path, Target.DOCKER)
            said = deepcopy(CLUSTER if alone else {"assets": ASSETS, "promoted": PROMOTED}.get(key.path[0], EXAMPLE))
            if key.path == ("app", "ref"):
                said["app"]["source"] = "https://git.example.org/shop.git"
            place = said
            for part in key.path[:-1]:
                place = place.setdefault("worker" if part == NAME else part, {})
            place[key.path[-1]] = key.example
            if key.path == ("health", "command"):
                place["check"] = "command"
            parse(said, "dev")
            assert not errors(said), key.name


def stack(said: dict[str, Any], **rest: object) -> dict[str, Any]:
    """Give the content of a stack's file."""
    return {"config": {f"slipway:{name}": value for name, value in said.items()}, **rest}


def errors(said: dict[str, Any], **rest: object) -> list[str]:
    """Give what the schema has to say."""
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(stack(said, **rest))]


def test_schema_is_a_schema() -> None:
    """The schema follows the rules of its own kind."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "name", ["dev.template.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "review.template.yaml"]
)
def test_shipped_stack_files_follow_the_schema(name: str) -> None:
    """Each shipped file is valid, names the schema for editors, and holds no secret."""
    text = (ROOT / "stacks" / name).read_text()

    jsonschema.Draft7Validator(SCHEMA).validate(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert "secure:" not in text


GOOD: dict[str, Any] = {
    "environment": "dev",
    "app": {"source": "../shop", "settings_module": "config.settings"},
}


def test_schema_takes_what_pulumi_writes() -> None:
    """Secrets, salts, other namespaces and the types of ``pulumi config set --path`` are fine."""
    content = stack(
        GOOD | {"web": {"replicas": 2, "resources": {"cpus": "0.5"}}},
        encryptionsalt="v1:x",
        secretsprovider="awskms://alias/x",
        encryptedkey="x",
    )
    content["config"] |= {f"secrets:{name}": {"secure": "v1:x"} for name in ("django_key", "sentry_dsn")}
    content["config"] |= {"docker:host": "ssh://me@host"}
    content["config"]["slipway:app"]["environment"] = {"FLAG": True, "N": 3, "TEXT": "x"}

    jsonschema.Draft7Validator(SCHEMA).validate(content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("environment", "production"),
        ("environment", None),
        ("app", None),
        ("app.source", None),
        ("app.settings_module", "config/settings.py"),
        ("app.name", "My Shop"),
        ("app.python", "2.7"),
        ("app.environment", {"a-b": "x"}),
        ("app.environment", {"SECRET_KEY_FILE": "x"}),
        ("app.files", {"x.ini": "x"}),
        ("app.environment", {"TOKEN": {"secure": "v1:x"}}),
        ("web", {"replica": 2}),
        ("web", {"replicas": "many"}),
        ("web", {"replicas": 0}),
        ("web", {"resources": {"cpus": "half"}}),
        ("web", 3),
        ("edge", {"address": "localhost"}),
        ("edge", {"image": "Nginx:1.26"}),
        ("edge", {"port": 70000}),
        ("data", {"protect": "yes"}),
        ("webb", {}),
        ("domain", "Shop"),
        ("processes", {"worker": {}}),
        ("processes", {"Worker": {"command": ["a"]}}),
        ("processes", {"worker": {"command": ["a"], "replica": 2}}),
        ("kubernetes", {"expose": "nodeport"}),
        ("kubernetes", {"autoscale": {"min": 0}}),
        ("postgres", {"provider": "rds"}),
    ],
)
def test_schema_refuses_what_the_program_refuses(path: str, value: object) -> None:
    """An editor marks the mistakes that would fail later."""
    said = deepcopy(GOOD)
    *above, last = path.split(".")
    place: dict[str, Any] = said
    for part in above:
        place = place[part]
    place[last] = value
    if value is None:
        del place[last]

    assert errors(said)


@pytest.mark.parametrize("kind", ["staging", "prod"])
def test_schema_asks_for_a_domain_where_there_is_no_default(kind: str) -> None:
    """Public kinds need a host name."""
    assert errors(GOOD | {"environment": kind}) == ["'slipway:domain' is a required property"]
    assert not errors(GOOD | {"environment": kind, "domain": "shop.example.org"})


def test_schema_refuses_a_secret_in_clear_and_an_unknown_one() -> None:
    """Secrets are encrypted, those of the project's own too, and their names are names."""
    for name, value in (("django_key", "hush"), ("sentry_dsn", "hush"), ("Sentry-DSN", {"secure": "v1:x"})):
        content = stack(GOOD)
        content["config"][f"secrets:{name}"] = value
        assert not jsonschema.Draft7Validator(SCHEMA).is_valid(content)


def test_the_command_writes_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --check the files are written; with it, one error names those that are stale and the command."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    console = Console(io.StringIO(), io.StringIO())
    names = "Pulumi.yaml, stacks/schema.json, docs/settings.md, docs/kubernetes-sizing.md"
    with pytest.raises(PipelineError) as error:
        generate.run(argparse.Namespace(check=True), console)
    assert error.value.problems[0].lines() == [
        f"not up to date: {names}",
        "  mend:    python -m pipeline generate",
    ]

    assert generate.run(argparse.Namespace(check=False), console) == 0
    assert generate.run(argparse.Namespace(check=True), console) == 0

    assert isinstance(console.out, io.StringIO)
    assert console.out.getvalue().splitlines() == [
        *(f"wrote {name}" for name in names.split(", ")),
        "everything is up to date",
    ]
