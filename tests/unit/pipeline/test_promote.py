"""Promotion: what is refused, what is told, and what is written and run."""

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import docker.errors
import pytest

from components import settings as stack_settings
from components.keys import KEYS
from components.model import Settings
from components.problems import SettingsError
from components.settings import parse
from pipeline import targets, up
from pipeline.console import PipelineError
from pipeline.data.process import Done
from pipeline.engine import Engine
from pipeline.host import check
from pipeline.promote import built, command, inside, migrations, registry
from pipeline.promote.migrations import Migrations
from pipeline.target import BROKEN, NOTE, OK, Finding
from tests.sample import settings
from tests.unit.pipeline.fake_pulumi import Fake, printed

IMAGE = f"sha256:{'1' * 64}"
RELEASE = "0123456789ab"
NAMES = "staging", "prod"

FOUND = Migrations(
    plan=["auth.0001_initial", "shop.0001_squashed", "shop.0003_price"],
    known=frozenset({"auth.0001_initial", "shop.0001_squashed", "shop.0003_price"}),
    replaces={"shop.0001_squashed": ["shop.0001_initial", "shop.0002_more"]},
    applied=frozenset({"auth.0001_initial", "shop.0001_squashed", "shop.0003_price"}),
)


# What goes into the image -----------------------------------------------------------------------------------------------


def test_stacks_that_build_alike() -> None:
    """What only one of them runs with is no reason to refuse."""
    other = settings({"environment": "review", "web": {"replicas": 3}, "build": {"ca_bundle": "README.md"}})

    assert built.differences(settings(), other, NAMES) == []
    assert built.notes(settings(), other, NAMES) == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"app": {"python": "3.12"}}, 'slipway:app.python: staging says "3.13", prod says "3.12"'),
        (
            {"build": {"runtime_packages": "gettext"}},
            "slipway:build.runtime_packages: staging says nothing, prod says gettext",
        ),
        ({"build": {"environment": {"A": "1"}}}, "slipway:build.environment: staging says nothing, prod says A=1"),
        ({"dependencies": {"extras": "s3"}}, "slipway:dependencies.extras: staging says nothing, prod says s3"),
        ({"web": {"server": "uvicorn"}}, 'slipway:web.server: staging says "gunicorn", prod says "uvicorn"'),
        ({"media": {"root": "/srv/m"}}, "folders of uploads and volumes: staging has /app/media, prod has /srv/m"),
    ],
)
def test_stacks_that_build_differently(said: dict[str, Any], found: str) -> None:
    """Each setting of the image in which they differ is named, with both values."""
    assert found in [each.found for each in built.differences(settings(), settings(said), NAMES)]


def test_what_the_project_saw_while_it_was_built() -> None:
    """Another environment is usual, and told."""
    assert built.notes(settings(), settings({"app": {"environment": {"A": "1"}}}), NAMES) == [
        "slipway:app.environment: those of staging were there while static files were collected; prod runs with its own"
    ]


def test_every_setting_of_the_image_is_a_setting() -> None:
    """No key is misspelled, and none of a group is forgotten."""
    keys = [*built.into_the_image(), *built.WHILE_BUILT]
    assert set(keys) <= set(KEYS)
    assert ("build", "commands") in keys
    assert ("build", "ca_bundle") not in keys


# Migrations -------------------------------------------------------------------------------------------------------------


def test_a_database_that_is_at_its_image() -> None:
    """Nothing is pending and nothing is lacking; what a squashed one replaces counts for it."""
    old = FOUND.applied - {"shop.0001_squashed"} | {"shop.0001_initial", "shop.0002_more"}

    assert migrations.of_the_source(FOUND, "staging") == []
    assert FOUND.pending(old) == []
    assert FOUND.lacking(old) == []


def test_a_source_whose_database_is_behind_or_ahead() -> None:
    """Both are refused by name."""
    behind = Migrations(**{**vars(FOUND), "applied": frozenset({"auth.0001_initial"})})
    ahead = Migrations(**{**vars(FOUND), "applied": FOUND.applied | {"shop.0004_new", "gone.0001_initial"}})

    assert [each.lines() for each in migrations.of_the_source(behind, "staging")] == [
        [
            "stack staging: its image has migrations that its database has not: shop.0001_squashed, shop.0003_price",
            "  allowed: a release whose migrations have run",
            "  mend:    make up STACK=staging",
        ]
    ]
    assert [each.found for each in migrations.of_the_source(ahead, "staging")] == [
        "stack staging: its database has migrations that the image lacks: shop.0004_new"
    ]


