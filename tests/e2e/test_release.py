"""Releases under load: what visitors notice of a good one, of one that never gets healthy, of a failed migration."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from docker.models.containers import Container

from tests.e2e.load import KINDS, Kind, Load
from tests.e2e.site import Site

pytestmark = pytest.mark.docker

QUICK = {"startup_seconds": 20}
HEALTHY = "status=503 if failed else 200,"
SICK = "status=503,"


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    """A stack with two web containers that is up."""
    site = make_site("release", web={**QUICK, "replicas": 2}).secrets()
    site.up().good()
    return site


@pytest.fixture(autouse=True)
def sound_project(site: Site) -> Iterator[None]:
    """Give the next test a project that works, whatever this one has done to it."""
    yield
    shutil.rmtree(site.app)
    site.copy_app()


@pytest.fixture(autouse=True)
def logs(site: Site, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the containers logged when a test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        site.print_logs()


def web(site: Site) -> set[str]:
    """The ids of the running web containers."""
    return {str(each.id) for each in site.containers("web") if each.status == "running"}


def of_release(site: Site, release: str) -> list[Container]:
    """The containers of a release, of whatever component."""
    return [each for each in site.containers() if each.labels.get("slipway.release") == release]


def test_a_release_loses_no_request_and_no_row(site: Site) -> None:
    """A changed line goes live while visitors read, write and wait: every one is answered, every row is there."""
    before = web(site)
    site.set_version("2.0.0")

    with Load(site.port) as load:
        load.wait_for(100)
        site.up().good()
        load.wait_for(100)
    print(load.summary())

    assert load.failures == []
    assert load.answered["slow"] >= 4
    assert set(load.versions) == {"1.0.0", "2.0.0"}
    rows = set(site.sql("select message from guestbook_entry where name = 'Load'"))
    assert set(load.acknowledged) <= rows
    assert len(load.acknowledged) > 20
    assert not before & web(site)
    assert len(web(site)) == 2


def test_the_load_test_can_fail(site: Site) -> None:
    """Without the time to finish, the same load does lose requests: those that are answered when the old ones go."""
    site.set(web={**QUICK, "replicas": 2, "stop_grace_seconds": 0})
    site.set_version("3.0.0")
    site.up().good()  # what the old containers get when they are stopped is what they were made with
    site.set_version("3.0.1")

    with Load(site.port, kinds=(*KINDS[:2], Kind("slow", 4, 0.05)), slow_seconds=5) as load:
        load.wait_for(100)
        site.up().good()
        load.wait_for(100)
    print(load.summary())

    assert load.failures
    site.set(web={**QUICK, "replicas": 2})
    site.up().good()


def test_a_release_that_never_gets_healthy_changes_nothing_for_visitors(site: Site) -> None:
    """The old one serves all the while, a second try is as red as the first, the next good one cleans up."""
    before, version = web(site), site.version()
    site.change("guestbook/views.py", HEALTHY, SICK)
    site.set_version("4.0.0-broken")

    with Load(site.port) as load:
        first = site.up().bad()
        second = site.up().bad()
    print(load.summary())

    assert "what served before goes on serving" in first.text
    assert "503 Service Unavailable" in first.text
    assert second.code == first.code
    assert load.failures == []
    assert set(load.versions) == {version["version"]}
    assert before <= web(site)
    assert site.version() == version

    # What stopped meanwhile is made again, and what never got healthy is not taken for good by that.
    site.container("redis").stop()
    assert "redis: not running" in site.up().bad().text
    assert site.container("redis").status == "running"
    assert site.version() == version

    site.change("guestbook/views.py", SICK, HEALTHY)
    site.set_version("4.0.1")
    site.up().good()

    assert site.version()["version"] == "4.0.1"
    assert len(web(site)) == 2
    releases = {each.labels.get("slipway.release") for each in site.containers("web")}
    assert releases == {site.version()["release"]}


def test_a_failed_migration_stops_the_release(site: Site) -> None:
    """No container of the new release takes traffic; once the migration is mended, the release goes through."""
    before, version = web(site), site.version()
    migration = site.app / "guestbook/migrations/0099_wrong.py"
    migration.write_text(
        '"""A migration that cannot work."""\n\nfrom django.db import migrations\n\n\n'
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("guestbook", "0001_initial")]\n'
        '    operations = [migrations.RunSQL("select 1/0")]\n'
    )
    site.set_version("5.0.0")

    first = site.up().bad()
    second = site.up().bad()

    assert "division by zero" in first.text
    assert "division by zero" in second.text
    assert web(site) == before
    assert site.version() == version

    migration.unlink()
    site.up().good()

    assert site.version()["version"] == "5.0.0"
    assert len(web(site)) == 2
    assert not before & web(site)
