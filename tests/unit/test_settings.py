"""Settings: from what a stack says to values, and every error to the letter, from one small example with one change."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from copy import deepcopy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components import settings
from components.defaults import BY_KIND
from components.keys import KEYS
from components.model import Kind, Settings, Target
from components.problems import Problem, SettingsError
from components.resolved import CA_VARIABLE, REGISTRY_VARIABLE
from components.rules.target import applies
from components.settings import application_of, check, name_of, parse, resolve

SetConfig = Callable[[dict[str, str], list[str]], None]

KNOWN_HOST = "git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSuN7mPbt3zTRrHMkY0iXUsv0fQjqKJrcXdA"

GOOD: dict[str, Any] = {
    "environment": "dev",
    "app": {"source": "examples/guestbook", "settings_module": "config.settings"},
}


@pytest.fixture(autouse=True)
def _no_ca_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what this machine trusts out of the tests."""
    monkeypatch.delenv(CA_VARIABLE, raising=False)
    monkeypatch.delenv(REGISTRY_VARIABLE, raising=False)


def said(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the example with changes; a key is a path with dots, and None takes it away."""
    result = deepcopy(GOOD)
    for path, value in changes.items():
        *above, last = path.split(".")
        place = result
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
        if value is None:
            del place[last]
    return result


def problems(changes: Mapping[str, Any], stack: str = "shop") -> list[Problem]:
    """Give everything that is wrong with the changed example."""
    with pytest.raises(SettingsError) as error:
        parse(said(changes), stack)
    return list(error.value.problems)


def problem(path: str, value: object) -> Problem:
    """Give the only problem of the changed example."""
    (only,) = problems({path: value})
    return only


def value_at(result: Settings, path: str) -> object:
    """Give one value."""
    found: Any = result
    for part in path.split("."):
        found = getattr(found, part)
    return found


def test_what_is_required_is_enough() -> None:
    """A kind, a source and a settings module make complete settings."""
    assert parse(GOOD, "shop").model_dump(mode="json") == {
        "environment": "dev",
        "target": "docker",
        "domain": "localhost",
        "app": {
            "name": "guestbook",
            "source": "examples/guestbook",
            "ref": None,
            "directory": None,
            "python_path": [],
            "settings_module": "config.settings",
            "wsgi_module": "config.wsgi:application",
            "asgi_module": "config.asgi:application",
            "python": "3.13",
            "dockerfile": None,
            "health_path": "/healthz",
            "environment": {},
            "files": {},
        },
        "web": {
            "server": "gunicorn",
            "worker_class": None,
            "command": None,
            "replicas": 1,
            "threads": 4,
            "startup_seconds": 60,
            "stop_grace_seconds": 35,
            "resources": {"memory_mb": 512, "cpus": 1.0},
        },
        "processes": {},
        "release": {"migrate": True, "commands": [], "once": {}, "timeout_seconds": 900},
        "health": {"check": "page", "status": "200-399", "startup_path": None, "command": None},
        "services": {},
        "edge": {
            "gateway": None,
            "address": "127.0.0.1",
            "port": 8080,
            "image": "nginx:1.26",
            "max_body_mb": 25,
            "timeout_seconds": 30,
            "hosts": [],
            "websockets": [],
            "routes": {},
            "headers": {},
            "redirects": {},
            "basic_auth": None,
            "noindex": False,
            "locations": {},
            "resources": {"memory_mb": 128, "cpus": 0.5},
        },
        "static": {"serve": "nginx", "url": "/static/", "root": None},
        "media": {"root": "/app/media", "url": "/media/", "internal": False},
        "volumes": {},
        "postgres": {"provider": "slipway", "image": "postgres:17", "resources": {"memory_mb": 512, "cpus": 1.0}},
        "redis": {"provider": "slipway", "image": "redis:8.0", "resources": {"memory_mb": 128, "cpus": 0.5}},
        "data": {"protect": False},
        "promoted": {"image": None, "release": None, "stack": None},
        "dependencies": {
            "installer": None,
            "files": [],
            "extras": [],
            "groups": [],
            "packages": [],
            "constraints": [],
            "build_constraints": [],
            "exclude_newer": None,
            "index": None,
            "netrc": False,
            "ssh_hosts": [],
        },
        "build": {
            "base_image": "python:3.13-slim",
            "packages": [],
            "runtime_packages": [],
            "commands": [],
            "collect_static": "build",
            "environment": {},
            "ca_bundle": None,
        },
        "assets": {
            "directory": None,
            "node": "24",
            "image": None,
            "install": None,
            "build": [],
            "inputs": [],
            "outputs": [],
        },
        "kubernetes": {
            "context": None,
            "namespace": "guestbook-shop",
            "registry": None,
            "pull_secret": False,
            "expose": "none",
            "ingress_class": None,
            "gateway": None,
            "tls": "none",
            "issuer": None,
            "storage_class": None,
            "storage": {
                "postgres_gb": 10,
                "redis_gb": 1,
                "media_gb": 10,
                "static_gb": 1,
                "shared_access": "ReadWriteOnce",
                "shared_class": None,
            },
            "autoscale": {"enabled": False, "min": 2, "max": 10, "cpu_percent": 70},
            "edge_replicas": 1,
            "instances": 1,
        },
        "review": {
            "domain": "localhost",
            "ttl_hours": 48,
            "max_environments": 10,
            "max_memory_mb": 16384,
            "gateway": {
                "name": "review",
                "address": "127.0.0.1",
                "port": 8090,
                "image": "nginx:1.26",
                "resources": {"memory_mb": 64, "cpus": 0.5},
            },
            "seed": {"fixture": None, "command": None, "dump": None},
        },
    }


@pytest.mark.parametrize(
    ("kind", "replicas", "port", "protect", "memory"),
    [
        ("dev", 1, 8080, False, 512),
        ("staging", 2, 8081, False, 512),
        ("prod", 3, 8082, True, 512),
        ("review", 1, 8083, False, 256),
    ],
)
def test_the_kind_decides_the_defaults(kind: str, replicas: int, port: int, protect: bool, memory: int) -> None:  # noqa: FBT001  # a column
    """Replicas, port, protection and sizes follow from the kind alone."""
    result = parse(said({"environment": kind, "domain": "shop.example.org"}), "anything")

    assert (result.web.replicas, result.edge.port, result.data.protect) == (replicas, port, protect)
    assert result.web.resources.memory_mb == memory


def test_every_kind_has_defaults() -> None:
    """There is a table for each kind, and for nothing else."""
    assert set(BY_KIND) == set(Kind)


def test_each_value_knows_where_it_comes_from() -> None:
    """A value comes from the stack's file, its kind, the defaults, or another value."""
    sources = resolve(said({"environment": "review", "web.resources.cpus": 1}), "shop").sources

    assert sources["web", "resources", "cpus"] == "stack file"
    assert sources["web", "resources", "memory_mb"] == "default of review"
    assert sources["web", "threads"] == "default"
    assert sources["app", "name"] == "from slipway:app.source"
    assert sources["app", "wsgi_module"] == "from slipway:app.settings_module"
    assert sources["build", "base_image"] == "from slipway:app.python"


def test_settings_are_frozen() -> None:
    """Nobody changes settings after they were read."""
    with pytest.raises(ValidationError):
        parse(GOOD, "shop").web.replicas = 5


@pytest.mark.parametrize(
    ("path", "written", "value"),
    [
        ("web.replicas", 2, 2),
        ("web.replicas", "2", 2),
        ("web.stop_grace_seconds", 0, 0),
        ("web.resources.cpus", "0.5", 0.5),
        ("web.resources.cpus", 2, 2.0),
        ("web.resources.cpus", 0.25, 0.25),
        ("data.protect", True, True),
        ("data.protect", "true", True),
        ("data.protect", "false", False),
        ("app.python", 3.12, "3.12"),
        ("app.source", 2024, "2024"),
        ("app.source", "ssh://git@git.example.org/shop.git", "ssh://git@git.example.org/shop.git"),
        ("app.dockerfile", "docker/Dockerfile", "docker/Dockerfile"),
        ("media.root", "/app/media", "/app/media"),
        ("media.root", "/data/uploads", "/data/uploads"),
        ("app.health_path", "/", "/"),
        ("app.environment", {"FLAG": True, "N": 3, "ZERO": "007", "EMPTY": ""}, None),
        ("edge.image", "registry.example.org:5000/team/nginx:1.26", None),
        ("redis.image", "redis@sha256:" + "a" * 64, None),
        ("build.base_image", "python:3.13-slim@sha256:" + "a" * 64, None),
        ("domain", "10.0.0.7", "10.0.0.7"),
        ("dependencies.files", "a.txt b/c.txt", ["a.txt", "b/c.txt"]),
        ("dependencies.packages", "psycopg[binary]>=3", ["psycopg[binary]>=3"]),
        ("dependencies.packages", "x@git+ssh://git@a.b/x", ["x@git+ssh://git@a.b/x"]),
        ("dependencies.exclude_newer", "2026-06-30T12:00:00Z", "2026-06-30T12:00:00Z"),
        ("build.commands", "echo a b && echo 'c'", ["echo a b && echo 'c'"]),
        ("build.environment", {"N": 3}, {"N": "3"}),
    ],
)
def test_what_pulumi_writes_is_understood(path: str, written: object, value: object) -> None:
    """What ``pulumi config set --path`` makes of a value is read as what was meant."""
    found = value_at(parse(said({path: written}), "shop"), path)
    expected = {"FLAG": "true", "N": "3", "ZERO": "007", "EMPTY": ""} if path == "app.environment" else value
    assert found == (written if expected is None else expected)


def test_a_key_without_a_value_says_nothing() -> None:
    """An empty key, and the empty defaults of Pulumi.yaml, leave the default in place."""
    empty = said({"domain": "", "web": {}, "app.name": ""}) | {"target": None}

    assert parse(empty, "shop") == parse(GOOD, "shop")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("examples/guestbook", "guestbook"),
        ("../My_Shop.2/", "my-shop-2"),
        (".", "slipway-repository"),
        ("2024-shop", "shop"),
        ("/", "app"),
        ("a" * 40, "a" * 31),
        ("a" * 30 + "-bc", "a" * 30),
        ("caf\u00e9", "caf"),
        ("https://git.example.org/team/My_Shop.git", "my-shop"),
        ("git@git.example.org:team/shop.git", "shop"),
    ],
)
def test_name_of_an_app(source: str, name: str) -> None:
    """The name is the folder's, as a slug that is always a valid one."""
    assert name_of(source, Path("/home/me/slipway-repository")) == name
    assert parse(said({"app.name": name}), "shop").app.name == name


