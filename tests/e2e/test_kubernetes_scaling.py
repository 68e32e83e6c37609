"""More web pods under load, and fewer again: the autoscaler decides, and ``up`` leaves that to it."""

import re
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import wait
from tests.e2e.cluster_load import HEAVY, ClusterLoad
from tests.e2e.cluster_site import ClusterSite

pytestmark = pytest.mark.cluster

SCALED = {"enabled": True, "min": 2, "max": 3, "cpu_percent": 30}
SLOW = {"replicas": 2, "resources": {"memory_mb": 256, "cpus": 0.3}}
"""A third of a core each, so that the load of a test is much for them."""


@pytest.fixture(scope="module")
def site(guestbook: ClusterSite) -> Iterator[ClusterSite]:
    """The stack with the autoscaler switched on; off again afterwards."""
    guestbook.set(web=SLOW, kubernetes={"edge_replicas": 2, "autoscale": SCALED})
    guestbook.up().good()
    yield guestbook
    guestbook.set(web={"replicas": 2}, kubernetes={"edge_replicas": 2})
    guestbook.up().good()
    assert guestbook.scaled() == 2


def test_load_brings_more_pods_and_up_leaves_them(site: ClusterSite) -> None:
    """From two upwards within two minutes, nobody's request lost; an `up` meanwhile takes none away."""
    assert site.scaled() == 2

    with ClusterLoad(cluster=site.cluster, namespace=site.namespace, kinds=HEAVY) as visitors:
        took = wait("there are more than two", lambda: site.scaled() == 3, 150, pause=1)
        site.settle("web")
        said = site.up().good().text
        assert site.scaled() == 3
        visitors.wait_for(200)

    print(f"figure: from 2 to 3 web pods after {took:.0f} s")
    assert visitors.failures == []
    assert not re.search(r"^ +[+~-]+ \d+ ", said, re.MULTILINE), said
    assert len(site.serving()) == 3


@pytest.mark.long
def test_without_load_they_go_again(site: ClusterSite) -> None:
    """After the five quiet minutes that Kubernetes waits, there are two, and nobody's request was lost on the way."""
    with ClusterLoad(cluster=site.cluster, namespace=site.namespace, kinds=HEAVY):
        wait("there are more than two", lambda: site.scaled() == 3, 150, pause=1)
    calm = HEAVY[2:]
    with ClusterLoad(cluster=site.cluster, namespace=site.namespace, kinds=calm) as visitors:
        took = wait("there are two again", lambda: site.scaled() == 2, 500, pause=2)
        site.settle("web")
    print(f"figure: back to 2 web pods after {took:.0f} s")
    assert visitors.failures == []