def test_a_target_that_is_newer() -> None:
    """Older code does not know what a newer migration has changed."""
    [refused] = migrations.of_the_target(FOUND, {"shop.0004_new"}, *NAMES)

    prune = "for squashed migrations whose files are gone: python manage.py migrate shop --prune"
    assert refused.lines() == [
        "stack prod: its database has, unlike the image of stack staging, migrations that the image lacks: shop.0004_new",
        "  allowed: an image with every migration of the database: older code does not know what a newer one has changed",
        f"  mend:    promote a newer release; or, {prune}",
    ]
    assert migrations.of_the_target(FOUND, {"shop.0001_initial"}, *NAMES) == []


DJANGO = """
import sys, types
def module(name, **content):
    made = types.ModuleType(name)
    vars(made).update(content)
    sys.modules[name] = made
class Graph:
    def leaf_nodes(self): return [("shop", "0002"), ("auth", "0001")]
    def forwards_plan(self, leaf): return [("auth", "0001"), ("shop", "0001"), leaf]
class Migration:
    def __init__(self, replaces=()): self.replaces = list(replaces)
class Loader:
    def __init__(self, connection):
        self.graph = Graph()
        self.disk_migrations = {("auth", "0001"): Migration(), ("shop", "0002"): Migration([("shop", "0000")])}
        self.applied_migrations = {("auth", "0001"): 1}
module("django", setup=lambda: print("noise of a project"))
module("django.db", connection=None)
module("django.db.migrations")
module("django.db.migrations.loader", MigrationLoader=Loader)
"""


class Processes:
    """Made-up processes."""

    def __init__(self, told: bytes = b"", code: int = 0, release: str = RELEASE, image: str = IMAGE) -> None:
        self._done = Done(code, told, "Traceback:\n  x\ndjango.db.utils.OperationalError: a secret\n")
        self.release, self.image = release, image
        self.asked: list[list[str]] = []

    def run(self, component: str, command: list[str], **_: object) -> Done:
        """Give what was made up."""
        self.asked.append([component, *command[:2]])
        return self._done


def told(found: Migrations = FOUND) -> bytes:
    """What the program inside prints."""
    content = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in vars(found).items()}
    return f"noise\n{inside.MARK}{json.dumps(content)}\n".encode()


def test_the_program_inside_tells_them() -> None:
    """It needs nothing but Django, and prints one line whatever the project prints beside."""
    source = DJANGO + migrations.SOURCE.read_text()
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=True, timeout=60)
    processes: Any = Processes(done.stdout)

    assert migrations.ask(processes, settings(), "staging") == Migrations(
        plan=["auth.0001", "shop.0001", "shop.0002"],
        known=frozenset({"auth.0001", "shop.0002"}),
        replaces={"shop.0002": ["shop.0000"]},
        applied=frozenset({"auth.0001"}),
    )
    assert processes.asked == [["web", "python", "-c"]]


def test_a_process_that_does_not_tell() -> None:
    """Its words are not shown: a database that does not answer names its password now and then."""
    processes: Any = Processes(b"", 1)

    with pytest.raises(PipelineError) as refused:
        migrations.ask(processes, settings(), "staging")

    assert str(refused.value) == (
        "the web process of stack staging does not tell its migrations (django.db.utils.OperationalError)\n"
        "  allowed: a Django project whose database answers; its last words may hold a secret and are not shown\n"
        "  mend:    python -m pipeline doctor staging"
    )


# The setting --------------------------------------------------------------------------------------------------------------


def test_a_promoted_stack_needs_no_project() -> None:
    """Nothing of the project is looked at: it may not even be there."""
    said = {
        "environment": "dev",
        "app": {"name": "shop", "source": "nowhere/at/all", "settings_module": "config.settings"},
        "promoted": {"image": IMAGE, "release": RELEASE, "stack": "staging"},
    }

    assert stack_settings.check(said, "dev").promoted.image == IMAGE


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"release": RELEASE}, 'slipway:promoted.release: found "0123456789ab"'),
        ({"image": IMAGE}, "slipway:promoted.release: found nothing"),
        ({"image": "shop:1", "release": RELEASE}, 'slipway:promoted.image: found "shop:1"'),
    ],
)
def test_half_a_promotion_is_refused(said: dict[str, str], found: str) -> None:
    """Image and release come together, and the image by its digest."""
    with pytest.raises(SettingsError, match=found):
        settings({"promoted": said})


def test_a_cluster_cannot_take_an_image_of_a_host() -> None:
    """It pulls from a registry."""
    with pytest.raises(SettingsError) as refused:
        settings(
            {
                "target": "kubernetes",
                "kubernetes": {"registry": "r.example.org"},
                "promoted": {"image": IMAGE, "release": RELEASE, "stack": "staging"},
            }
        )

    assert "an image of one Docker host" in str(refused.value)
    assert "python -m pipeline promote staging test --registry registry.example.org/team" in str(refused.value)