@pytest.mark.parametrize(
    ("module", "wsgi"),
    [
        ("config.settings", "config.wsgi:application"),
        ("shop.settings.production", "shop.wsgi:application"),
        ("shop.conf.prod", "shop.conf.wsgi:application"),
        ("settings", "wsgi:application"),
    ],
)
def test_wsgi_module_of_a_settings_module(module: str, wsgi: str) -> None:
    """The WSGI module lies beside the settings, also when these are a package."""
    assert application_of(module, "wsgi") == wsgi
    assert application_of(module, "asgi") == wsgi.replace("wsgi", "asgi")


PLACE = "the path of a folder, absolute or relative to the repository, or the address of a git repository without a password"

CHANGES: list[tuple[str, object, str, str, str]] = [
    ("environment", None, "nothing", "one of dev, staging, prod, review", "'slipway:environment' dev"),
    ("environment", "production", '"production"', "one of dev, staging, prod, review", "'slipway:environment' dev"),
    ("target", "lambda", '"lambda"', "one of docker, kubernetes", "'slipway:target' docker"),
    (
        "domain",
        "Shop.example.org",
        '"Shop.example.org"',
        "a host name in small letters, such as shop.example.org",
        "'slipway:domain' shop.example.org",
    ),
    (
        "app.name",
        "My Shop",
        '"My Shop"',
        "1 to 31 small letters, digits and hyphens, starting with a letter and not ending with a hyphen",
        "--path 'slipway:app.name' shop",
    ),
    (
        "app.source",
        None,
        "nothing",
        PLACE,
        "--path 'slipway:app.source' ../shop",
    ),
    *(
        (
            "app.source",
            f"{scheme}://{who}@git.example.org/shop.git",
            f'"{scheme}://***@git.example.org/shop.git"',
            PLACE,
            "--path 'slipway:app.source' ../shop",
        )
        for scheme, who in (("https", "robot:hush-hush"), ("https", "hush-hush"), ("ssh", "git:hush-hush"))
    ),
    (
        "app.ref",
        "--upload-pack=x",
        '"--upload-pack=x"',
        "a branch, a tag, or all digits of a commit",
        "--path 'slipway:app.ref' main",
    ),
    (
        "app.settings_module",
        None,
        "nothing",
        "the dotted name of a Python module, such as config.settings",
        "--path 'slipway:app.settings_module' config.settings",
    ),
    (
        "app.settings_module",
        "config/settings.py",
        '"config/settings.py"',
        "the dotted name of a Python module, such as config.settings",
        "--path 'slipway:app.settings_module' config.settings",
    ),
    (
        "app.wsgi_module",
        "config.wsgi",
        '"config.wsgi"',
        "MODULE:NAME, such as config.wsgi:application",
        "--path 'slipway:app.wsgi_module' config.wsgi:application",
    ),
    ("app.python", 3.1, "3.1", "one of 3.11, 3.12, 3.13, 3.14", "--path 'slipway:app.python' 3.13"),
    (
        "app.directory",
        "../site",
        '"../site"',
        "the path of a folder inside slipway:app.source",
        "--path 'slipway:app.directory' backend",
    ),
    (
        "dependencies.files",
        "../requirements.txt",
        '"../requirements.txt"',
        "a list of files inside slipway:app.source, or one line with them",
        "--path 'slipway:dependencies.files' requirements/production.txt",
    ),
    (
        "dependencies.installer",
        "pip",
        '"pip"',
        "one of uv, poetry, pipenv, requirements, pyproject",
        "--path 'slipway:dependencies.installer' poetry",
    ),
    *(
        (
            "dependencies.packages",
            spec,
            f'"{shown}"',
            "a list of packages, each with or without a version, or one line with them; no passwords in addresses",
            "--path 'slipway:dependencies.packages' 'psycopg[binary]==3.3.9'",
        )
        for spec, shown in (
            ("--index-url=x", "--index-url=x"),
            ("x@git+https://me:token@example.org/x.git", "x@git+https://***@example.org/x.git"),
            ("x@git+https://token@a.b/x", "x@git+https://***@a.b/x"),
        )
    ),
    (
        "dependencies.exclude_newer",
        "yesterday",
        '"yesterday"',
        "a day or a moment in UTC, such as 2026-06-30 or 2026-06-30T12:00:00Z",
        "--path 'slipway:dependencies.exclude_newer' 2026-06-30",
    ),
    (
        "dependencies.index",
        "https://me:token@example.org/simple",
        '"https://***@example.org/simple"',
        "the address of a simple index, without credentials, such as https://packages.example.org/simple",
        "--path 'slipway:dependencies.index' https://packages.example.org/simple",
    ),
    *(
        (
            "dependencies.ssh_hosts",
            line,
            f'"{shown}',
            "a list of lines of a known_hosts file, or its text: HOST TYPE KEY, as `ssh-keyscan HOST` says them",
            f"--path 'slipway:dependencies.ssh_hosts' '{KNOWN_HOST}'",
        )
        for line, shown in (
            ("git.example.org", 'git.example.org"'),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", '-----BEGIN OPENSSH PRIVATE KEY-----"'),
            (KNOWN_HOST[:-3], f"{KNOWN_HOST[:59]}..."),  # half a key
            (
                KNOWN_HOST.replace("ssh-ed25519", "ssh-rsa"),
                "git.example.org ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSu...",
            ),
        )
    ),
    (
        "build.packages",
        ["libpq-dev; rm -rf /"],
        "a list",
        "a list of packages of the base image's system, or one line with them",
        "--path 'slipway:build.packages' 'build-essential libpq-dev'",
    ),
    ("assets.node", 20, "20", "one of 24, 22", "--path 'slipway:assets.node' 24"),
    (
        "assets.directory",
        "../site",
        '"../site"',
        "the path of a folder inside slipway:app.source",
        "--path 'slipway:assets.directory' frontend",
    ),
    (
        "assets.outputs",
        ["/srv"],
        "a list",
        "a list of files and folders inside slipway:app.source, or one line with them",
        "--path 'slipway:assets.outputs' frontend/dist",
    ),
    (
        "app.dockerfile",
        "/etc/Dockerfile",
        '"/etc/Dockerfile"',
        "the path of a file inside slipway:app.source",
        "--path 'slipway:app.dockerfile' Dockerfile",
    ),
    (
        "app.health_path",
        "healthz",
        '"healthz"',
        "a path that starts with /, such as /healthz",
        "--path 'slipway:app.health_path' /healthz",
    ),
    *(
        (
            "media.root",
            path,
            f'"{path}"',
            "an absolute path in the container that nothing else uses, such as /srv/media or /app/media",
            "--path 'slipway:media.root' /app/media",
        )
        for path in ("media", "/app", "/srv", "/srv/static/media", "/tmp/media", "/data/../etc", "/data//x")  # noqa: S108  # refused
    ),
    ("web.replicas", "many", '"many"', "a whole number from 1 to 50", "--path 'slipway:web.replicas' 2"),
    ("web.replicas", 0, "0", "a whole number from 1 to 50", "--path 'slipway:web.replicas' 2"),
    ("web.replicas", 51, "51", "a whole number from 1 to 50", "--path 'slipway:web.replicas' 2"),
    ("web.replicas", 1.5, "1.5", "a whole number from 1 to 50", "--path 'slipway:web.replicas' 2"),
    ("web.replicas", True, "true", "a whole number from 1 to 50", "--path 'slipway:web.replicas' 2"),
    ("web.replicas", [2], "a list", "a whole number from 1 to 50", "--path 'slipway:web.replicas' 2"),
    (
        "web.replicas",
        {"web-1": 2},
        "a group of values",
        "a whole number from 1 to 50",
        "--path 'slipway:web.replicas' 2",
    ),
    (
        "web.resources.cpus",
        float("inf"),
        "Infinity",
        "a number from 0.1 to 256",
        "--path 'slipway:web.resources.cpus' 0.5",
    ),
    ("web.resources.cpus", "half", '"half"', "a number from 0.1 to 256", "--path 'slipway:web.resources.cpus' 0.5"),
    ("data.protect", 1, "1", "true or false", "--path 'slipway:data.protect' true"),
    ("data.protect", "yes", '"yes"', "true or false", "--path 'slipway:data.protect' true"),
    (
        "edge.address",
        "256.0.0.1",
        '"256.0.0.1"',
        "an IPv4 address: 127.0.0.1 for this machine alone, 0.0.0.0 for every network",
        "--path 'slipway:edge.address' 0.0.0.0",
    ),
    ("edge.port", 70000, "70000", "a whole number from 1 to 65535", "--path 'slipway:edge.port' 8080"),
    *(
        (
            "edge.image",
            image,
            f'"{image}"',
            "an image with a tag other than latest, or with a digest, such as nginx:1.26",
            "--path 'slipway:edge.image' nginx:1.26",
        )
        for image in ("nginx", "nginx:latest", "Nginx:1.26", "registry.example.org:5000/nginx", "nginx:1.26 ")
    ),
]


