"""Promotion on a cluster: the very image of one namespace runs in another, by its digest, and nothing is built for it."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster import MERGE, nodes, wait
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import Done

pytestmark = pytest.mark.cluster

NOTHING = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("guestbook", "0001_initial")]
    operations = []
"""
APP = {"name": "promote"}
"""The project of the two stacks that the long tests have for themselves."""

SECONDS = 120
"""What a release of theirs may take to start."""


def beside(staging: ClusterSite, name: str) -> ClusterSite:
    """Make another stack of the same repository, in a namespace of its own; nothing of it is up."""
    site = ClusterSite(staging.folder, name, environ=dict(staging.environ), cluster=staging.cluster)
    site.set()
    return site.secrets()


@pytest.fixture
def prod(guestbook: ClusterSite) -> Iterator[ClusterSite]:
    """A stack beside the one that several modules share."""
    site = beside(guestbook, "promoted")
    yield site
    site.close()


@pytest.fixture(scope="module")
def pair(make_cluster_site: Callable[..., ClusterSite]) -> Iterator[tuple[ClusterSite, ClusterSite]]:
    """Two stacks: one that is up, and one that runs its image."""
    staging = make_cluster_site("staging", app=APP, web={"startup_seconds": SECONDS}).secrets()
    staging.up().good()
    to = beside(staging, "prod")
    to.set(app=APP)
    promote(staging, to).good()
    yield staging, to
    to.close()


def promote(staging: ClusterSite, to: ClusterSite, *arguments: str) -> Done:
    """Promote; the pods that tunnels led to may be others afterwards."""
    to.forward.close()
    with nodes():
        return to.pipeline("promote", staging.stack, to.stack, *arguments)


def images(site: ClusterSite) -> set[str]:
    """What the nodes say they run for web, which no name of ours decides."""
    return {each["imageID"] for pod in site.pods("web") for each in pod["status"]["containerStatuses"]}


def outputs(site: ClusterSite) -> dict[str, str]:
    """What the stack says of itself."""
    found: dict[str, str] = json.loads(site.pulumi("stack", "output", "--json"))
    return found


def test_the_image_of_one_namespace_runs_in_another(guestbook: ClusterSite, prod: ClusterSite) -> None:
    """It is refused while the settings of the image differ; then the same digest runs, without the project and a build."""
    prod.set(build={"runtime_packages": "gettext"})
    with prod.nothing_changes():
        refused = promote(guestbook, prod).bad()
    assert f"slipway:build.runtime_packages: {guestbook.stack} says nothing, {prod.stack} says gettext" in refused.text
    prod.set()

    # Nothing of the project, and no registry to push to, is needed from here on.
    away = guestbook.app.rename(guestbook.app.with_name("away"))
    prod.environ["SLIPWAY_REGISTRY"] = "127.0.0.1:1"
    try:
        done = promote(guestbook, prod).good()
    finally:
        away.rename(guestbook.app)

    release = outputs(guestbook)["release"]
    assert "was never up: it begins with every migration of the image" in done.text
    assert "app-build" not in done.text
    assert images(prod) == images(guestbook)
    [image] = images(prod)
    assert f"Release {release} of stack {guestbook.stack}: {image}" in done.text
    assert (outputs(prod)["release"], outputs(prod)["image"]) == (release, image)
    kinds = {each["type"] for each in json.loads(prod.state_of())["deployment"]["resources"]}
    assert "slipway:kubernetes:PulledImage" in kinds
    assert not {each for each in kinds if each.startswith("docker-build:")}
    assert prod.ask("/").status == 200
    assert json.loads(prod.ask("/version").body)["release"] == release
    assert "unchanged" in prod.pulumi("preview", "--expect-no-changes")


def scale(site: ClusterSite, replicas: int) -> None:
    """Let the cluster run so many web pods, as somebody does by hand."""
    path = site.cluster.path("deployments", site.namespace, "web")
    site.cluster.call("PATCH", path, {"spec": {"replicas": replicas}}, kind=MERGE)


@pytest.mark.long
def test_what_is_not_well_is_not_promoted(pair: tuple[ClusterSite, ClusterSite]) -> None:
    """Neither a stack whose web pods are gone nor one whose last release failed; prod runs what it ran."""
    staging, prod = pair
    before = images(prod)
    scale(staging, 0)
    # One on its way out still answers.
    there = staging.cluster
    wait("web is gone", lambda: not there.all("pods", staging.namespace, "slipway.component=web"))
    refused = promote(staging, prod).bad()
    assert f"error: stack {staging.stack}: page: http://edge.{staging.namespace}.svc/ answers 502" in refused.text
    scale(staging, 1)
    staging.settle()

    staging.change("config/urls.py", "urlpatterns = [", 'raise RuntimeError("broken")\nurlpatterns = [')
    staging.set(app=APP, web={"startup_seconds": 20})
    staging.up().bad()
    refused = promote(staging, prod).bad()
    assert f"stack {staging.stack}: its last update did not end well" in refused.text
    assert images(prod) == before

    staging.change("config/urls.py", 'raise RuntimeError("broken")\n', "")
    staging.set(app=APP, web={"startup_seconds": SECONDS})
    staging.up().good()
    promote(staging, prod, "--plan-only").good()


@pytest.mark.long
def test_migrations_decide(pair: tuple[ClusterSite, ClusterSite]) -> None:
    """Those that prod will run are listed, and run by the image of staging; an image that lacks some of prod's is refused."""
    staging, prod = pair
    migration = staging.app / "guestbook/migrations/0099_nothing.py"
    migration.write_text(NOTHING)
    staging.up().good()
    planned = promote(staging, prod, "--plan-only").good()
    assert f"migrations that it will run in {prod.stack}: guestbook.0099_nothing" in planned.text
    assert images(prod) != images(staging)
    promote(staging, prod).good()
    assert images(prod) == images(staging)
    assert outputs(prod)["release"] == outputs(staging)["release"]
    assert prod.sql("select app from django_migrations where name = '0099_nothing'") == ["guestbook"]
    before = images(prod)

    # Staging goes back to code of before, and its database to what that knows.
    migration.unlink()
    staging.up().good()
    refused = promote(staging, prod).bad()
    assert (
        f"stack {staging.stack}: its database has migrations that the image lacks: guestbook.0099_nothing"
        in refused.text
    )
    staging.sql("delete from django_migrations where name = '0099_nothing'")
    refused = promote(staging, prod).bad()
    assert (
        f"stack {prod.stack}: its database has, unlike the image of stack {staging.stack}, migrations that the image lacks: "
        "guestbook.0099_nothing" in refused.text
    )
    assert images(prod) == before
