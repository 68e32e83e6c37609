"""Finds out which migrations a release brings, and their SQL, in its built image, on a database that is thrown away.

The database is brought to where the release that runs is, by the image that runs. Then the new image is asked what is
left (`manage.py showmigrations --plan`), and for each migration what it would tell the database (`sqlmigrate`) before it
is applied. Nothing of the stack is asked, and no secret is needed. The database of the stack may hold less or more than
the release that runs brought; then this is not what an update would do, and the update says so.
"""

import json
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import docker
import docker.errors
from docker.models.containers import Container

from components import datastores, environment
from components.deployment import DATABASE
from components.environment import has_database
from components.model import Settings
from pipeline.check import plan
from pipeline.check.ask import MEMORY_MB, Told, ask
from pipeline.console import problem
from pipeline.engine import Engine
from pipeline.host import throwaway
from pipeline.host.check import daemon
from pipeline.preview.migration import Migration, Migrations

LABEL = "slipway.preview"
HOST = "database"
"""How the database is called on its network."""

_READY_SECONDS = 60
_MANAGE = ("python", "manage.py")
_MIGRATE = (*_MANAGE, "migrate", "--no-input", "--no-color")
_PLAN = (*_MANAGE, "showmigrations", "--plan", "--no-color")
_PENDING = r"^\[ \]\s+([A-Za-z_]\w*)\.(\w+)"
_SQL = (*_MANAGE, "sqlmigrate", "--no-color", "{0}", "{1}")
_APPLY = (*_MIGRATE, "{0}", "{1}")


Step = dict[str, str | bool | Sequence[str] | Sequence[Sequence[str]]]
"""One step, as the program in the image reads it."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database that is thrown away."""

    network: str
    """The network that it alone is on."""
    url: str
    """Its address there."""


def migrations(engine: Engine, settings: Settings, image: str, running: str) -> Migrations:
    """Find out what a release tells the database.

    Args:
        engine: how the daemon is reached.
        settings: the stack.
        image: the image of the release, on this machine.
        running: the image that runs now; empty where none does.
    """
    if not has_database(settings):
        return Migrations(unknown="slipway:postgres.provider is none, so the database is the project's own affair")
    if running and not _is_here(engine, running):
        return Migrations(unknown=f"{running}, which runs now, is not on this machine to compare with")
    with database(engine, settings) as made:
        if running:
            said = _ask(engine, settings, running, made, {"name": "migrate", "command": _MIGRATE})
            if not _good(said):
                return Migrations(unknown=f"{running} cannot be brought up on an empty database: {_last(said)}")
        step: Step = {
            "name": "showmigrations --plan",
            "command": _PLAN,
            "lines": _PENDING,
            "commands": [_SQL, _APPLY] if running else [],
        }
        said = _ask(engine, settings, image, made, step)
    if not said or said[0].code:
        return Migrations(unknown=f"`manage.py showmigrations --plan` failed in the image: {_last(said[:1])}")
    against = "the release that runs now" if running else "an empty database"
    return Migrations(pending=pending(said), against=against, unknown="" if _good(said) else _broken(said))


def pending(said: list[Told]) -> tuple[Migration, ...]:
    """Give the migrations that are not applied, with their SQL where that was asked."""
    sql = {tuple(each.name.split()[-2:]): each.said for each in said[1:] if " sqlmigrate " in each.name}
    names = re.findall(_PENDING, said[0].said, re.MULTILINE)
    return tuple(Migration(name=f"{app}.{name}", sql=sql.get((app, name), "")) for app, name in names)


def _good(said: list[Told]) -> bool:
    return bool(said) and not any(each.code for each in said)


def _last(said: list[Told]) -> str:
    lines = [line for each in said for line in each.said.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def _broken(said: list[Told]) -> str:
    broken = next(each for each in said if each.code)
    return f"`{' '.join(broken.name.split()[1:])}` failed, on a database without rows: {_last([broken])}"


def _ask(engine: Engine, settings: Settings, image: str, made: Database, step: Step) -> list[Told]:
    engine.console.say(f"    in {image}: manage.py {step['name']}")
    release = image.rpartition(":")[2]
    return ask(
        engine,
        image,
        json.dumps(
            {
                "seconds": plan.SECONDS,
                "files": dict(plan.files(settings, release, made.url)),
                "steps": [{"gates": True, **step}],
            }
        ),
        plan.variables(settings, release, made.url),
        writable=plan.uploads(settings),
        memory_mb=max(MEMORY_MB, settings.web.resources.memory_mb),
        heard=lambda _: None,
        network=made.network,
    )


def _is_here(engine: Engine, image: str) -> bool:
    with daemon(engine.environ) as client:
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            return False
        return True


@contextmanager
def fetched(engine: Engine, image: str) -> Iterator[None]:
    """Have an image here for a while, if a registry of one's own has it: a cluster's are nowhere else."""
    if "/" not in image or _is_here(engine, image):
        yield
        return
    engine.console.say(f"    fetches {image}, which runs now")
    with daemon(engine.environ) as client:
        try:
            client.images.pull(image)
        except docker.errors.APIError:  # the report says that it is not here
            yield
            return
        try:
            yield
        finally:
            with suppress(docker.errors.APIError):
                client.images.remove(image)


@contextmanager
def database(engine: Engine, settings: Settings) -> Iterator[Database]:
    """Give a database on a network that leads nowhere. Both are gone afterwards, with what was in memory."""
    name = f"slipway-preview-{engine.stack}-{secrets.token_hex(4)}"
    password = secrets.token_hex(16)
    image = settings.postgres.image
    labels = throwaway.labels(LABEL, engine.stack)
    with daemon(engine.environ) as client:
        _pull(client, image)
        network = client.networks.create(name, driver="bridge", internal=True, labels=labels)
        try:
            container = client.containers.create(
                image,
                name=name,
                environment={"POSTGRES_USER": DATABASE, "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD": password},
                command=["postgres", "-c", "fsync=off"],
                labels=labels,
                network=name,
                tmpfs={datastores.POSTGRES_DATA: "size=512m"},
                mem_limit="768m",
                memswap_limit="768m",
                security_opt=["no-new-privileges:true"],
            )
            try:
                network.disconnect(container)
                network.connect(container, aliases=[HOST])
                container.start()
                _wait(container)
                yield Database(network=name, url=environment.database_url(password, HOST, 5432, DATABASE))
            finally:
                container.remove(force=True, v=True)
        finally:
            with suppress(docker.errors.APIError):
                network.remove()


def _pull(client: "docker.DockerClient", image: str) -> None:
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(image)
        except docker.errors.APIError as error:
            raise problem(
                f"slipway:postgres.image: {image} cannot be pulled: {error.explanation or error}",
                allowed="an image that this machine may pull, for a database that is thrown away",
                mend="the same command without --build",
            ) from None


def _wait(container: Container) -> None:
    """Wait until the database takes connections over the network, which it does once it is set up."""
    limit = time.monotonic() + _READY_SECONDS
    while time.monotonic() < limit:
        code, _ = container.exec_run(["pg_isready", "--quiet", "--host", "127.0.0.1", "--username", DATABASE])
        if code == 0:
            return
        time.sleep(0.3)
    raise problem(
        f"a database for trying the migrations did not start within {_READY_SECONDS} s",
        mend="the same command without --build",
    )