def test_a_ref_is_of_a_repository() -> None:
    """A folder is deployed as it is; a name or a number that YAML takes for something else is text."""
    assert problem("app.ref", "main") == Problem(
        key="slipway:app.ref",
        found='"main", and slipway:app.source is a folder of this machine',
        allowed="nothing: what is in a folder is deployed as it is; or the address of a git repository as source",
        mend="pulumi config rm --path 'slipway:app.ref' --stack shop",
    )
    for written, ref in ((1.0, "1.0"), (7, "7"), ("feature/x", "feature/x"), ("v1.2+3", "v1.2+3")):
        changed = said({"app.source": "git@git.example.org:shop.git", "app.ref": written})
        assert parse(changed, "shop").app.ref == ref


def test_assets_need_a_folder_and_outputs() -> None:
    """Each asks for the other; a Dockerfile of the project's own makes its assets itself."""
    assert problem("assets", {"build": "make"}) == Problem(
        key="slipway:assets.directory",
        found="nothing",
        allowed="the path of a folder inside slipway:app.source; slipway:assets.build is about what is made there",
        mend="pulumi config set --path 'slipway:assets.directory' frontend --stack shop",
    )
    assert problem("assets", {"directory": "frontend"}) == Problem(
        key="slipway:assets.outputs",
        found="nothing",
        allowed="a list of files and folders inside slipway:app.source, or one line with them; "
        "nothing else of what is made gets into the image",
        mend="pulumi config set --path 'slipway:assets.outputs' frontend/dist --stack shop",
    )
    assert problem("assets", {"directory": "web/ui", "outputs": "."}) == Problem(
        key="slipway:assets.outputs",
        found='".", which is the whole project',
        allowed="a list of files and folders inside slipway:app.source, or one line with them",
        mend="pulumi config set --path 'slipway:assets.outputs' web/ui/dist --stack shop",
    )
    (only,) = problems({"assets": {"directory": "ui", "outputs": "ui/dist"}, "app.dockerfile": "Dockerfile"})
    assert only == Problem(
        key="slipway:assets.directory",
        found="a folder, with slipway:app.dockerfile",
        allowed="nothing: a Dockerfile of the project's own makes its assets itself",
        mend="pulumi config rm 'slipway:assets' --stack shop",
    )


@pytest.mark.parametrize(("path", "value", "found", "allowed", "mend"), CHANGES)
def test_each_wrong_value_has_its_own_words(path: str, value: object, found: str, allowed: str, mend: str) -> None:
    """A wrong value is named with its key, what was found, what is allowed, and the command that mends it."""
    assert problem(path, value) == Problem(
        key=f"slipway:{path}",
        found=found,
        allowed=allowed,
        mend=f"pulumi config set {mend} --stack shop",
    )


def test_the_stack_that_is_named_like_a_kind() -> None:
    """Where the kind is missing, the stack's name is the best guess."""
    (only,) = problems({"environment": None}, stack="staging")

    assert only.mend == "pulumi config set 'slipway:environment' staging --stack staging"


@pytest.mark.parametrize("kind", ["staging", "prod"])
def test_public_kinds_need_a_domain(kind: str) -> None:
    """There is no good guess for a public host name."""
    assert problem("environment", kind) == Problem(
        key="slipway:domain",
        found="nothing",
        allowed="a host name in small letters, such as shop.example.org",
        mend="pulumi config set 'slipway:domain' shop.example.org --stack shop",
    )


@pytest.mark.parametrize(
    ("changes", "key", "allowed", "mend"),
    [
        (
            {"web.replica": 2},
            "slipway:web.replica",
            "probably slipway:web.replicas",
            (
                "pulumi config set --path 'slipway:web.replicas' 2 --stack shop"
                " && pulumi config rm --path 'slipway:web.replica' --stack shop"
            ),
        ),
        (
            {"domian": "a.example.org"},
            "slipway:domian",
            "probably slipway:domain",
            (
                "pulumi config set 'slipway:domain' a.example.org --stack shop"
                " && pulumi config rm 'slipway:domian' --stack shop"
            ),
        ),
        (
            {"web.port": 8000},
            "slipway:web.port",
            "probably slipway:edge.port",
            (
                "pulumi config set --path 'slipway:edge.port' 8000 --stack shop"
                " && pulumi config rm --path 'slipway:web.port' --stack shop"
            ),
        ),
        (
            {"webb": {"replicas": 2}},
            "slipway:webb",
            "probably slipway:web",
            "pulumi config rm 'slipway:webb' --stack shop",
        ),
        (
            {"app.requirements": "requirements/live.txt"},
            "slipway:app.requirements",
            "probably slipway:dependencies.files",
            (
                "pulumi config set --path 'slipway:dependencies.files' requirements/live.txt --stack shop && "
                "pulumi config rm --path 'slipway:app.requirements' --stack shop"
            ),
        ),
        (
            {"app.media_root": "/srv/uploads"},
            "slipway:app.media_root",
            "probably slipway:media.root",
            (
                "pulumi config set --path 'slipway:media.root' /srv/uploads --stack shop && "
                "pulumi config rm --path 'slipway:app.media_root' --stack shop"
            ),
        ),
        (
            {"redis.password": "hush-hush"},
            "slipway:redis.password",
            "one of provider, image, resources",
            "pulumi config rm --path 'slipway:redis.password' --stack shop",
        ),
        (
            {"app.it's": 1},
            'slipway:app["it\'s"]',
            (
                "one of name, source, ref, directory, python_path, settings_module, wsgi_module, asgi_module, python, "
                "dockerfile, health_path, environment, files"
            ),
            "pulumi config rm --path 'slipway:app[\"it'\\''s\"]' --stack shop",
        ),
    ],
)
def test_unknown_keys_are_problems(changes: dict[str, Any], key: str, allowed: str, mend: str) -> None:
    """An unknown key is refused, and the nearest known one is named."""
    assert problems(changes) == [Problem(key=key, found="a key that is not known", allowed=allowed, mend=mend)]


@pytest.mark.parametrize(("value", "found"), [(3, "3"), ("nginx", '"nginx"'), (None, "nothing"), ([], "a list")])
def test_a_group_must_be_a_group(value: object, found: str) -> None:
    """A single value where a group belongs is refused, and so is an empty key, as Pulumi itself refuses it."""
    with pytest.raises(SettingsError) as error:
        parse(GOOD | {"edge": value}, "shop")

    assert error.value.problems == (
        Problem(
            key="slipway:edge",
            found=found,
            allowed="values below this key: gateway, address, port, image, max_body_mb, timeout_seconds, hosts, websockets, "
            "routes, headers, redirects, basic_auth, noindex, locations, resources",
            mend="pulumi config rm 'slipway:edge' --stack shop",
        ),
    )


