"""What visitors notice when something on the cluster dies: a pod, a node that is emptied, the database.

Each prints its figures. The stack is the one of the modules before; it heals by itself, no ``up`` is run here.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.cluster import TOO_MANY, RefusedError, nodes, wait
from tests.e2e.cluster_load import HEAVY, LIGHT, WRITES, ClusterLoad
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.load import Kind

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def site(guestbook: ClusterSite) -> ClusterSite:
    """The stack that is up, with two web pods and two of the edge."""
    return guestbook


@pytest.fixture(autouse=True)
def healed(site: ClusterSite, request: pytest.FixtureRequest) -> Iterator[None]:
    """Begin and end with everything ready; print what the pods said when a test fails."""
    site.settle("web")
    site.settle("edge")
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        site.print_logs()
    uncordon(site)


def load(site: ClusterSite, kinds: tuple[Kind, ...]) -> ClusterLoad:
    """Visitors of the stack."""
    return ClusterLoad(cluster=site.cluster, namespace=site.namespace, kinds=kinds)


def rows(site: ClusterSite) -> set[str]:
    """Every row that visitors have written."""
    return set(site.sql("select message from guestbook_entry where name = 'Load'"))


def names_of_nodes(site: ClusterSite) -> list[str]:
    """The nodes of the cluster."""
    return [each["metadata"]["name"] for each in site.cluster.all("nodes")]


def cordon(site: ClusterSite) -> None:
    """Let nothing new start on any node, as ``kubectl drain`` does first with one."""
    for node in names_of_nodes(site):
        site.cluster.change("nodes", None, node, {"spec": {"unschedulable": True}})


def uncordon(site: ClusterSite) -> None:
    """Let pods start again."""
    for node in names_of_nodes(site):
        site.cluster.change("nodes", None, node, {"spec": {"unschedulable": None}})


def evict(site: ClusterSite, pod: str) -> None:
    """Ask for a pod to go, as ``kubectl drain`` does: the disruption budget may refuse."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": site.namespace}}
    site.cluster.call("POST", f"{site.cluster.path('pods', site.namespace, pod)}/eviction", body)


def test_a_killed_web_pod_costs_its_own_requests_alone(site: ClusterSite) -> None:
    """One of two is gone without a word: what it had under way fails, little else, and there are two again soon."""
    with load(site, HEAVY) as visitors:
        visitors.wait_for(500)
        before = site.serving()
        site.cluster.remove("pods", site.namespace, min(before), grace=0)
        took = wait("two serve again", lambda: len(site.serving()) == len(before) and site.serving() != before, 60)
        visitors.wait_for(1000)

    share = len(visitors.failures) / visitors.requests
    print(
        f"figure: killed web pod: {len(visitors.failures)} of {visitors.requests} failed, two again after {took:.1f} s"
    )
    assert share < 0.01
    assert took < 30
    assert set(visitors.acknowledged) <= rows(site)


def test_a_drained_node_loses_no_request(site: ClusterSite) -> None:
    """The budget keeps one pod of each until its successor is ready, refuses more, and nobody notices."""
    before = {name: site.serving(name) for name in ("web", "edge")}

    with load(site, LIGHT) as visitors:
        visitors.wait_for(200)
        with nodes(alone=True):
            cordon(site)
            for name, pods in before.items():
                first, second = sorted(pods)
                evict(site, first)
                # Once the first is on its way out, the second is all there is: its eviction would break the budget.
                with pytest.raises(RefusedError, match="disruption budget") as refused:
                    evict(site, second)
                assert refused.value.status == TOO_MANY, name
            visitors.wait_for(200)
            uncordon(site)
        for name, pods in before.items():
            site.settle(name)
            evict(site, sorted(pods)[1])
            site.settle(name)
        visitors.wait_for(200)

    assert visitors.failures == []
    assert not any(before[name] & site.serving(name) for name in before)


def test_a_lost_database_pod_loses_no_acknowledged_row(site: ClusterSite) -> None:
    """Postgres is killed while visitors write: it comes back with its volume, and every row it confirmed is there."""
    claim = site.cluster.get("persistentvolumeclaims", site.namespace, "postgres")["metadata"]["uid"]
    uid = site.running()[site.pod("postgres")]

    with load(site, WRITES) as visitors:
        visitors.wait_for(200)
        site.cluster.remove("pods", site.namespace, site.pod("postgres"), grace=0)
        wait("another postgres serves", lambda: uid not in site.running().values() and site.serving("postgres"), 60)
        site.sql("select 1")
        visitors.wait_for(200)

    kept = rows(site)
    print(
        f"figure: killed postgres: {visitors.silence:.1f} s without writes, {len(visitors.failures)} refused, "
        f"{len(visitors.acknowledged)} acknowledged, {len(set(visitors.acknowledged) - kept)} of them lost"
    )
    assert len(visitors.acknowledged) > 300
    assert set(visitors.acknowledged) <= kept
    assert visitors.silence < 45
    assert site.cluster.get("persistentvolumeclaims", site.namespace, "postgres")["metadata"]["uid"] == claim
