"""The preview report of a real stack: the same with and without the keys, with nothing written and nothing secret in it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site

KEYLESS = ("env", "-u", "PULUMI_CONFIG_PASSPHRASE", "python", "-m", "pipeline")
SAME = ("target", "outcome", "release", "counts", "dangers", "components", "images", "cost", "picture")
"""What no key is needed for, where no secret changes."""
WEB = {"startup_seconds": 240}
"""Nothing here is about how fast it starts."""
MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("guestbook", "0001_initial")]
    operations = [
        migrations.AddField("entry", "likes", models.PositiveIntegerField(default=0)),
        migrations.RemoveField("entry", "picture"),
    ]
"""


def files(*folders: Path) -> dict[str, bytes]:
    """Every file in some folders."""
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def shown(site: Site, *options: str, keys: bool = True) -> dict[str, Any]:
    """The report as programs read it."""
    path = site.folder / "report.json"
    command = ("python", "-m", "pipeline") if keys else KEYLESS
    site.run(*command, "preview", site.stack, "--format", "json", "--output", str(path), *options).good()
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def changes(report: dict[str, Any]) -> dict[str, list[str]]:
    """What changes, by component."""
    return {each["name"]: each["changes"] for each in report["components"]}


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Iterator[Site]:
    """A stack that is up, and a branch that changes a variable, the memory of the cache and the code."""
    site = make_site("preview", app={"environment": {"CACHE_TTL": "60"}}, web=WEB)
    site.secrets().up().good()
    site.set(
        app={"environment": {"CACHE_TTL": "300"}},
        web=WEB,
        redis={"resources": {"memory_mb": 160}},
        edge={"port": site.port, "address": "0.0.0.0"},  # noqa: S104 - a preview opens nothing
    )
    (site.app / "guestbook/migrations/0002_likes.py").write_text(MIGRATION)
    yield site
    site.set(app={"environment": {"CACHE_TTL": "60"}}, web=WEB)


@pytest.mark.docker
def test_without_the_keys_the_report_is_the_same_but_for_secrets(site: Site) -> None:
    """Nothing is written to the backend nor into the stack's file, and no secret is in a report."""
    before = files(site.state, site.root / "stacks")

    blind = shown(site, "--without-secrets", keys=False)
    assert blind["compared_with"] == "state-without-secrets"
    assert "Made without the keys of the stack" in blind["notes"][0]
    assert files(site.state, site.root / "stacks") == before
    assert files(site.root / ".slipway/preview") == {}

    whole = shown(site)
    assert whole["compared_with"] == "state"
    assert {key: blind[key] for key in SAME} == {key: whole[key] for key in SAME}
    release = whole["release"]["after"]
    assert changes(whole)["web"][0] == f"1 container rolls to release {release}"
    assert "environment CACHE_TTL 60 to 300" in changes(whole)["web"]
    assert ("downtime", "redis") in [(each["kind"], each["component"]) for each in whole["dangers"]]
    assert ("port", "edge") in [(each["kind"], each["component"]) for each in whole["dangers"]]

    value = "another-key-that-nobody-may-see-0123456789-0123456789"
    kept = (site.root / "stacks" / f"Pulumi.{site.stack}.yaml").read_text()
    site.run("pulumi", "config", "set", "--secret", "secrets:django_key", "--stack", site.stack, value).good()
    report = site.folder / "report.md"
    site.pipeline("preview", site.stack, "--format", "markdown", "--output", str(report)).good()
    said = report.read_text()
    assert said.startswith(f"<!-- slipway-preview: {site.stack} -->\n")
    assert "- **secrets of app**: secret_key changes (values are not shown)\n" in said
    assert not [each for each in (value, site.secret("postgres_password")) if each in said]
    (site.root / "stacks" / f"Pulumi.{site.stack}.yaml").write_text(kept)


@pytest.mark.docker
@pytest.mark.long
def test_the_image_tells_migrations_and_sizes(site: Site) -> None:
    """Against the release that runs, on a database that is gone afterwards; what drops a column is a danger."""
    # What a preview has left that was killed some time ago.
    labels = {"slipway.preview": site.stack, "slipway.until": "1700000000"}
    network = site.daemon.networks.create(f"{site.stack}-killed", labels=labels)
    image = site.container("postgres").attrs["Config"]["Image"]
    site.daemon.containers.run(image, ["sleep", "900"], network=network.name, labels=labels, detach=True)

    report = shown(site, "--build")

    [migration] = report["migrations"]["pending"]
    assert migration["name"] == "guestbook.0002_likes"
    assert 'ALTER TABLE "guestbook_entry" DROP COLUMN "picture" CASCADE;' in migration["sql"]
    assert report["dangers"][0] == {
        "kind": "data",
        "component": "migration",
        "text": "guestbook.0002_likes: drops the column picture of guestbook_entry",
    }
    [image] = [each for each in report["images"] if each["component"] == "app"]
    assert image["bytes_before"] > 50_000_000
    assert 0 < image["new_layers"] < image["layers"]
    left: dict[str, str | list[str] | bool] = {"label": [f"slipway.preview={site.stack}"]}
    assert not site.daemon.containers.list(all=True, filters=left)
    assert not site.daemon.networks.list(filters=left)
    assert not [tag for each in site.daemon.images.list() for tag in each.tags if tag.startswith("e2e-check:")]


@pytest.mark.docker
@pytest.mark.long
def test_without_a_backend_everything_would_be_new_and_a_failure_has_a_report(site: Site) -> None:
    """As for the pull request of a fork; settings that are refused make a report and exit code 1."""
    path = site.folder / "report.md"
    options = ("preview", site.stack, "--without-secrets", "--format", "markdown", "--output", str(path))
    site.run("env", "-u", "PULUMI_BACKEND_URL", *KEYLESS[1:], *options).good()
    said = path.read_text()
    assert "Compared with nothing, since PULUMI_BACKEND_URL is not set" in said
    assert "- **web**: 1 container is created\n" in said

    kept = (site.root / "stacks" / f"Pulumi.{site.stack}.yaml").read_text()
    site.set(web=WEB, postgres={"image": "postgres 17"})
    failed = site.run(*KEYLESS, *options).bad()
    assert failed.code == 1
    assert "**The preview of stack" in path.read_text()
    assert 'slipway:postgres.image: found "postgres 17"' in path.read_text()
    (site.root / "stacks" / f"Pulumi.{site.stack}.yaml").write_text(kept)