@pytest.mark.parametrize("group", ["app", "build"])
def test_a_wrong_group_brings_no_other_problem(group: str) -> None:
    """What would have followed from the values in a wrong group is not named as well."""
    with pytest.raises(SettingsError) as error:
        parse(GOOD | {group: 3}, "shop")

    assert [each.key for each in error.value.problems] == [f"slipway:{group}"]
    with pytest.raises(SettingsError, match=r"^1 problem "):
        check(GOOD | {group: 3}, "shop")


RENDERED = "PATH: text pairs, each path absolute and not in /tmp, /proc, /sys or /dev"
PAIRS = "NAME: value pairs, each name of letters, digits and _, each value text"


@pytest.mark.parametrize(
    ("value", "key", "found", "allowed", "mend"),
    [
        (
            {"a-b": "hush"},
            "slipway:app.environment.a-b",
            "a name that is not allowed",
            PAIRS,
            "config rm --path 'slipway:app.environment.a-b'",
        ),
        (
            {"RATE": 0.10},
            "slipway:app.environment.RATE",
            "something that is not text (not shown)",
            PAIRS,
            "config set --path 'slipway:app.environment.RATE' TEXT",
        ),
        ("A=B", "slipway:app.environment", '"A=B"', PAIRS, "config rm --path 'slipway:app.environment'"),
        (
            {"REDIS_URL_FILE": "hush"},
            "slipway:app.environment.REDIS_URL_FILE",
            "a variable that Slipway sets itself",
            (
                "any name but DATABASE_URL, DATABASE_URL_FILE, DJANGO_SETTINGS_MODULE, REDIS_URL, REDIS_URL_FILE, "
                "SECRET_KEY, SECRET_KEY_FILE, SLIPWAY_RELEASE"
            ),
            "config rm --path 'slipway:app.environment.REDIS_URL_FILE'",
        ),
        (
            {"SECRET_KEY": "hush"},
            "slipway:app.environment.SECRET_KEY",
            "a value in clear (not shown)",
            "a value that names a secret, such as ${secrets.django_key}",
            "config rm --path 'slipway:app.environment.SECRET_KEY'",
        ),
    ],
)
def test_environment_variables(value: object, key: str, found: str, allowed: str, mend: str) -> None:
    """Names and values of variables are checked, and no value is shown: it might be a secret."""
    assert problem("app.environment", value) == Problem(
        key=key, found=found, allowed=allowed, mend=f"pulumi {mend} --stack shop"
    )


NAMES = (
    "one of domain, scheme, url, allowed_hosts, trusted_origins, release, database.url, database.host, database.port, "
    "database.name, database.user, database.password, database.json, redis.url, redis.host, redis.port, redis.password, "
    "redis.url/NUMBER, secrets.NAME, services.NAME.host, services.NAME.port, services.NAME.url, with .file after it for the path of a file, .json for a quoted text; $${ for a ${ that is meant as it is"
)


@pytest.mark.parametrize(
    ("text", "found", "near", "mend"),
    [
        (
            "a${databse.url}b",
            '"${databse.url}", which means nothing',
            "database.url",
            "pulumi config set --path 'slipway:app.environment.X' 'a${database.url}b' --stack shop",
        ),
        (
            "${redis.url/99}",
            '"${redis.url/99}", which means nothing',
            "redis.url/1",
            "pulumi config set --path 'slipway:app.environment.X' '${redis.url/1}' --stack shop",
        ),
        ("${HOME}", '"${HOME}", which means nothing', None, "correct it in stacks/Pulumi.shop.yaml"),
        ("${}", '"${}", which means nothing', None, "correct it in stacks/Pulumi.shop.yaml"),
        ("${secrets.A}", '"${secrets.A}", which means nothing', None, "correct it in stacks/Pulumi.shop.yaml"),
        (
            "${domain",
            '"${domain", which has no }',
            "domain",
            "pulumi config set --path 'slipway:app.environment.X' '${domain}' --stack shop",
        ),
    ],
)
def test_a_name_that_means_nothing(text: str, found: str, near: str | None, mend: str) -> None:
    """The value is refused before anything happens, with the name that was probably meant."""
    allowed = f"probably ${{{near}}}; {NAMES}" if near else NAMES

    assert problem("app.environment", {"X": text}) == Problem(
        key="slipway:app.environment.X", found=found, allowed=allowed, mend=mend
    )
    assert problem("app.files", {"/app/x.ini": text}).found == found


def test_what_templates_may_say() -> None:
    """Every name, a literal ${, and a secret where the project wants to read it from its environment."""
    said_ = {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "${database.url}", "REDIS_URL": "${redis.url/3}"}
    every = (
        "${domain} ${scheme} ${url} ${allowed_hosts} ${trusted_origins} ${release} $${HOME} $HOME 5$ ${redis.url/15}"
    )
    parts = "${database.host}${database.port}${database.name}${database.user}${database.password}${database.json.file}"

    found = parse(said({"app.environment": {**said_, "A": every, "B": parts}}), "shop")

    assert found.app.environment["A"] == every


@pytest.mark.parametrize(
    ("path", "found", "allowed"),
    [
        (
            "/run/secrets/environment",
            "a file that Slipway or the platform writes itself",
            "another name in /run/secrets",
        ),
        *(
            (path, "a file that Slipway or the platform writes itself", "another name in /run/secrets")
            for path in ("/run/secrets/..data", "/run/secrets/redis_url")
        ),
        ("/run/secrets/a/b", "a folder of the secret files", "a file right in /run/secrets, or elsewhere"),
        (
            "/app/media/x",
            "a path below /app/media",
            "a path that no other file, no uploads and no volume are above",
        ),
        ("/tmp/x", "a name that is not allowed", RENDERED),  # noqa: S108 - a path in a container
        ("/app/../x", "a name that is not allowed", RENDERED),
        ("x.ini", "a name that is not allowed", RENDERED),
    ],
)
def test_where_files_may_lie(path: str, found: str, allowed: str) -> None:
    """Not where Slipway writes, not where memory or the kernel is."""
    assert problem("app.files", {path: "x"}) == Problem(
        key=f'slipway:app.files["{path}"]',
        found=found,
        allowed=allowed,
        mend=f"pulumi config rm --path 'slipway:app.files[\"{path}\"]' --stack shop",
    )


def test_files_do_not_lie_on_one_another() -> None:
    """Neither below another one, nor where the value of a template is written."""
    below = problem("app.files", {"/app/a": "x", "/app/a/b": "x"})
    assert (below.key, below.found) == ('slipway:app.files["/app/a/b"]', "a path below /app/a")

    (same,) = problems({"app.files": {"/run/secrets/secrets.t": "x"}, "app.environment": {"T": "${secrets.t.file}"}})
    assert same.found == "a file that Slipway or the platform writes itself"


def test_a_dockerfile_of_the_projects_own_is_not_wrapped() -> None:
    """What its command could not get, and what its image does not link, is refused, with what goes instead."""
    own: dict[str, object] = {"app.dockerfile": "Dockerfile"}
    environment, files = problems(
        {**own, "app.environment": {"DSN": "${secrets.dsn}"}, "app.files": {"/app/x.ini": "x"}}
    )

    assert environment == Problem(
        key="slipway:app.environment.DSN",
        found="a value that names a secret, which the command of a Dockerfile of the project's own cannot get",
        allowed="with slipway:app.dockerfile: the path of a file, such as ${database.url.file}",
        mend="pulumi config rm --path 'slipway:app.environment.DSN' --stack shop",
    )
    assert files.found == "a path that an image of Slipway's would link"
    assert files.allowed == "with slipway:app.dockerfile: a path in /run/secrets, which the Dockerfile links"
    fine = {**own, "app.environment": {"DSN_FILE": "${secrets.dsn.file}"}, "app.files": {"/run/secrets/x.ini": "x"}}
    assert parse(said(fine), "shop").app.dockerfile == "Dockerfile"


@pytest.mark.parametrize(("part", "least"), [("web", 128), ("postgres", 128), ("redis", 32), ("edge", 32)])
def test_too_little_memory_to_start(part: str, least: int) -> None:
    """Each process has a floor below which it does not start."""
    assert problem(f"{part}.resources.memory_mb", least - 1) == Problem(
        key=f"slipway:{part}.resources.memory_mb",
        found=str(least - 1),
        allowed=f"at least {least}, below which {part} does not start",
        mend=f"pulumi config set --path 'slipway:{part}.resources.memory_mb' {least} --stack shop",
    )


PATH_OF_ITS_OWN = "a path that is in no other of them, and that no other of them is in"


