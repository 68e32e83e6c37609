"""Releases on the cluster: what visitors notice of a good one, and of one that fails in each of the ways there are.

The visitors are in a pod of their own and come through the edge. The stack is the one of the modules before.
"""

import shutil
import time
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import wait
from tests.e2e.cluster_load import HEAVY, LIGHT, ClusterLoad
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.load import Kind
from tests.e2e.site import Done

pytestmark = pytest.mark.cluster

HEALTHY = "status=503 if failed else 200,"
SICK = "status=503,"
QUICK = {"replicas": 2, "startup_seconds": 20}


@pytest.fixture(scope="module")
def site(guestbook: ClusterSite) -> ClusterSite:
    """The stack that is up, with little time for a new pod to become healthy."""
    guestbook.set(web=QUICK, kubernetes={"edge_replicas": 2})
    return guestbook


@pytest.fixture(autouse=True)
def sound_project(site: ClusterSite, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the pods said when a test fails; give the next test a project that works."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        site.print_logs()
    version = site.version()["version"]
    shutil.rmtree(site.app)
    site.copy_app()
    site.set_version(version)  # what is served is what the files say, for whoever comes next


def load(site: ClusterSite, kinds: tuple[Kind, ...] = LIGHT) -> ClusterLoad:
    """Visitors of the stack."""
    return ClusterLoad(cluster=site.cluster, namespace=site.namespace, kinds=kinds)


def rows(site: ClusterSite) -> set[str]:
    """Every row that visitors have written."""
    return set(site.sql("select message from guestbook_entry where name = 'Load'"))


def test_a_release_loses_no_request_and_no_row(site: ClusterSite) -> None:
    """A changed line goes live under 200 requests a second: every one is answered, every row is there."""
    before = site.serving()
    edges = site.serving("edge")
    site.set_version("3.0.0")

    with load(site, HEAVY) as visitors:
        visitors.wait_for(1000)
        site.up().good()
        visitors.wait_for(1000)

    assert visitors.failures == []
    assert visitors.rate > 40, "what is asked for is five times that; this much is there on a machine that is not alone"
    assert visitors.answered["slow"] >= 10
    assert set(visitors.versions) >= {"3.0.0"}
    assert len(visitors.versions) == 2
    assert len(visitors.acknowledged) > 200
    assert set(visitors.acknowledged) <= rows(site)
    assert not before & site.serving()
    assert len(site.serving()) == 2
    assert site.serving("edge") == edges


def test_the_load_test_can_fail(site: ClusterSite) -> None:
    """Without the drain the same load does lose requests, so that it is known to tell; `up` puts the drain back."""
    container = {"name": "web", "lifecycle": None}
    spec = {"template": {"spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}
    site.cluster.change("deployments", site.namespace, "web", {"spec": spec})
    site.settle()

    # What is read is asked for again by nginx, a form that was sent is not: many are under way at any time.
    with load(site, (Kind("read", 4, 0.05), Kind("write", 16, 0.0))) as visitors:
        visitors.wait_for(500)
        mark = {"metadata": {"annotations": {"e2e": "restarted"}}}
        site.cluster.change("deployments", site.namespace, "web", {"spec": {"template": mark}})
        site.settle()
        visitors.wait_for(500)

    assert visitors.failures
    site.set_version("3.1.0")
    site.up().good()
    spec = site.cluster.get("deployments", site.namespace, "web")["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > 35
    assert spec["containers"][0]["lifecycle"]["preStop"]


def fails(site: ClusterSite, limit: float) -> Done:
    """Make a release that fails, and see that the old one serves everything meanwhile."""
    serving, version = site.serving(), site.version()["version"]
    with load(site) as visitors:
        begun = time.monotonic()
        done = site.up().bad()
        took = time.monotonic() - begun
    assert visitors.failures == []
    assert set(visitors.versions) == {version}
    assert serving <= site.serving()
    assert took < limit
    print(f"figure: a failed release ends after {took:.0f} s")
    return done


def mended(site: ClusterSite, version: str) -> None:
    """Make the next good release, and see that nothing of a failed one is left."""
    site.set_version(version)
    site.up().good()
    release = site.version()["release"]
    assert site.version()["version"] == version
    assert len(site.serving()) == 2

    def of_others() -> list[str]:
        return [
            name
            for name, each in site.cluster.everything(site.namespace).items()
            if (each["metadata"].get("labels") or {}).get("slipway.release") not in (None, release)
            # The history of the Deployment is what `kubectl rollout undo` needs: it runs nothing.
            and not (name.startswith("replicasets/") and each["spec"]["replicas"] == 0)
        ]

    wait("nothing of another release is left", lambda: not of_others(), 60)
    assert len([n for n in site.cluster.everything(site.namespace) if n.startswith("jobs/")]) == 3


def test_a_red_health_check_changes_nothing_for_visitors(site: ClusterSite) -> None:
    """The old one serves all the while, the reason is said, the next good one cleans up."""
    site.change("guestbook/views.py", HEALTHY, SICK)
    site.set_version("4.0.0-broken")

    said = fails(site, 200).text

    assert "goes on serving" in said
    assert "HTTP probe failed with statuscode: 503" in said
    site.change("guestbook/views.py", SICK, HEALTHY)
    mended(site, "4.0.1")


@pytest.mark.long
def test_a_crashing_image_is_named_with_its_last_words(site: ClusterSite) -> None:
    """An import that fails at start: what the pod said last is what a person needs, and a second try is as red."""
    wsgi = site.app / "config/wsgi.py"
    sound = wsgi.read_text()
    wsgi.write_text(sound + "\nimport no_such_module\n")
    site.set_version("5.0.0-broken")

    said = fails(site, 200).text

    assert "No module named 'no_such_module'" in said
    assert "CrashLoopBackOff" in said or "restarts again and again" in said or "exit code" in said
    assert "No module named 'no_such_module'" in site.up().bad().text
    wsgi.write_text(sound)
    mended(site, "5.0.1")


def test_a_failed_migration_stops_the_release(site: ClusterSite) -> None:
    """No pod of the new release is made; the reason is said each time; the mended migration is tried again."""
    serving = site.serving()
    migration = site.app / "guestbook/migrations/0099_wrong.py"
    migration.write_text(
        '"""A migration that cannot work."""\n\nfrom django.db import migrations\n\n\n'
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("guestbook", "0001_initial")]\n'
        '    operations = [migrations.RunSQL("select 1/0")]\n'
    )
    site.set_version("6.0.0-broken")

    first = fails(site, 200)
    second = site.up().bad()

    assert "division by zero" in first.text
    assert "division by zero" in second.text
    assert site.serving() == serving
    migration.unlink()
    mended(site, "6.0.1")


@pytest.mark.long
def test_an_image_that_cannot_be_pulled_is_named(site: ClusterSite) -> None:
    """Something in front of the registry lost it: the event says which image, within the time-out."""
    edges = site.serving("edge")
    site.set_version(site.version()["version"])
    site.set(web=QUICK, edge={"image": "nginx:no-such-tag"}, kubernetes={"edge_replicas": 2})

    said = fails(site, 200).text

    assert "nginx:no-such-tag" in said
    assert "ImagePullBackOff" in said or "ErrImagePull" in said or "not found" in said
    assert edges <= site.serving("edge")
    site.set(web=QUICK, kubernetes={"edge_replicas": 2})
    mended(site, "7.0.1")
