"""Three releases and a broken one under heavy load, with two web containers: not one request is lost, not one row."""

from collections.abc import Callable

import pytest

from tests.e2e.load import Kind, Load
from tests.e2e.site import Site

pytestmark = [pytest.mark.docker, pytest.mark.long]

HEAVY = (Kind("read", 8, 0.03), Kind("write", 4, 0.06), Kind("slow", 4, 0.1))


def test_three_releases_and_a_broken_one_lose_nothing(make_site: Callable[..., Site]) -> None:
    """Every request of GET, POST and 3 s is answered by a release that is healthy; every acknowledged row is there."""
    site = make_site("long", web={"startup_seconds": 20, "replicas": 2}).secrets()
    site.up().good()

    with Load(site.port, kinds=HEAVY) as load:
        load.wait_for(500)
        for version in ("2.0.0", "2.0.1", "2.0.2"):
            site.set_version(version)
            site.up().good()
        site.change("guestbook/views.py", "status=503 if failed else 200,", "status=503,")
        site.set_version("broken")
        site.up().bad()
        load.wait_for(500)
    print(load.summary())

    assert load.failures == []
    assert set(load.versions) == {"1.0.0", "2.0.0", "2.0.1", "2.0.2"}
    assert load.requests > 5000
    rows = set(site.sql("select message from guestbook_entry where name = 'Load'"))
    assert set(load.acknowledged) <= rows