@pytest.mark.parametrize(
    ("changes", "key", "found", "allowed", "mend"),
    [
        (
            {"static.serve": "volume"},
            "static.root",
            "nothing",
            (
                "an absolute path in the container that nothing else uses, such as /srv/media or /app/media; "
                "slipway:static.serve is volume"
            ),
            "config set --path 'slipway:static.root' /app/collected",
        ),
        (
            {"static": {"serve": "volume", "root": "/app/media/static"}},
            "static.root",
            '"/app/media/static", which shares files with slipway:media.root (/app/media)',
            PATH_OF_ITS_OWN,
            "config set --path 'slipway:static.root' /srv/static-files",
        ),
        (
            {"media.root": "/data/site/media", "volumes.data": {"path": "/data/site"}},
            "volumes.data.path",
            '"/data/site", which shares files with slipway:media.root (/data/site/media)',
            PATH_OF_ITS_OWN,
            "config set --path 'slipway:volumes.data.path' /srv/data-files",
        ),
        (
            {"volumes": {"a": {"path": "/srv/a"}, "b": {"path": "/srv/a"}}},
            "volumes.b.path",
            '"/srv/a", which shares files with slipway:volumes.a.path (/srv/a)',
            PATH_OF_ITS_OWN,
            "config set --path 'slipway:volumes.b.path' /srv/b-files",
        ),
        (
            {"volumes.a": {"path": "/srv/a", "processes": "web workers"}, "processes.worker.command": "x"},
            "volumes.a.processes",
            '"workers", which is no process',
            "of web, worker; nothing for all",
            "config set --path 'slipway:volumes.a.processes' web",
        ),
        (
            {"volumes.a": {}},
            "volumes.a.path",
            "nothing",
            "an absolute path in the container that nothing else uses, such as /srv/media or /app/media",
            "config set --path 'slipway:volumes.a.path' /srv/indexes",
        ),
        (
            {"media": {"internal": True, "url": "none"}},
            "media.url",
            '"none"',
            "an address, since slipway:media.internal is true: `X-Accel-Redirect` names it",
            "config set --path 'slipway:media.url' /media/",
        ),
        (
            {"media.url": "/static/"},
            "media.url",
            "/static/, which is slipway:static.url too",
            "each address once",
            "config rm --path 'slipway:media.url'",
        ),
        (
            {"media.url": "media"},
            "media.url",
            '"media"',
            "a path that starts and ends with /, such as /media/, or none",
            "config set --path 'slipway:media.url' /uploads/",
        ),
        (
            {"static.url": "https://cdn.example.org/"},
            "static.url",
            '"https://cdn.example.org/"',
            "a path that starts and ends with /, such as /static/",
            "config set --path 'slipway:static.url' /assets/",
        ),
    ],
)
def test_what_is_wrong_with_files(changes: dict[str, Any], key: str, found: str, allowed: str, mend: str) -> None:
    """Places for files are apart from one another, belong to processes that are there, and are served in one way."""
    assert problems(changes) == [
        Problem(key=f"slipway:{key}", found=found, allowed=allowed, mend=f"pulumi {mend} --stack shop")
    ]


@pytest.mark.parametrize(
    ("edge", "key", "found", "allowed"),
    [
        ({"websockets": "/media/"}, "websockets", "/media/, which is slipway:media.url too", "each address once"),
        (
            {"locations": {"^~ /static/": "return 404;"}},
            'locations["^~ /static/"]',
            "/static/, which is slipway:static.url too",
            "each address once",
        ),
        ({"locations": {"/": "return 404;"}}, 'locations["/"]', "/, which is the app's", "each address once"),
        (
            {"websockets": "/ws", "locations": {"= /ws": "return 404;"}},
            'locations["= /ws"]',
            "/ws, which is slipway:edge.websockets too",
            "each address once",
        ),
        (
            {"redirects": {"/a/*": "/b"}, "websockets": "/a/"},
            'redirects["/a/*"]',
            "/a/, which is slipway:edge.websockets too",
            "each address once",
        ),
        (
            {"redirects": {"localhost": "https://example.org"}},
            "redirects.localhost",
            "a host name of the site itself",
            "other host names than slipway:domain and slipway:edge.hosts",
        ),
        (
            {"redirects": {"old.example.org": "/new"}},
            'redirects["old.example.org"]',
            '"/new" for a host name',
            "for a host name: an address with its host, such as https://shop.example.org",
        ),
        (
            {"redirects": {"/old/": "/new/*"}},
            'redirects["/old/"]',
            '"/new/*" for one path alone',
            "a * in the target only where the path ends with /*",
        ),
        *(
            (
                {"redirects": {source: target}},
                f'redirects["{source}"]',
                f'"{shown}", which leads to itself',
                "another address",
            )
            for source, target, shown in (
                ("/a", "302 /a", "/a"),
                ("/a/*", "/a/b/*", "/a/b/*"),
                ("a.example.org", "https://a.example.org/b", "https://a.example.org/b"),
            )
        ),
    ],
)
def test_what_is_wrong_with_addresses(edge: dict[str, Any], key: str, found: str, allowed: str) -> None:
    """An address means one thing, and a redirect leads somewhere else."""
    assert problems({"edge": edge}) == [
        Problem(
            key=f"slipway:edge.{key}",
            found=found,
            allowed=allowed,
            mend=f"pulumi config rm --path 'slipway:edge.{key}' --stack shop",
        )
    ]


@pytest.mark.parametrize(
    ("group", "name", "value", "mend"),
    [
        ("headers", "X-Frame-Options", "a$b", "same-origin"),
        ("routes", "/ws/", "My Process", "sockets"),
        ("headers", "X-Frame-Options", "a\nb", "same-origin"),
        ("redirects", "/a", "b", "'https://blog.example.org/*'"),
        ("redirects", "/a", "300 /b", "'https://blog.example.org/*'"),
        ("redirects", "/a", "/b; return", "'https://blog.example.org/*'"),
        ("redirects", "/a/*", "/b*c", "'https://blog.example.org/*'"),
        ("locations", "/a", "return 200", "'return 200 '\"'\"'User-agent: *'\"'\"';'"),
        ("locations", "/a", "} location /b {", "'return 200 '\"'\"'User-agent: *'\"'\"';'"),
    ],
)
def test_a_wrong_value_of_a_pair(group: str, name: str, value: str, mend: str) -> None:
    """What stands there is shown, since it is no secret."""
    key = (
        f"slipway:edge.{group}.{name}" if name.isidentifier() or "/" not in name else f'slipway:edge.{group}["{name}"]'
    )
    assert problem(f"edge.{group}", {name: value}) == Problem(
        key=key,
        found=json.dumps(value),
        allowed=KEYS["edge", group].allowed,
        mend=f"pulumi config set --path '{key}' {mend} --stack shop",
    )


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("headers", "Content-Type"),
        ("headers", "x-accel-redirect"),
        ("headers", "a b"),
        ("routes", "/"),
        ("routes", "ws/"),
        ("redirects", "old" + "_.example.org"),
        ("redirects", "/*"),
        ("redirects", "/a*"),
        ("locations", "/a { }"),
        ("locations", "~~ /a"),
    ],
)
def test_a_wrong_name_of_a_pair(group: str, name: str) -> None:
    """Names are checked as values are."""
    found = problem(
        f"edge.{group}",
        {name: {"headers": "a", "redirects": "/b", "locations": "return 200;", "routes": "worker"}[group]},
    )
    assert (found.found, found.allowed) == ("a name that is not allowed", KEYS["edge", group].allowed)


@pytest.mark.parametrize(
    ("changes", "key", "found", "allowed", "mend"),
    [
        (
            {"edge.routes": {"/ws/": "sockets"}},
            'edge.routes["/ws/"]',
            '"sockets", which is no process',
            "names of slipway:processes, where there is none",
            "config rm --path 'slipway:edge.routes[\"/ws/\"]'",
        ),
        (
            {"edge.routes": {"/ws/": "sockets"}, "processes": {"worker": {"command": "x"}}},
            'edge.routes["/ws/"]',
            '"sockets", which is no process',
            "one of worker",
            "config set --path 'slipway:edge.routes[\"/ws/\"]' worker",
        ),
        (
            {"edge.routes": {"/ws/": "worker"}, "processes": {"worker": {"command": "x"}}},
            "processes.worker.port",
            "nothing",
            'a whole number from 1024 to 65535; slipway:edge.routes["/ws/"] sends it requests',
            "config set --path 'slipway:processes.worker.port' 9000",
        ),
        (
            {"processes.worker": {"command": "x", "port": 80}},
            "processes.worker.port",
            "80",
            "a whole number from 1024 to 65535",
            "config set --path 'slipway:processes.worker.port' 9000",
        ),
    ],
)
def test_what_is_wrong_with_routes(changes: dict[str, Any], key: str, found: str, allowed: str, mend: str) -> None:
    """Requests go to a process that is there, and listens."""
    assert problems(changes) == [
        Problem(key=f"slipway:{key}", found=found, allowed=allowed, mend=f"pulumi {mend} --stack shop")
    ]


