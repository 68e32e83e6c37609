"""Previews without the keys, of a state that lies in S3 or in Postgres, by a machine that may read it, or a copy of it, at most.

The stack is never brought up: its state is that of a stack that is, with everything that is secret in it.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import ROOT, Done, Site
from tests.e2e.stores import PostgresStore, S3Store, Store

pytestmark = pytest.mark.docker

APP = {
    "health_path": "/",
    "environment": {"SECRET_KEY": "${secrets.django_key}", "HOSTS": "${allowed_hosts}"},
}
NONE = {"provider": "none"}
SETTINGS: dict[str, Any] = {"app": APP, "postgres": NONE, "redis": NONE, "volumes": {"kept": {"path": "/srv/kept"}}}
KEYLESS = ("env", "-u", "PULUMI_CONFIG_PASSPHRASE", "python", "-m", "pipeline", "preview")


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    """A small stack that is up, and a branch with a second web container."""
    site = make_site("places", project=ROOT / "tests/projects/edge", **SETTINGS)
    site.secrets().up().good()
    site.set(**SETTINGS, web={"replicas": 2})
    return site


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    """Make a store that is gone after the test."""
    made: list[Store] = []

    def make(kind: str) -> Store:
        made.append(PostgresStore("places") if kind == "postgres" else S3Store(tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.close()


def moved(site: Site, store: Store) -> None:
    """Put the state of the stack into a store."""
    path = site.folder / "state.json"
    path.write_text(site.pulumi("stack", "export"))
    site.run("pulumi", "stack", "init", site.stack, "--no-select", **store.environ).good()
    site.run("pulumi", "stack", "import", "--stack", site.stack, "--file", str(path), **store.environ).good()


def preview(site: Site, *options: str, **environ: str) -> Done:
    """A preview of a machine without the passphrase."""
    report = str(site.folder / "report.json")
    options = ("--without-secrets", "--format", "json", "--output", report, *options)
    return site.run(*KEYLESS, site.stack, *options, **environ)


def told(site: Site) -> dict[str, Any]:
    """What it said."""
    found: dict[str, Any] = json.loads((site.folder / "report.json").read_text())
    return found


def expected(report: dict[str, Any]) -> None:
    """Insist on the one change of the branch, compared with what runs."""
    assert report["compared_with"] == "state-without-secrets"
    assert {each["name"]: each["changes"] for each in report["components"]} == {
        "web": ["scales from 1 to 2 containers"],
        "switch": ["runs again"],
    }
    assert report["counts"]["create"] == 1


@pytest.mark.long
def test_who_may_only_read_a_bucket_sees_what_would_change(site: Site, make_store: Callable[[str], Store]) -> None:
    """Without a passphrase, and with a server that takes no writing. One that is away is a failure, not a new stack."""
    store = make_store("s3")
    moved(site, store)
    before = store.content()

    reader = store.reader()
    preview(site, **reader).good()
    expected(told(site))
    assert store.content() == before
    wrong = site.run("pulumi", "stack", "init", "another", "--no-select", **reader).bad()
    assert "AccessDenied" in wrong.text

    denied = preview(site, **{**reader, "AWS_SECRET_ACCESS_KEY": "no"}).bad()
    assert denied.code == 1
    assert told(site)["outcome"] == "failed"
    assert "cannot be reached: SignatureDoesNotMatch" in told(site)["problems"][0]["found"]


def test_who_may_not_read_a_database_gets_a_copy_without_secrets(
    site: Site, make_store: Callable[[str], Store]
) -> None:
    """Pulumi lets no role read alone. The copy holds no secret, encrypted or not, and gives the same report."""
    store = make_store("postgres")
    moved(site, store)
    before = store.content()

    preview(site, **store.environ).good()
    expected(told(site))

    preview(site, **store.reader()).bad()
    assert "permission denied for schema public" in told(site)["problems"][0]["found"]

    copy = site.folder / "copy.json"
    keyless = ("env", "-u", "PULUMI_CONFIG_PASSPHRASE", "python", "-m", "pipeline")
    site.run(*keyless, "state", site.stack, "--output", str(copy), **store.environ).good()
    assert store.content() == before
    whole = (site.folder / "state.json").read_text()
    hidden = re.findall(r'"ciphertext": *"([^"]+)"', whole)
    assert hidden
    text = copy.read_text()
    assert not [
        each for each in (*hidden, site.secret("django_key"), "ciphertext", "secrets_providers") if each in text
    ]

    preview(site, "--state", str(copy), PULUMI_BACKEND_URL="").good()
    expected(told(site))
