"""States in Postgres and in S3: a stack's whole life, two updates at once, one that was killed, and a move."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.site import ROOT, Site
from tests.e2e.stores import PostgresStore, S3Store, Store, wait_for

pytestmark = pytest.mark.docker

PROJECT = ROOT / "tests/projects/edge"
APP = {
    "health_path": "/",
    "environment": {"SECRET_KEY": "${secrets.django_key}", "HOSTS": "${allowed_hosts}"},
}


NONE = {"provider": "none"}
SETTINGS = {"app": APP, "postgres": NONE, "redis": NONE, "volumes": {"kept": {"path": "/srv/kept"}}}


@pytest.fixture(scope="module")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Store]]:
    """Make a store that is gone at the end of the module, after the stacks in it."""
    made: list[Store] = []

    def make(kind: str) -> Store:
        made.append(PostgresStore("state") if kind == "postgres" else S3Store(tmp_path_factory.mktemp("s3")))
        return made[-1]

    yield make
    for each in made:
        each.close()


def lock(store: Store) -> dict[str, object]:
    """The one lock that lies there, once it does."""

    def locks() -> list[str]:
        return [text for key, text in store.content().items() if "/.pulumi/locks/" in key and text]

    wait_for("the lock", lambda: len(locks()) == 1)
    found: dict[str, object] = json.loads(locks()[0])
    return found


@pytest.mark.parametrize("kind", ["postgres", pytest.param("s3", marks=pytest.mark.long)])
def test_a_stack_lives_there(kind: str, make_store: Callable[[str], Store], make_site: Callable[..., Site]) -> None:
    """It comes up by a plan, refuses a second update, mends a killed one, moves to another place, and goes without a trace."""
    store = make_store(kind)
    site = make_site(f"in-{kind}", project=PROJECT, **SETTINGS)
    elsewhere = dict(site.environ)
    site.environ |= store.environ

    site.secrets()
    site.pipeline("preview", site.stack, "--save-plan", "plan.json").good()
    site.pipeline("up", site.stack, "--plan", "plan.json").good()
    assert site.ask().status == 200
    assert not [key for key, text in store.content().items() if site.secret("django_key") in text]

    # A plan holds what it shows: what was changed since is refused, and changes nothing.
    before = site.running()
    site.set(**SETTINGS, web={"replicas": 2})
    refused = site.pipeline("up", site.stack, "--plan", "plan.json").bad()
    assert f"error: the plan no longer fits stack {site.stack}: " in refused.text
    assert site.running() == before

    # A second update at the same time is refused, by name. That the first one is stopped makes sure that it still runs.
    with site.start("python", "-m", "pipeline", "up", site.stack) as first:
        held = lock(store)
        assert isinstance(held["pid"], int)
        os.kill(held["pid"], signal.SIGSTOP)
        second = site.up().bad()
        os.kill(held["pid"], signal.SIGKILL)
        first.communicate(timeout=60)
    found = re.search(
        r"error: another update of stack (\S+) is running: (.+)\n +mend: .*: (pulumi cancel .+)\n", second.text
    )
    assert found is not None
    assert found[1] == site.stack
    assert found[2].startswith(f"{held['username']}@{held['hostname']} (pid {held['pid']}) at ")

    # It was killed: its lock stays, and goes with the command that the error names.
    assert found[0] in site.up().bad().text
    site.run(*found[3].split()).good()
    site.up().good()
    assert len([name for name in site.running() if "-web-" in name]) == 2

    # To another place and back: nothing is made again.
    kept = site.running()
    site.run("sh", "-c", f"pulumi stack export --stack {site.stack} --file state.json").good()
    there = {key: elsewhere[key] for key in ("PULUMI_BACKEND_URL",)}
    site.run("pulumi", "stack", "init", site.stack, "--no-select", **there).good()
    site.run("pulumi", "stack", "import", "--stack", site.stack, "--file", "state.json", **there).good()
    site.pipeline("up", site.stack, **there).good()
    assert site.running() == kept

    site.down().good()
    assert site.things() == []
    assert [key for key in store.content() if not key.endswith(".pulumi/meta.yaml")] == []