def test_the_project_may_serve_what_nginx_would() -> None:
    """Where nginx serves no static files, their address is nobody's."""
    assert parse(said({"static.serve": "project", "media.url": "/static/"}), "shop").media.url == "/static/"


def test_in_prod_old_containers_may_finish_their_requests() -> None:
    """A grace shorter than the edge's patience loses requests at each release; only prod insists."""
    short = {"domain": "shop.example.org", "web.stop_grace_seconds": 10}

    assert problems(short | {"environment": "prod"}) == [
        Problem(
            key="slipway:web.stop_grace_seconds",
            found="10",
            allowed="in prod at least slipway:edge.timeout_seconds (30), "
            "or a release cuts requests that the edge still waits for",
            mend="pulumi config set --path 'slipway:web.stop_grace_seconds' 30 --stack shop",
        )
    ]
    assert parse(said(short | {"environment": "staging"}), "shop").web.stop_grace_seconds == 10


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        ("domain", "pulumi config set --plaintext 'slipway:domain' shop.example.org --stack shop"),
        ("web.replicas", "pulumi config set --plaintext --path 'slipway:web.replicas' 2 --stack shop"),
        ("app.environment.TOKEN", "pulumi config rm --path 'slipway:app.environment.TOKEN' --stack shop"),
        (
            "redis",
            (
                "pulumi config rm --path 'slipway:redis.KEY' --stack shop "
                "(KEY is the one with `secure:` in the stack's file)"
            ),
        ),
    ],
)
def test_a_secret_among_settings(path: str, mend: str) -> None:
    """A secret makes a whole structure secret, so settings hold none, and it is not shown."""
    assert problem(path, {"secure": "v1:hush"}) == Problem(
        key=f"slipway:{path}",
        found="a secret (not shown)",
        allowed="a value in clear; secrets are kept apart, under secrets:",
        mend=mend,
    )


def test_a_group_that_is_secret_brings_no_other_problem() -> None:
    """What a secret group hides is not called missing."""
    assert [each.key for each in problems({"app": {"secure": "v1:hush"}})] == ["slipway:app"]


def test_all_problems_at_once() -> None:
    """One error names every problem, in the shape that people read."""
    with pytest.raises(SettingsError) as error:
        parse(
            {"environment": "dev", "edge": {"port": "web"}, "webb": 1, "redis": {"resources": {"memory_mb": 16}}}, "dev"
        )

    assert str(error.value) == (
        "5 problems in the configuration of stack dev\n"
        "slipway:app.source: found nothing\n"
        f"  allowed: {PLACE}\n"
        "  mend:    pulumi config set --path 'slipway:app.source' ../shop --stack dev\n"
        "slipway:app.settings_module: found nothing\n"
        "  allowed: the dotted name of a Python module, such as config.settings\n"
        "  mend:    pulumi config set --path 'slipway:app.settings_module' config.settings --stack dev\n"
        'slipway:edge.port: found "web"\n'
        "  allowed: a whole number from 1 to 65535\n"
        "  mend:    pulumi config set --path 'slipway:edge.port' 8080 --stack dev\n"
        "slipway:webb: found a key that is not known\n"
        "  allowed: probably slipway:web\n"
        "  mend:    pulumi config rm 'slipway:webb' --stack dev\n"
        "slipway:redis.resources.memory_mb: found 16\n"
        "  allowed: at least 32, below which redis does not start\n"
        "  mend:    pulumi config set --path 'slipway:redis.resources.memory_mb' 32 --stack dev"
    )
    assert isinstance(error.value, pulumi.RunError)


def test_one_problem_is_counted_as_one() -> None:
    """The first line counts properly, and a long value is cut."""
    with pytest.raises(SettingsError, match=r"^1 problem in the configuration of stack dev\n") as error:
        parse(said({"target": "x" * 200}), "dev")

    assert error.value.problems[0].found == '"' + "x" * 59 + "..."


def test_a_strange_stack_name_is_quoted() -> None:
    """The command that mends something survives the shell."""
    (only,) = problems({"web.replicas": 0}, stack="a b")

    assert only.mend == "pulumi config set --path 'slipway:web.replicas' 2 --stack 'a b'"


# What comes from Pulumi ----------------------------------------------------------------------------------------------


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetConfig]:
    """Give a function that sets the configuration as Pulumi does: text, and the names of the keys with secrets."""
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    before = dict(pulumi.runtime.config.CONFIG.get())
    yield pulumi.runtime.set_all_config
    pulumi.runtime.set_all_config(before, [])


APP = '{"source":"examples/guestbook","settings_module":"config.settings"}'


def test_load_reads_what_pulumi_gives(config: SetConfig) -> None:
    """Structures come as JSON text, single values as they are, and what is not said as empty text."""
    config(
        {
            "slipway:environment": "dev",
            "slipway:domain": "",
            "slipway:app": APP,
            "slipway:web": '{"replicas":2}',
            "slipway:edge": "{}",
            "docker:host": "unix:///var/run/docker.sock",
        },
        [],
    )

    assert settings.load() == check(GOOD | {"web": {"replicas": 2}}, "dev")


def test_load_names_problems_of_values_and_of_files_together(config: SetConfig) -> None:
    """One error holds what is wrong with values, with keys, with secrets, and with the project on disk."""
    config(
        {
            "slipway:environment": "dev",
            "slipway:app": APP.replace("config.settings", "conf.settings"),
            "slipway:web": "hush-hush",
            "slipway:edge": "nginx",
            "slipway:build": '{"ca_bundle":"/nowhere/ca.pem"}',
            "slipway:databse": "hush-hush",
        },
        ["slipway:web"],
    )

    with pytest.raises(SettingsError) as error:
        settings.load()
    assert [each.key for each in error.value.problems] == [
        "slipway:web",
        "slipway:edge",
        "slipway:databse",
        "slipway:app.settings_module",
        "slipway:build.ca_bundle",
    ]
    assert "hush" not in str(error.value)