def test_an_image_that_the_host_has_not() -> None:
    """It is said before anything is changed."""

    class Images:
        def get(self, name: str) -> None:
            raise docker.errors.ImageNotFound(name)

    client: Any = argparse.Namespace(images=Images())
    loaded = settings({"promoted": {"image": IMAGE, "release": RELEASE, "stack": "staging"}})

    [refused] = check.promoted(client, loaded, "prod")

    assert refused.lines() == [
        f"slipway:promoted.image: this Docker host has no image {IMAGE} (release 0123456789ab of stack staging)",
        "  allowed: the Docker host that the image ran on, or an image in a registry",
        "  mend:    python -m pipeline promote staging prod",
        "           pulumi config rm slipway:promoted --stack prod   # builds from the project again",
    ]
    assert check.promoted(client, settings(), "prod") == []


# The command --------------------------------------------------------------------------------------------------------------


def exported(image: str = IMAGE, *more: dict[str, Any]) -> str:
    """A state of a stack that runs the release."""
    resources = [
        {"type": "pulumi:pulumi:Stack", "urn": "a::b", "outputs": {"release": RELEASE}},
        {"type": "slipway:docker:AppImage", "urn": "a::app", "outputs": {"id": image}},
        *more,
    ]
    return json.dumps({"deployment": {"resources": resources}})


STACK = """\
config:
  slipway:environment: dev
  slipway:app: {name: shop, source: nowhere, settings_module: config.settings}
"""


