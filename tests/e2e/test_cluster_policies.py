"""Who reaches whom in a stack that runs: every pair, tried for real, under the policies that its components made.

On a network that does not enforce policies, these tests fail: everybody reaches everybody. The example's own pods are
what is reached; what asks are pods with the labels of its components, since its images have nothing to ask with.
"""

import json
import time
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import Cluster, Object, wait
from tests.e2e.cluster_load import outside, pod
from tests.e2e.cluster_site import ClusterSite, ready
from tests.e2e.test_cluster_network import ASK

pytestmark = pytest.mark.cluster

FOREIGNER = "policies-foreigner"
SETTLED_SECONDS = 20
RESOURCES = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "32Mi"}}

REACHES: dict[str, set[str]] = {
    "edge": {"web"},
    "web": {"postgres", "redis", "page"},  # the page as everybody outside does
    "migration": {"postgres", "redis"},
    "static-files": set(),
    "switch": {"page", "status", "web"},
    "postgres": set(),
    "redis": set(),
    "": set(),
    FOREIGNER: {"page"},
}
"""What each component reaches; the one without a name is a pod of the namespace that belongs to no component."""


@pytest.fixture(scope="module")
def site(guestbook: ClusterSite) -> ClusterSite:
    """The stack that is up."""
    return guestbook


@pytest.fixture(scope="module")
def places(site: ClusterSite) -> dict[str, str]:
    """What there is to reach: the edge's two ports, web, and the datastores, each as ``HOST:PORT``."""
    edge = address(site.cluster, site.namespace, site.pod("edge"))
    named = {name: f"{name}.{site.namespace}.svc" for name in ("web", "postgres", "redis")}
    return {
        "page": f"{edge}:8080",
        "status": f"{edge}:8081",
        "web": f"{named['web']}:8000",
        "postgres": f"{named['postgres']}:5432",
        "redis": f"{named['redis']}:6379",
    }


@pytest.fixture(scope="module")
def askers(site: ClusterSite, places: dict[str, str]) -> Iterator[dict[str, tuple[str, str]]]:
    """A pod for each component, and one in another namespace: namespace and name. No Service leads to them.

    After ``places``, which looks for the stack's own pods by the same labels.
    """
    assert places
    cluster = site.cluster
    made = {role: (site.namespace, f"ask-{role or 'nobody'}") for role in REACHES if role != FOREIGNER}
    made[FOREIGNER] = (outside(cluster), FOREIGNER)
    try:
        for role, (namespace, name) in made.items():
            body = pod(name, ["sleep", "infinity"], container={"resources": RESOURCES})
            body["metadata"]["labels"] = {"slipway.component": role} if role and role != FOREIGNER else {}
            cluster.make("pods", namespace, body)
        for namespace, name in made.values():
            wait(f"{name} is ready", lambda where=(namespace, name): ready(cluster.get("pods", *where)), 120)  # type: ignore[misc]  # mypy has no type for a lambda with a default
        yield made
    finally:
        for namespace, name in made.values():
            cluster.remove("pods", namespace, name, grace=0)
        for namespace, name in made.values():
            wait(f"{name} is gone", lambda where=(namespace, name): not cluster.find("pods", *where))  # type: ignore[misc]  # as above


def address(cluster: Cluster, namespace: str, name: str) -> str:
    """Where a pod is."""
    found: str = cluster.get("pods", namespace, name)["status"]["podIP"]
    return found


def reached(site: ClusterSite, asker: tuple[str, str], places: dict[str, str]) -> set[str]:
    """What a pod reaches of everything that there is."""
    answers = json.loads(site.cluster.execute(*asker, ["python3", "-c", ASK, *places.values()]))
    return {name for name, answer in zip(places, answers, strict=True) if answer == "open"}


@pytest.mark.parametrize("role", REACHES)
def test_a_component_reaches_what_it_needs_and_nothing_else(
    site: ClusterSite, askers: dict[str, tuple[str, str]], places: dict[str, str], role: str
) -> None:
    """Every pair of the stack is tried; the rules of a new pod may take a moment, and must stay."""
    expected = REACHES[role]

    try:
        wait("the rules are there", lambda: reached(site, askers[role], places) == expected, SETTLED_SECONDS)
    except AssertionError:
        assert reached(site, askers[role], places) == expected
    time.sleep(1)

    assert reached(site, askers[role], places) == expected


def test_the_same_pods_reach_everything_without_the_policies(
    site: ClusterSite, askers: dict[str, tuple[str, str]], places: dict[str, str]
) -> None:
    """The table above tells: with the policies taken away, a pod of no component and one of nobody's reach all of it."""
    kept = site.cluster.all("networkpolicies", site.namespace)
    try:
        for each in kept:
            site.cluster.remove("networkpolicies", site.namespace, each["metadata"]["name"])
        for role in ("", FOREIGNER):
            wait("it is open", lambda who=role: reached(site, askers[who], places) == set(places), SETTLED_SECONDS)  # type: ignore[misc]  # as above
    finally:
        for each in kept:
            site.cluster.make("networkpolicies", site.namespace, restored(each))
    wait("it is shut again", lambda: reached(site, askers[""], places) == set(), SETTLED_SECONDS)


def restored(policy: Object) -> Object:
    """A policy as it was made, with its labels and annotations."""
    kept = {key: policy["metadata"][key] for key in ("name", "labels", "annotations") if key in policy["metadata"]}
    return {"metadata": kept, "spec": policy["spec"]}