def test_an_update_needs_the_ssh_agent_and_a_preview_does_not(
    config: SetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for before anything is created, where the build reaches hosts by SSH."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    said = {"slipway:environment": "dev", "slipway:app": APP}
    config({**said, "slipway:dependencies": json.dumps({"ssh_hosts": KNOWN_HOST})}, [])
    with pytest.raises(SettingsError, match="no SSH agent: SSH_AUTH_SOCK is not set"):
        settings.load()
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert settings.load().dependencies.ssh_hosts == [KNOWN_HOST]
    config(said, [])
    assert settings.load().dependencies.ssh_hosts == []


def test_load_reads_the_environment_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown keys are also found where the configuration only stands in PULUMI_CONFIG."""

    def run() -> list[str]:
        pulumi.runtime.set_all_config({}, [])
        with pytest.raises(SettingsError) as error:
            settings.load()
        return [each.key for each in error.value.problems]

    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    given = {"slipway:environment": "dev", "slipway:app": "{}", "slipway:oops": "1"}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(given))

    assert copy_context().run(run) == ["slipway:app.source", "slipway:app.settings_module", "slipway:oops"]


def test_builds_trust_what_the_machine_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CA bundle that this machine's programs use is the default; what a stack says goes before it."""
    monkeypatch.setenv(CA_VARIABLE, "/etc/company.pem")

    resolved = resolve(GOOD, "dev")
    own = resolve(said({"build.ca_bundle": "own.pem"}), "dev")

    assert parse(GOOD, "dev").build.ca_bundle == "/etc/company.pem"
    assert resolved.sources["build", "ca_bundle"] == "from SSL_CERT_FILE"
    assert own.parts["build"].ca_bundle == "own.pem"
    assert own.sources["build", "ca_bundle"] == "stack file"


# Processes -----------------------------------------------------------------------------------------------------------

COMMAND_WORDS = "a list of words, program first, or one line with them; quotes hold words together"


@pytest.mark.parametrize(
    ("written", "command"),
    [
        ("python manage.py worker", ["python", "manage.py", "worker"]),
        ("sh -c 'echo a b'", ["sh", "-c", "echo a b"]),
        (["celery", "-A", "shop", "--concurrency", 2], ["celery", "-A", "shop", "--concurrency", "2"]),
    ],
)
def test_a_process_needs_a_command_alone(written: object, command: list[str]) -> None:
    """Everything else of a process has a default, and one line is as good as a list of words."""
    (found,) = parse(said({"processes": {"worker": {"command": written}}}), "shop").processes.values()

    assert found.model_dump() == {
        "command": command,
        "schedule": None,
        "singleton": False,
        "health_command": None,
        "startup_seconds": 30,
        "replicas": 1,
        "port": None,
        "stop_grace_seconds": 35,
        "resources": {"memory_mb": 256, "cpus": 0.5},
    }


def test_each_value_of_a_process_knows_where_it_comes_from() -> None:
    """What a stack's file says of one process is said of that one alone."""
    processes = {"worker": {"command": "a", "resources": {"cpus": 2}}, "beat": {"command": "b"}}
    resolved = resolve(said({"processes": processes}), "shop")

    assert resolved.problems == ()
    assert resolved.sources["processes", "worker", "resources", "cpus"] == "stack file"
    assert resolved.sources["processes", "worker", "resources", "memory_mb"] == "default"
    assert resolved.sources["processes", "beat", "resources", "cpus"] == "default"
    assert resolved.parts["processes"]["beat"].resources.cpus == 0.5


@pytest.mark.parametrize(
    ("processes", "key", "found", "allowed", "mend"),
    [
        *(
            (
                {"worker": worker},
                "slipway:processes.worker.command",
                found,
                COMMAND_WORDS,
                "pulumi config set --path 'slipway:processes.worker.command' 'python manage.py worker' --stack shop",
            )
            for worker, found in [
                ({"replicas": 2}, "nothing"),
                ({"command": []}, "a list"),
                ({"command": ["a", {"b": 1}]}, "a list"),
                ({"command": "sh -c 'open"}, '"sh -c \'open"'),
            ]
        ),
        (
            {"worker": {"command": "a", "replicas": 0}},
            "slipway:processes.worker.replicas",
            "0",
            "a whole number from 1 to 50",
            "pulumi config set --path 'slipway:processes.worker.replicas' 1 --stack shop",
        ),
        (
            {"worker": {"command": "a", "resources": {"cpus": "x"}}},
            "slipway:processes.worker.resources.cpus",
            '"x"',
            "a number from 0.1 to 256",
            "pulumi config set --path 'slipway:processes.worker.resources.cpus' 0.5 --stack shop",
        ),
        (
            {"worker": {"command": "a", "replica": 2}},
            "slipway:processes.worker.replica",
            "a key that is not known",
            "probably slipway:processes.worker.replicas",
            (
                "pulumi config set --path 'slipway:processes.worker.replicas' 2 --stack shop"
                " && pulumi config rm --path 'slipway:processes.worker.replica' --stack shop"
            ),
        ),
        (
            {"worker": "celery"},
            "slipway:processes.worker",
            '"celery"',
            "values below this key: command, schedule, singleton, health_command, startup_seconds, replicas, port, stop_grace_seconds, resources",
            "pulumi config rm --path 'slipway:processes.worker' --stack shop",
        ),
        (
            {"My Worker": {"command": "a"}},
            'slipway:processes["My Worker"]',
            "a name that is not allowed",
            (
                "any names of 1 to 31 small letters, digits and hyphens, starting with a letter and not ending with a "
                "hyphen, and below each: command, schedule, singleton, health_command, startup_seconds, replicas, port, stop_grace_seconds, resources"
            ),
            "pulumi config rm --path 'slipway:processes[\"My Worker\"]' --stack shop",
        ),
        (
            ["celery"],
            "slipway:processes",
            "a list",
            (
                "any names of 1 to 31 small letters, digits and hyphens, starting with a letter and not ending with a "
                "hyphen, and below each: command, schedule, singleton, health_command, startup_seconds, replicas, port, stop_grace_seconds, resources"
            ),
            "pulumi config rm 'slipway:processes' --stack shop",
        ),
    ],
)
def test_what_is_wrong_with_a_process(processes: object, key: str, found: str, allowed: str, mend: str) -> None:
    """A problem names the process and the key."""
    assert problem("processes", processes) == Problem(key=key, found=found, allowed=allowed, mend=mend)


def test_a_secret_in_a_process_is_refused() -> None:
    """Settings of a process are in clear, as all settings are."""
    (only,) = problems({"processes": {"worker": {"command": "a", "replicas": {"secure": "x"}}}})

    assert only.key == "slipway:processes.worker.replicas"
    assert only.found == "a secret (not shown)"


# Targets -------------------------------------------------------------------------------------------------------------

CLUSTER = {"target": "kubernetes", "kubernetes.registry": "registry.example.org/team"}


def test_a_target_and_a_registry_make_a_stack_of_a_cluster() -> None:
    """Nothing else has to be said."""
    found = parse(said(CLUSTER), "shop").kubernetes

    assert (found.namespace, found.registry, found.expose) == ("guestbook-shop", "registry.example.org/team", "none")


@pytest.mark.parametrize(("target", "registry"), [("kubernetes", "127.0.0.1:5000"), ("docker", None)])
def test_the_registry_of_a_machine(monkeypatch: pytest.MonkeyPatch, target: str, registry: str | None) -> None:
    """A variable of the machine names the registry, where the target needs one."""
    monkeypatch.setenv(REGISTRY_VARIABLE, "127.0.0.1:5000")
    resolved = resolve(said({"target": target}), "shop")

    assert parse(said({"target": target}), "shop").kubernetes.registry == registry
    assert resolved.sources["kubernetes", "registry"] == ("from SLIPWAY_REGISTRY" if registry else "default")


@pytest.mark.parametrize(
    ("stack", "namespace"),
    [("prod", "guestbook-prod"), ("review_7", "guestbook-review-7"), ("A.b", "guestbook-a-b"), ("x" * 80, None)],
)
def test_the_namespace_follows_from_the_names(stack: str, namespace: str | None) -> None:
    """Whatever a stack is called, its namespace has a valid name."""
    found = parse(said(CLUSTER), stack).kubernetes.namespace

    assert found == (namespace or f"guestbook-{'x' * 53}")


@pytest.mark.parametrize("said_name", ["shop", "other-namespace"])
def test_the_namespace_that_is_said(said_name: str) -> None:
    """A stack may live elsewhere."""
    assert parse(said({**CLUSTER, "kubernetes.namespace": said_name}), "shop").kubernetes.namespace == said_name


ELSEWHERE = "with target kubernetes: slipway:kubernetes.expose says how visitors reach the edge"


@pytest.mark.parametrize(
    ("changes", "key", "found", "allowed"),
    [
        ({**CLUSTER, "edge.port": 8080}, "edge.port", "a setting for target docker", ELSEWHERE),
        ({**CLUSTER, "edge.address": "127.0.0.1"}, "edge.address", "a setting for target docker", ELSEWHERE),
        (
            {"kubernetes.expose": "none"},
            "kubernetes",
            "a setting for target kubernetes",
            "with target docker: nothing below this key",
        ),
        (
            {"kubernetes.storage.media_gb": 2, "kubernetes.autoscale.max": 3},
            "kubernetes",
            "a setting for target kubernetes",
            "with target docker: nothing below this key",
        ),
        (
            {"postgres.provider": "cloudnative-pg"},
            "postgres.provider",
            '"cloudnative-pg", which is for target kubernetes',
            "with target docker: one of slipway, external",
        ),
        (
            {"volumes.indexes": {"path": "/srv/indexes", "size_gb": 2}},
            "volumes.indexes.size_gb",
            "a setting for target kubernetes",
            "with target docker: nothing: a volume is as large as the disk of the host",
        ),
    ],
)
def test_what_is_said_for_another_target_is_refused(
    changes: dict[str, Any], key: str, found: str, allowed: str
) -> None:
    """A setting that would do nothing is an error; its default is not."""
    path = f"--path 'slipway:{key}'" if "." in key else f"'slipway:{key}'"

    assert problems(changes) == [
        Problem(key=f"slipway:{key}", found=found, allowed=allowed, mend=f"pulumi config rm {path} --stack shop")
    ]


@pytest.mark.parametrize(
    ("changes", "key", "found", "allowed", "mend"),
    [
        (
            {"kubernetes.registry": None},
            "registry",
            "nothing",
            (
                "a registry and a path in it, without a tag, such as registry.example.org/team or 127.0.0.1:5000; the "
                "cluster pulls the app's image from it (SLIPWAY_REGISTRY in the environment says it too)"
            ),
            "--path 'slipway:kubernetes.registry' registry.example.org/team",
        ),
        (
            {"kubernetes.expose": "gateway"},
            "gateway",
            "nothing",
            "NAMESPACE/NAME of a Gateway, such as gateways/public; slipway:kubernetes.expose is gateway",
            "--path 'slipway:kubernetes.gateway' gateways/public",
        ),
        (
            {"kubernetes.expose": "ingress", "kubernetes.tls": "cert_manager"},
            "issuer",
            "nothing",
            (
                "the name of an object of the cluster: small letters, digits, hyphens and dots; slipway:kubernetes.tls is "
                "cert_manager"
            ),
            "--path 'slipway:kubernetes.issuer' letsencrypt",
        ),
        (
            {"kubernetes.tls": "secret", "kubernetes.expose": "node_port"},
            "tls",
            '"secret"',
            "none, since TLS ends in an Ingress or a Gateway and slipway:kubernetes.expose is node_port",
            "--path 'slipway:kubernetes.expose' ingress",
        ),
        (
            {"kubernetes.autoscale.min": 11},
            "autoscale.max",
            "10",
            "at least slipway:kubernetes.autoscale.min (11)",
            "--path 'slipway:kubernetes.autoscale.max' 11",
        ),
        (
            {"kubernetes.instances": 3},
            "instances",
            "3",
            "1, unless slipway:postgres.provider is cloudnative-pg",
            "--path 'slipway:postgres.provider' cloudnative-pg",
        ),
    ],
)
def test_what_does_not_fit_together_on_a_cluster(
    changes: dict[str, Any], key: str, found: str, allowed: str, mend: str
) -> None:
    """Settings that contradict each other are refused with the one that mends it."""
    together = {**CLUSTER, **changes}
    if together["kubernetes.registry"] is None:
        del together["kubernetes.registry"]

    assert problems(together) == [
        Problem(
            key=f"slipway:kubernetes.{key}",
            found=found,
            allowed=allowed,
            mend=f"pulumi config set {mend} --stack shop",
        )
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kubernetes.registry", "team"),
        ("kubernetes.registry", "registry.example.org/team:1"),
        ("kubernetes.registry", "https://registry.example.org"),
        ("kubernetes.namespace", "Shop"),
        ("kubernetes.gateway", "public"),
        ("kubernetes.expose", "nodeport"),
        ("kubernetes.tls", True),
        ("kubernetes.storage.shared_access", "RWX"),
        ("kubernetes.autoscale.cpu_percent", 101),
        ("kubernetes.context", "a\nb"),
    ],
)
def test_wrong_values_of_a_cluster(path: str, value: object) -> None:
    """Each is named by its key, with a command that mends it."""
    (only,) = problems({**CLUSTER, path: value})

    assert only.key == f"slipway:{path}"
    assert only.mend.startswith(f"pulumi config set --path 'slipway:{path}' ")


