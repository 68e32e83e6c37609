"""Every setting does something on every target, or is refused there by name before anything is created."""

import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import secrets
from components.deployment import Deployment
from components.keys import KEYS, NAME, Key
from components.model import Settings, Target
from components.problems import SettingsError
from components.rules.target import applies
from components.settings import ROOT, parse
from tests.unit.harness import run

Said = Mapping[str, Any]

BASE: Said = {
    "environment": "dev",
    "domain": "shop.example.org",
    "app": {
        "name": "shop",
        "source": "examples/guestbook",
        "settings_module": "config.settings",
        "environment": {"ADMIN": "${services.mq.ports.management}", "QUEUE_FILE": "${services.mq.url.file}"},
    },
    "processes": {"worker": {"command": "celery worker"}},
    "services": {
        "mq": {
            "image": "mq:1",
            "entrypoint": "entry",
            "command": "serve",
            "environment": {"PASS": "${secrets.mq_password}"},
            "user": 1000,
            "volumes": {"other": "/data"},
            "port": 5000,
            "ports": {"management": 5001},
            "url": "mq://${host}:${port}/",
        }
    },
    "volumes": {"worker": {"path": "/srv/worker"}},
}
CLUSTER: Said = {"target": "kubernetes", "kubernetes": {"registry": "registry.example.org/team"}}
TARGETS: Mapping[Target, Said] = {Target.DOCKER: {}, Target.KUBERNETES: CLUSTER}

ANOTHER: Mapping[str, object] = {
    "environment": "review",
    "domain": "other.example.org",
    "app.name": "other",
    "app.source": "copy",
    "app.settings_module": "config.other",
    "app.wsgi_module": "config.other:application",
    "app.python": "3.12",
    "dependencies.files": "requirements.in",
    "app.dockerfile": "manage.py",
    "app.health_path": "/other",
    "media.root": "/srv/media",
    "static.root": "/srv/collected",
    "volumes.NAME.path": "/srv/other",
    "volumes.NAME.processes": "web",
    "web.server": "daphne",
    "web.replicas": 3,
    "web.threads": 5,
    "web.startup_seconds": 61,
    "web.stop_grace_seconds": 36,
    "app.asgi_module": "config.other:application",
    "processes.NAME.startup_seconds": 61,
    "processes.NAME.replicas": 2,
    "processes.NAME.stop_grace_seconds": 36,
    "services.NAME.startup_seconds": 61,
    "services.NAME.stop_grace_seconds": 31,
    "edge.routes": {"/ws/": "worker"},
    "edge.address": "10.0.0.7",
    "edge.port": 8090,
    "edge.image": "nginx:1.27",
    "edge.max_body_mb": 26,
    "edge.timeout_seconds": 31,
    "postgres.image": "postgres:16",
    "redis.image": "redis:7.4",
    "build.base_image": "python:3.13",
    "build.ca_bundle": "README.md",
    "assets.node": "22",
    "promoted.release": "ba9876543210",
    "kubernetes.registry": "registry.example.org/other",
}
"""Another value than the base has, where the example of the key is the same or needs files."""

TOGETHER: Mapping[str, Said] = {
    "kubernetes.ingress_class": {"expose": "ingress"},
    "kubernetes.gateway": {"expose": "gateway", "gateway": "other/gateway"},
    "kubernetes.tls": {"expose": "ingress", "issuer": "other"},
    "kubernetes.issuer": {"expose": "ingress", "tls": "cert_manager", "issuer": "other"},
    "kubernetes.autoscale.min": {"autoscale": {"enabled": True, "min": 3}},
    "kubernetes.autoscale.max": {"autoscale": {"enabled": True, "max": 11}},
    "kubernetes.autoscale.cpu_percent": {"autoscale": {"enabled": True, "cpu_percent": 60}},
    "kubernetes.instances": {"instances": 2},
}
"""What else a stack on a cluster says for whom a key means something."""

ASSETS: Said = {
    "app": {"source": "tests/projects/monorepo", "directory": "backend", "settings_module": "shop.settings"},
    "assets": {"directory": "frontend", "outputs": "backend/assets"},
}
PROMOTED: Said = {"image": f"registry.example.org/shop@sha256:{'0' * 64}", "release": "0123456789ab"}
MANAGED: Mapping[str, Said] = {
    "edge.routes": {"processes": {"worker": {"port": 9001}}},
    "static.root": {"static": {"serve": "volume", "root": "/srv/first"}},
    "static.serve": {"static": {"root": "/srv/first"}},
    "app.asgi_module": {"web": {"server": "uvicorn"}},
    "health.check": {"health": {"startup_path": None}},
    "health.command": {"health": {"check": "command", "command": "true"}},
    "kubernetes.instances": {"postgres": {"provider": "cloudnative-pg"}},
    "promoted.image": {"promoted": {**PROMOTED, "image": f"registry.example.org/other@sha256:{'1' * 64}"}},
    "promoted.release": {"promoted": PROMOTED},
    **{f"assets.{name}": ASSETS for name in ("node", "image", "install", "build", "inputs", "outputs")},
}
"""The same beside the group."""

