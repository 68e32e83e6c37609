"""What goes wrong with a cluster before anything serves: each gets one clear error, and nothing is changed or half made.

What only the cluster can find out (a quota, a pod that fits on no node) is found within the time-out, with its reason.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.cluster import CORE, STORAGE, Cluster, wait
from tests.e2e.cluster_load import outside
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.test_bad_input import errors

pytestmark = pytest.mark.cluster

NOWHERE = "https://127.0.0.1:1"


@pytest.fixture(scope="module")
def shared(make_cluster_site: Callable[..., ClusterSite]) -> ClusterSite:
    """A stack that never gets up."""
    return make_cluster_site("bad").secrets()


@pytest.fixture
def site(shared: ClusterSite) -> ClusterSite:
    """The same stack, with its file as it was in the beginning."""
    shared.set()
    return shared


@pytest.fixture
def context(site: ClusterSite) -> str:
    """The context that is used."""
    config = yaml.safe_load(Path(site.environ["KUBECONFIG"]).read_text())
    return str(config["current-context"])


@pytest.fixture
def where(site: ClusterSite, context: str) -> str:
    """The context and its server, as they are named."""
    config = yaml.safe_load(Path(site.environ["KUBECONFIG"]).read_text())
    return f"context {context} ({config['clusters'][0]['cluster']['server']})"


def refused(site: ClusterSite, **environ: str) -> str:
    """Run an `up` that is refused, and see that neither the state nor the cluster has changed."""
    with site.nothing_changes():
        return errors(site.up(**environ).bad().text)


def test_no_kubeconfig(site: ClusterSite) -> None:
    """The file that was looked for is named."""
    assert refused(site, KUBECONFIG="/nonexistent/config") == (
        "error: KUBECONFIG: there is no file /nonexistent/config\n"
        "  allowed: a kubeconfig of the cluster that the stack is for\n"
        "  mend:    export KUBECONFIG=path/of/the/kubeconfig\n"
        "           make cluster && . .slipway/env   # or a cluster on this machine"
    )


def test_an_unknown_context(site: ClusterSite, context: str) -> None:
    """The contexts that there are are named."""
    site.set(kubernetes={"context": "nowhere"})

    assert refused(site) == (
        f'error: slipway:kubernetes.context: found "nowhere", which {site.environ["KUBECONFIG"]} does not have\n'
        f"  allowed: {context}\n"
        f"  mend:    pulumi config set --path 'slipway:kubernetes.context' {context} --stack {site.stack}"
    )


def test_an_unreachable_cluster(site: ClusterSite, context: str) -> None:
    """The address that does not answer is named."""
    nowhere = site.kubeconfig("nowhere", cluster={"server": NOWHERE})

    assert refused(site, KUBECONFIG=str(nowhere)) == (
        f"error: the cluster of context {context} ({NOWHERE}) does not answer: connection refused\n"
        "  allowed: an API server that answers within 8 s\n"
        f"  mend:    kubectl --context {context} cluster-info\n"
        "           make cluster   # starts the one of this machine, where it is that one"
    )


def test_a_user_without_rights(site: ClusterSite, cluster: Cluster, context: str, where: str) -> None:
    """What the user may not do is named, with who it is."""
    namespace = outside(cluster)
    cluster.make("serviceaccounts", namespace, {"metadata": {"name": "nobody"}})
    path = f"{CORE}/namespaces/{namespace}/serviceaccounts/nobody/token"
    token = cluster.call("POST", path, {"spec": {"expirationSeconds": 600}})["status"]["token"]
    nobody = site.kubeconfig("nobody", user={"token": token})

    assert refused(site, KUBECONFIG=str(nobody)) == (
        f'error: the cluster of {where} forbids what is needed: namespaces "{site.namespace}" is forbidden: '
        f'User "system:serviceaccount:{namespace}:nobody" cannot get resource "namespaces" in API group "" '
        f'in the namespace "{site.namespace}"\n'
        f"  mend:    kubectl --context {context} auth can-i --list -n {site.namespace}"
    )


def test_a_wrong_token(site: ClusterSite, context: str, where: str) -> None:
    """The cluster does not know the user."""
    stranger = site.kubeconfig("stranger", user={"token": "stranger"})

    assert refused(site, KUBECONFIG=str(stranger)) == (
        f"error: the cluster of {where} does not accept the credentials of the kubeconfig: Unauthorized\n"
        "  allowed: credentials that are valid now\n"
        f"  mend:    kubectl --context {context} auth whoami   # log in again as your cluster's provider says"
    )


def test_a_storage_class_that_is_not_there(site: ClusterSite, cluster: Cluster) -> None:
    """Those that there are are named."""
    names = [each["metadata"]["name"] for each in cluster.call("GET", f"{STORAGE}/storageclasses")["items"]]
    site.set(kubernetes={"storage_class": "no-such-class"})

    assert refused(site) == (
        'error: slipway:kubernetes.storage_class: found "no-such-class", which the cluster does not have\n'
        f"  allowed: {', '.join(names)}\n"
        f"  mend:    pulumi config set --path 'slipway:kubernetes.storage_class' {names[0]} --stack {site.stack}"
    )


def test_an_ingress_class_that_is_not_there(site: ClusterSite) -> None:
    """It is found before anything is made: nobody would ever serve such an Ingress."""
    site.set(kubernetes={"expose": "ingress", "ingress_class": "no-such-class"})

    assert refused(site).startswith(
        'error: slipway:kubernetes.ingress_class: found "no-such-class", which the cluster does not have\n  allowed: '
    )


def test_a_namespace_of_somebody_else(site: ClusterSite, cluster: Cluster) -> None:
    """It is not touched."""
    namespace = outside(cluster)
    site.set(kubernetes={"namespace": namespace})
    before = cluster.get("namespaces", None, namespace)

    assert refused(site).startswith(
        f"error: slipway:kubernetes.namespace: {namespace} is there already and is not this stack's\n"
        "  allowed: a namespace that does not exist yet, or one with the labels of this stack\n"
        "  mend:    pulumi config set --path 'slipway:kubernetes.namespace' "
    )
    assert cluster.get("namespaces", None, namespace) == before


def test_a_pod_that_is_too_large_for_any_node(site: ClusterSite) -> None:
    """It is found before anything is made, with what a node can give."""
    site.set(postgres={"resources": {"memory_mb": 1048576, "cpus": 0.5}})

    said = refused(site)

    assert said.startswith("error: slipway:postgres.resources")
    assert ": postgres needs 1048576 MiB and 0.05 cores, which no node has\n  allowed: at most " in said
    assert "  mend:    pulumi config set --path 'slipway:postgres.resources.memory_mb' " in said


def test_a_quota_that_is_too_small(site: ClusterSite, cluster: Cluster) -> None:
    """One that the namespace has from whoever runs the cluster: what it allows and what is needed is said."""
    labels = {"slipway.project": "e2e", "slipway.stack": site.stack}
    cluster.make("namespaces", None, {"metadata": {"name": site.namespace, "labels": labels}})
    quota = {"metadata": {"name": "of-the-operator"}, "spec": {"hard": {"pods": "2"}}}
    cluster.make("resourcequotas", site.namespace, quota)

    said = refused(site)
    cluster.free(site.namespace)

    assert said.startswith(
        f"error: the ResourceQuota of-the-operator of namespace {site.namespace} is too small: pods is 2, "
    )
    assert "  allowed: a quota that holds the stack and, for a moment, two releases of it\n" in said


@pytest.mark.long
def test_pods_that_do_not_fit_together(site: ClusterSite, cluster: Cluster) -> None:
    """Each would fit by itself: the scheduler's reason is said within the time-out, with the setting that mends it."""
    [node, *_] = cluster.all("nodes")
    most = int(node["status"]["allocatable"]["memory"].removesuffix("Ki")) // 1024 * 6 // 10
    # Both start at once. A migration without room would wait for as long as a migration may take.
    site.set(**{name: {"resources": {"memory_mb": most, "cpus": 0.5}} for name in ("postgres", "redis")})

    done = site.up().bad()

    assert "cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory" in done.text
    assert ".resources.memory_mb' LESS --stack " in done.text
    assert done.seconds < 400
    site.down().good()
    wait("nothing is left", lambda: not site.things(), 60)