@pytest.mark.parametrize("registry", ["127.0.0.1:5000", "localhost/a", "registry.example.org", "ghcr.io/me/my_apps"])
def test_registries(registry: str) -> None:
    """A registry is a host that looks like one, with a path or without."""
    assert parse(said({**CLUSTER, "kubernetes.registry": registry}), "shop").kubernetes.registry == registry


def test_what_applies_to_a_target() -> None:
    """A target has every setting but those of another one."""
    here = {key.name for key in KEYS.values() if applies(key.path, Target.DOCKER)}
    there = {key.name for key in KEYS.values() if applies(key.path, Target.KUBERNETES)}

    assert {name for name in here ^ there if not name.startswith("slipway:kubernetes")} == {
        "slipway:edge.address",
        "slipway:edge.gateway",
        "slipway:edge.port",
        "slipway:review.gateway",
        "slipway:review.gateway.address",
        "slipway:review.gateway.image",
        "slipway:review.gateway.name",
        "slipway:review.gateway.port",
        "slipway:review.gateway.resources",
        "slipway:review.gateway.resources.cpus",
        "slipway:review.gateway.resources.memory_mb",
        "slipway:services.NAME.size_gb",
        "slipway:volumes.NAME.size_gb",
    }
    assert "slipway:kubernetes.expose" in there - here
    assert "slipway:postgres.provider" in here & there


@pytest.mark.parametrize(
    ("changes", "key", "found", "allowed", "mend"),
    [
        (
            {"web.server": "hypercorn"},
            "slipway:web.server",
            '"hypercorn"',
            "one of gunicorn, gunicorn_asgi, uvicorn, daphne",
            "config set --path 'slipway:web.server' uvicorn --stack shop",
        ),
        (
            {"web.server": "daphne", "web.worker_class": "gevent"},
            "slipway:web.worker_class",
            '"gevent"',
            "nothing, since daphne has no such classes",
            "config rm --path 'slipway:web.worker_class' --stack shop",
        ),
        (
            {"web.command": "granian", "web.worker_class": "gevent"},
            "slipway:web.worker_class",
            '"gevent"',
            "nothing, since slipway:web.command says what runs",
            "config rm --path 'slipway:web.worker_class' --stack shop",
        ),
        (
            {"health.check": "command"},
            "slipway:health.command",
            "nothing",
            (
                "a list of words, program first, or one line with them; quotes hold words together; "
                "slipway:health.check is command"
            ),
            "config set --path 'slipway:health.command' 'python manage.py check --database default' --stack shop",
        ),
        (
            {"health.command": "python check.py"},
            "slipway:health.command",
            "a list",
            "nothing, unless slipway:health.check is command",
            "config set --path 'slipway:health.check' command --stack shop",
        ),
        (
            {"health.check": "tcp", "health.startup_path": "/ready"},
            "slipway:health.startup_path",
            '"/ready"',
            "nothing, unless slipway:health.check is page",
            "config set --path 'slipway:health.check' page --stack shop",
        ),
        (
            {"health.status": "299-200"},
            "slipway:health.status",
            "299-200, a range that ends before it begins",
            "numbers from 100 to 599, or ranges of them, with commas between, such as 200-299,401",
            "config set --path 'slipway:health.status' 200-299 --stack shop",
        ),
        (
            {"health.status": "ok"},
            "slipway:health.status",
            '"ok"',
            "numbers from 100 to 599, or ranges of them, with commas between, such as 200-299,401",
            "config set --path 'slipway:health.status' 200-299,401 --stack shop",
        ),
        (
            {"processes": {"beat": {"command": "celery", "singleton": True, "replicas": 2}}},
            "slipway:processes.beat.replicas",
            "2",
            "1, since slipway:processes.beat.singleton lets there be one",
            "config set --path 'slipway:processes.beat.replicas' 1 --stack shop",
        ),
        (
            {"processes": {"night": {"command": "a", "schedule": "0 3 * * *", "replicas": 2}}},
            "slipway:processes.night.replicas",
            "2",
            "1, since slipway:processes.night.schedule lets there be one",
            "config set --path 'slipway:processes.night.replicas' 1 --stack shop",
        ),
        (
            {"processes": {"night": {"command": "a", "schedule": "0 3 * * *", "port": 9000}}},
            "slipway:processes.night.port",
            "9000",
            "nothing, since it does not run all the time (slipway:processes.night.schedule)",
            "config rm --path 'slipway:processes.night.port' --stack shop",
        ),
        (
            {"processes": {"night": {"command": "a", "schedule": "0 3 * * *", "health_command": "b"}}},
            "slipway:processes.night.health_command",
            "a command",
            "nothing, since it does not run all the time (slipway:processes.night.schedule)",
            "config rm --path 'slipway:processes.night.health_command' --stack shop",
        ),
        (
            {"processes": {"night": {"command": "a", "schedule": "0 25 * * *"}}},
            "slipway:processes.night.schedule",
            '"0 25 * * *"',
            "minute hour day month weekday, each of numbers, * - , and /, such as 0 3 * * * for three in the night",
            "config set --path 'slipway:processes.night.schedule' '0 3 * * *' --stack shop",
        ),
        (
            {"release.once": {"Seed": "echo"}},
            "slipway:release.once.Seed",
            "a name that is not allowed",
            "NAME: command line pairs, each name of small letters, digits, hyphens and _",
            "config rm --path 'slipway:release.once.Seed' --stack shop",
        ),
    ],
)
def test_what_does_not_go_together_in_processes(
    changes: dict[str, object], key: str, found: str, allowed: str, mend: str
) -> None:
    """What serves, what is asked and what runs beside it are checked against one another."""
    (only,) = problems(changes)
    assert only == Problem(key=key, found=found, allowed=allowed, mend=f"pulumi {mend}")


def test_known_hosts_are_what_a_scan_says() -> None:
    """A text of several lines is the list of them, without remarks; names may be hashed, marked, or with a port."""
    key = KNOWN_HOST.partition(" ")[2]
    lines = [
        f"[git.example.org]:2222,192.0.2.1 {key}",
        f"|1|abc=|def= {key} a remark",
        f"@cert-authority *.a.org {key}",
    ]
    text = "\n".join(["# git.example.org:22 SSH-2.0-OpenSSH_10.0", *lines, ""])
    assert parse(said({"dependencies.ssh_hosts": text}), "dev").dependencies.ssh_hosts == lines
    assert parse(said({"dependencies.ssh_hosts": lines}), "dev").dependencies.ssh_hosts == lines