CHOSEN = {"processes": "worker", "volumes": "worker", "services": "mq"}
"""The names that the base chooses."""

NOT_LOOKED_AT = {
    "target": "another target is another program",
    "promoted.stack": "it is told and decides nothing; tests/unit/pipeline/test_promote.py looks at it",
    "app.ref": "it needs a repository; tests/unit/test_checkout.py has one",
    "assets.directory": "nothing is made without outputs; tests/unit/test_assets.py looks at it",
    "dependencies.installer": "a project has the files of one; tests/unit/test_dependencies.py looks at each",
}
"""Keys that are not looked at, each with its reason."""

NOT_LOOKED_AT |= {
    key.name.removeprefix("slipway:"): "`env create` reads it; tests/unit/pipeline/test_env_stackfile.py looks at it"
    for key in KEYS.values()
    if key.path[0] == "review"
}

NAMES = [key for key in KEYS.values() if key.single and key.name.removeprefix("slipway:") not in NOT_LOOKED_AT]

pytestmark = pytest.mark.usefixtures("nothing_of_this_machine")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is not quite the example."""
    folder = tmp_path_factory.mktemp("projects") / "guestbook"
    shutil.copytree(ROOT / "examples/guestbook", folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    (folder / "more.py").write_text("")
    return folder


def merged(below: Said, above: Said) -> dict[str, Any]:
    """Lay one part of a stack's file over another."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def place(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """Give the part of a stack's file that says one thing."""
    first, *rest = (CHOSEN[path[0]] if part == NAME else part for part in path)
    return {first: place(tuple(rest), value) if rest else value}


def registered(loaded: Settings) -> list[object]:
    """Give everything that the engine is told about a stack, and what it exports."""

    def build() -> None:
        given: dict[str, Any] = {name: pulumi.Output.secret(f"value-of-{name}") for name in secrets.needed(loaded)}
        own = {name: given.pop(name) for name in secrets.own(loaded)}
        deployment = Deployment(loaded, secrets.Secrets(**given, own=own))
        pulumi.export("url", deployment.url)

    recorded = run(build)
    return [
        sorted(recorded.urns),
        {each.urn: (each.inputs, each.protect, each.retain_on_delete) for each in recorded.resources},
        recorded.outputs,
    ]


@cache
def base(target: Target, name: str) -> tuple[dict[str, Any], list[object]]:
    """Give what a stack says where a key means something, and what is registered for it."""
    group = {"kubernetes": TOGETHER[name]} if name in TOGETHER else {}
    said = merged(merged(merged(BASE, TARGETS[target]), group), MANAGED.get(name, {}))
    return said, registered(parse(said, "test"))


def another(key: Key, copy: Path) -> object:
    """Give another value for a key."""
    value = ANOTHER.get(
        key.name.removeprefix("slipway:"), {"cpus": 0.75, "memory_mb": 384}.get(key.path[-1], key.example)
    )
    return str(copy) if value == "copy" else value


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("key", NAMES, ids=[key.name.removeprefix("slipway:") for key in NAMES])
def test_every_setting_reaches_every_target(key: Key, target: Target, copy: Path) -> None:
    """Another value registers something else, or is refused with the key and the target that has it."""
    name = key.name.removeprefix("slipway:")
    if not applies(key.path, target):
        with pytest.raises(SettingsError, match=rf"(?s)found a setting for target (?!{target}).*with target {target}:"):
            parse(merged(merged(BASE, TARGETS[target]), place(key.path, another(key, copy))), "test")
        return
    said, before = base(target, name if name in {*TOGETHER, *MANAGED} else "")

    after = registered(parse(merged(said, place(key.path, another(key, copy))), "test"))

    assert after != before, f"{key.name} changes nothing on {target}"


@pytest.mark.parametrize("target", Target)
def test_the_same_settings_are_the_same(target: Target) -> None:
    """What is compared above holds nothing that differs by itself."""
    said, before = base(target, "")

    assert registered(parse(said, "test")) == before