@pytest.fixture
def world(engine_for: Callable[[str], Engine], fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Two stacks, and the command on them; what is up is made up."""
    engine = engine_for("staging")
    processes = {"staging": Processes(told()), "prod": Processes(told())}
    finding = Finding("web", OK, "well")
    for name in processes:
        (engine.root / "stacks" / f"Pulumi.{name}.yaml").write_text(STACK)
    fake.when("stack export --stack staging", exported())
    fake.when("stack export --stack prod", exported("sha256:2"))
    fake.when("config set")

    @contextlib.contextmanager
    def opened(which: Engine, _settings: Settings) -> Iterator[Processes]:
        yield processes[which.stack]

    def bring(which: Engine) -> None:
        engine.console.say(f"up {which.stack}")

    def make(name: str, _console: object, environ: dict[str, str] | None = None) -> Engine:
        made = engine_for(name)
        return Engine(name, engine.console, made.root, environ or made.environ, made.program)

    def run(
        findings: list[Finding] | None = None,
        staging: Processes | None = None,
        prod: Processes | None = None,
        **arguments: object,
    ) -> int:
        processes.update({name: each for name, each in (("staging", staging), ("prod", prod)) if each})
        target = argparse.Namespace(
            running=lambda *_: findings or [finding], served=lambda *_: [Finding("page", OK, "well")]
        )
        monkeypatch.setattr(targets, "of_state", lambda *_: target)
        given = {"source": "staging", "stack": "prod", "plan_only": False, "no_up": False, "registry": None}
        return command.run(argparse.Namespace(**{**given, "to_host": None, **arguments}), engine.console)

    monkeypatch.setattr(command, "Engine", make)
    monkeypatch.setattr(command, "OPEN", {"docker": opened})
    monkeypatch.setattr(up, "bring", bring)
    run.console = engine  # type: ignore[attr-defined]  # for those who read what was printed
    return run


def said(world: Callable[..., int]) -> list[str]:
    """What was printed."""
    return printed(world.console).splitlines()  # type: ignore[attr-defined]  # as the fixture has it


def sets(fake: Fake) -> list[str]:
    """What was written."""
    return [call for call in fake.calls if call.startswith("config")]


def test_promoting(world: Callable[..., int], fake: Fake) -> None:
    """Both are asked, the image is written, and the stack is brought up."""
    behind = Migrations(**{**vars(FOUND), "applied": frozenset({"auth.0001_initial"})})

    assert world(prod=Processes(told(behind), release="ba9876543210")) == 0

    *lines, took = said(world)
    assert took.startswith("Time:   ask ")
    assert lines == [
        "==> Ask stack staging, and hold stack prod against it",
        f"Release 0123456789ab of stack staging: {IMAGE}",
        "    stack prod runs release ba9876543210; migrations that it will run in prod: shop.0001_squashed, shop.0003_price",
        "stacks/Pulumi.prod.yaml names it, under slipway:promoted: commit it.",
        "up prod",
    ]
    assert sets(fake) == [
        f"config set --path slipway:promoted.image {IMAGE} --stack prod",
        "config set --path slipway:promoted.release 0123456789ab --stack prod",
        "config set --path slipway:promoted.stack staging --stack prod",
    ]


def test_only_a_plan_and_only_the_file(world: Callable[..., int], fake: Fake) -> None:
    """The one writes nothing, the other runs nothing."""
    assert world(plan_only=True) == 0
    assert sets(fake) == []
    assert said(world)[-1] == "Nothing was written. Without --plan-only, stack prod runs it."

    assert world(no_up=True) == 0
    assert len(sets(fake)) == 3
    assert "up prod" not in said(world)


def test_a_stack_that_was_never_up(world: Callable[..., int], fake: Fake) -> None:
    """It begins with every migration."""
    fake.when("stack export --stack prod", "{}")

    assert world(plan_only=True) == 0
    assert "    stack prod was never up: it begins with every migration of the image (3)" in said(world)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (
            {"findings": [Finding("web", BROKEN, "shop-staging-web-1 is unhealthy")]},
            "stack staging: web: shop-staging-web-1 is unhealthy",
        ),
        (
            {"findings": [Finding("web", OK, "web-1 is ready"), Finding("web", NOTE, "web-2 is starting", "wait")]},
            "stack staging: web: web-2 is starting",
        ),
        (
            {"staging": Processes(told(), image="sha256:9")},
            f"its web processes run release 0123456789ab (sha256:9), and its last update was to 0123456789ab ({IMAGE})",
        ),
        ({"stack": "staging"}, "stack staging runs its own image already"),
        ({"to_host": "ssh://prod"}, "--to-host without --registry"),
        (
            {"prod": Processes(told(Migrations(**{**vars(FOUND), "applied": frozenset({"shop.0009_new"})})))},
            "stack prod: its database has, unlike the image of stack staging, migrations that the image lacks: shop.0009_new",
        ),
        (
            {"staging": Processes(told(Migrations(**{**vars(FOUND), "applied": frozenset()})))},
            "stack staging: its image has migrations that its database has not: auth.0001_initial, shop.0001_squashed",
        ),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], found: str, world: Callable[..., int], fake: Fake) -> None:
    """And nothing is written then."""
    with pytest.raises(PipelineError) as refused:
        world(**arguments)

    assert found in str(refused.value)
    assert sets(fake) == []


def test_a_release_that_is_not_there_as_a_whole(world: Callable[..., int], fake: Fake) -> None:
    """What a failed update left tells that it failed."""
    fake.when("stack export --stack staging", exported(IMAGE, {"type": "x", "urn": "a::old", "delete": True}))

    with pytest.raises(PipelineError) as refused:
        world()

    assert str(refused.value) == (
        "stack staging: its last update did not end well\n"
        "  allowed: a release that is up as a whole\n"
        "  mend:    make up STACK=staging"
    )


# The registry -------------------------------------------------------------------------------------------------------------


class Registry:
    """A made-up daemon that pushes."""

    def __init__(self, *lines: dict[str, Any]) -> None:
        self.images = self.api = self
        self._lines = lines
        self.tags: list[tuple[str, str]] = []

    def get(self, _name: str) -> "Registry":
        """Give the image."""
        return self

    def tag(self, repository: str, tag: str) -> None:
        """Name it."""
        self.tags.append((repository, tag))

    def push(self, *_: object, **__: object) -> tuple[dict[str, Any], ...]:
        """Say how it goes."""
        return self._lines


def pushed(engine: Engine, monkeypatch: pytest.MonkeyPatch, client: Registry, image: str = IMAGE) -> str:
    """Push to it."""
    monkeypatch.setattr(registry, "daemon", lambda _environ: contextlib.nullcontext(client))
    return registry.push(engine, image, "r.example.org/team/shop", RELEASE)


def test_an_image_is_named_by_its_digest(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its tag comes to mean later. What has a digest already is in a registry."""
    client = Registry({"status": "Pushed"}, {"aux": {"Digest": IMAGE}})

    assert pushed(engine, monkeypatch, client) == f"r.example.org/team/shop@{IMAGE}"
    assert client.tags == [("r.example.org/team/shop", RELEASE)]
    assert pushed(engine, monkeypatch, client, f"a/b@{IMAGE}") == f"a/b@{IMAGE}"


def test_a_registry_that_refuses(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words are given on."""
    with pytest.raises(PipelineError) as refused:
        pushed(engine, monkeypatch, Registry({"error": "no basic auth credentials"}))

    assert str(refused.value) == (
        "the registry did not take r.example.org/team/shop:0123456789ab: no basic auth credentials\n"
        "  allowed: a registry that this Docker host may push to\n"
        "  mend:    docker login r.example.org"
    )


def test_settings_of_a_promoted_stack_are_typed() -> None:
    """The file of a stack says it in three words."""
    loaded = parse(
        {
            "environment": "dev",
            "app": {"name": "shop", "source": "nowhere", "settings_module": "config.settings"},
            "promoted": {"image": f"r.example.org:5000/team/shop@{IMAGE}", "release": RELEASE, "stack": "staging"},
        },
        "prod",
    )

    assert loaded.promoted.model_dump() == {
        "image": f"r.example.org:5000/team/shop@{IMAGE}",
        "release": RELEASE,
        "stack": "staging",
    }
