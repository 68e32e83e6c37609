"""Promotion on a Docker host: the very image that ran in one stack runs in the other, and nothing is built for it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker.errors
import pytest

from tests.e2e.site import RUN, Site

pytestmark = pytest.mark.docker

APP = {"name": f"promote-{RUN}"}
"""A name of its own, so that no other test removes its image."""


@pytest.fixture(scope="module")
def staging(make_site: Callable[..., Site]) -> Site:
    """A stack that is up."""
    site = make_site("staging", app=APP, web={"startup_seconds": 300}).secrets()
    site.up().good()
    return site


@pytest.fixture(scope="module")
def prod(staging: Site) -> Iterator[Site]:
    """Another stack of the same repository and project that was never up."""
    site = Site(staging.folder, "prod", environ=staging.environ)
    site.set(app=APP, web={"startup_seconds": 300})
    yield site.secrets()
    site.close()


@pytest.fixture
def promoted(staging: Site, prod: Site) -> Site:
    """The other stack, which runs the image of the first."""
    if not prod.containers("web"):
        prod.pipeline("promote", staging.stack, prod.stack).good()
    return prod


def image(site: Site) -> str:
    """The identity of the image that serves."""
    return str(site.container("web").attrs["Image"])


def kinds(site: Site) -> set[str]:
    """The types of the resources in the state of a stack."""
    state = json.loads(site.pulumi("stack", "export"))
    return {each["type"] for each in state["deployment"]["resources"]}


def healthy(site: Site) -> None:
    """Wait until the web container is well."""
    deadline = time.monotonic() + 180
    while site.container("web").attrs["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < deadline, "web is not healthy"
        time.sleep(0.5)


def outputs(site: Site) -> dict[str, str]:
    """What the stack says of itself."""
    found: dict[str, str] = json.loads(site.pulumi("stack", "output", "--json"))
    return found


def test_the_image_of_staging_is_what_prod_runs(staging: Site, prod: Site) -> None:
    """It is refused while the stacks differ or staging is not well; then it runs, by its digest, without the project."""
    prod.set(app=APP, web={"startup_seconds": 300}, build={"runtime_packages": "gettext"})
    refused = prod.pipeline("promote", staging.stack, prod.stack).bad()
    expected = f"slipway:build.runtime_packages: {staging.stack} says nothing, {prod.stack} says gettext"
    assert expected in refused.text
    prod.set(app=APP, web={"startup_seconds": 300})

    web = staging.container("web")
    web.stop()
    refused = prod.pipeline("promote", staging.stack, prod.stack).bad()
    assert f"stack {staging.stack}: web: {web.name} is exited" in refused.text
    web.start()
    assert not prod.containers()

    # Nothing of the project is needed from here on.
    away = staging.app.rename(staging.app.with_name("away"))
    try:
        healthy(staging)
        done = prod.pipeline("promote", staging.stack, prod.stack).good()
    finally:
        away.rename(staging.app)

    release = outputs(staging)["release"]
    assert f"Release {release} of stack {staging.stack}: {image(staging)}" in done.text
    assert "was never up: it begins with every migration of the image" in done.text
    assert "app-build" not in done.text
    assert image(prod) == image(staging)
    assert outputs(prod)["release"] == release
    assert "docker-build:index:Image" not in kinds(prod)
    assert prod.ask("/").status == 200
    assert prod.container("web").labels["slipway.release"] == release
    assert "No drift" in prod.pipeline("drift", prod.stack).good().text

    preview = prod.pulumi("preview", "--expect-no-changes")
    assert "unchanged" in preview


@pytest.mark.long
def test_migrations_decide(staging: Site, promoted: Site) -> None:
    """Those that prod will run are listed; what prod has beyond the image is refused, and so is a staging behind its image."""
    migrations = staging.app / "guestbook/migrations"
    (migrations / "0099_nothing.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("guestbook", "{newest(migrations)}")]\n    operations = []\n'
    )
    staging.up().good()
    planned = promoted.pipeline("promote", staging.stack, promoted.stack, "--plan-only").good()
    assert f"migrations that it will run in {promoted.stack}: guestbook.0099_nothing" in planned.text
    before = image(promoted)
    promoted.pipeline("promote", staging.stack, promoted.stack, "--no-up").good()
    assert image(promoted) == before
    promoted.up().good()
    assert image(promoted) == image(staging)
    assert "guestbook" in promoted.sql("select app from django_migrations where name = '0099_nothing'")

    staging.sql("delete from django_migrations where name = '0099_nothing'")
    refused = promoted.pipeline("promote", staging.stack, promoted.stack).bad()
    assert f"stack {staging.stack}: its image has migrations that its database has not: guestbook.0099" in refused.text
    staging.sql("insert into django_migrations (app, name, applied) values ('guestbook', '0099_nothing', now())")

    promoted.sql("insert into django_migrations (app, name, applied) values ('guestbook', '0100_newer', now())")
    refused = promoted.pipeline("promote", staging.stack, promoted.stack).bad()
    assert "migrations that the image lacks: guestbook.0100_newer" in refused.text
    promoted.sql("delete from django_migrations where name = '0100_newer'")


@pytest.mark.long
def test_through_a_registry_and_back(staging: Site, promoted: Site, tmp_path: Path) -> None:
    """Another Docker host pulls it by its digest; without the setting, the project is built again."""
    socket = tmp_path / "other.sock"
    socket.symlink_to("/var/run/docker.sock")  # the same daemon by another name: there is no second one here
    registry = staging.environ["SLIPWAY_REGISTRY"]
    host = f"unix://{socket}"

    promoted.pipeline(
        "promote", staging.stack, promoted.stack, "--registry", f"{registry}/e2e", "--to-host", host
    ).good()

    named = outputs(promoted)["image"]
    assert named.startswith(f"{registry}/e2e/{APP['name']}@sha256:")
    assert image(promoted) == image(staging)
    promoted.daemon.images.remove(f"{registry}/e2e/{APP['name']}:{outputs(staging)['release']}")

    promoted.run("pulumi", "config", "rm", "slipway:promoted", "--stack", promoted.stack).good()
    promoted.up().good()
    assert "docker-build:index:Image" in kinds(promoted)
    assert outputs(promoted)["release"] == outputs(staging)["release"]


@pytest.mark.long
def test_the_last_that_goes_takes_the_image(staging: Site, promoted: Site) -> None:
    """Destroying what has built the image leaves it to the stack that runs it, and that one removes it in the end."""
    promoted.pipeline("promote", staging.stack, promoted.stack).good()
    shared = image(promoted)
    assert image(staging) == shared

    left = staging.pipeline("down", staging.stack).good()
    assert f"stays: the image {APP['name']}:" in left.text
    assert promoted.ask("/").status == 200

    promoted.pipeline("down", promoted.stack).good()
    with pytest.raises(docker.errors.ImageNotFound):
        promoted.daemon.images.get(shared)


def newest(migrations: Path) -> str:
    """The newest migration of a folder."""
    return max(each.stem for each in migrations.glob("0*.py"))
