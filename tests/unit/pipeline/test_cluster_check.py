"""What a cluster has to give, against an API server that answers recorded JSON: each bad input with its exact text."""

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.budget import cpu_request
from components.model import Settings
from pipeline.cluster import check
from pipeline.cluster.quantity import amount
from pipeline.console import PipelineError
from pipeline.engine import Engine
from tests.unit.pipeline.fake_cluster import APPS, HOME, OURS, Api, listed, named, node, of, ours
from tests.unit.pipeline.fake_pulumi import printed

NAMESPACE = "/api/v1/namespaces/shop-dev"


def refused(engine: Engine, settings: Settings, state: dict[str, Any] | None = None) -> str:
    """The whole text of what is refused before an update."""
    with pytest.raises(PipelineError) as error:
        check.before_update(engine, settings, state or {})
    return str(error.value)


def pointed(engine: Engine, path: object, **more: str) -> Engine:
    """The engine with another kubeconfig."""
    return replace(engine, environ={**engine.environ, "KUBECONFIG": str(path), **more})


def test_a_cluster_that_gives_everything_is_named_and_nothing_else_is_said(outside: Engine, api: Api) -> None:
    """Which one it is has to be seen at every update."""
    assert check.before_update(outside, of(api), {}) == []
    assert printed(outside) == f"    uses context fake ({api.url}), namespace shop-dev\n"


# --- the kubeconfig


def test_no_kubeconfig(engine: Engine, api: Api, tmp_path: Path) -> None:
    """Neither named nor where it usually is."""
    engine = replace(engine, environ={**engine.environ, "HOME": str(tmp_path)})
    assert refused(engine, of(api)) == (
        f"there is no kubeconfig: no KUBECONFIG, no {tmp_path}/.kube/config\n"
        "  allowed: a kubeconfig of the cluster that the stack is for\n"
        "  mend:    export KUBECONFIG=path/of/the/kubeconfig\n"
        "           make cluster && . .slipway/env   # or a cluster on this machine"
    )


def test_a_kubeconfig_that_is_not_there(engine: Engine, api: Api) -> None:
    """The variable names it."""
    assert refused(pointed(engine, "/nowhere/config"), of(api)).startswith(
        "KUBECONFIG: there is no file /nowhere/config\n"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not valid YAML: while parsing a flow node expected the node content, but found '<stream end>'"),
        ("just words", "it has no clusters, users and contexts"),
        ("contexts: [{context: {}}]", "its contexts have no names"),
        (
            "contexts: [{name: a, context: {cluster: b, user: c}}]\ncurrent-context: a",
            "Invalid kube-config",
        ),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(engine: Engine, api: Api, tmp_path: Path, text: str, reason: str) -> None:
    """The reason is told."""
    path = tmp_path / "broken"
    path.write_text(text)
    said = refused(pointed(engine, path), of(api))
    assert said.startswith(f"the kubeconfig {path} cannot be used: {reason}")
    assert said.endswith(
        "  allowed: a kubeconfig that kubectl accepts\n"
        "  mend:    kubectl config view   # shows what it says\n"
        "           export KUBECONFIG=path/of/another/kubeconfig"
    )


def test_an_unknown_context(outside: Engine, api: Api) -> None:
    """The known ones are listed."""
    path = outside.environ["KUBECONFIG"]
    assert refused(outside, of(api, context="prod")) == (
        f'slipway:kubernetes.context: found "prod", which {path} does not have\n'
        "  allowed: fake\n"
        "  mend:    pulumi config set --path 'slipway:kubernetes.context' fake --stack dev"
    )


def test_no_current_context(outside: Engine, api: Api, tmp_path: Path) -> None:
    """And none in the settings."""
    path = api.kubeconfig(tmp_path, **{"current-context": ""})
    assert refused(outside, of(api)) == (
        f"slipway:kubernetes.context is not set, and the current context of {path} is nothing\n"
        "  allowed: fake\n"
        "  mend:    kubectl config use-context fake\n"
        "           pulumi config set --path 'slipway:kubernetes.context' fake --stack dev   # or for this stack alone"
    )


def test_several_kubeconfigs_are_one(engine: Engine, api: Api, tmp_path: Path) -> None:
    """As KUBECONFIG may name several, of which some need not be there."""
    other = tmp_path / "other"
    other.write_text(yaml.safe_dump({"contexts": [{"name": "b", "context": {"cluster": "fake", "user": "me"}}]}))
    engine = pointed(engine, f"/nowhere:{other}:{api.kubeconfig(tmp_path)}")
    assert check.before_update(engine, of(api, context="b"), {}) == []
    assert "uses context b " in printed(engine)


# --- the way to it


def test_an_unreachable_cluster(outside: Engine, api: Api, tmp_path: Path) -> None:
    """Nobody listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        api.kubeconfig(tmp_path, clusters=[{"name": "fake", "cluster": {"server": url}}])
        assert refused(outside, of(api)) == (
            f"the cluster of context fake ({url}) does not answer: connection refused\n"
            "  allowed: an API server that answers within 8 s\n"
            "  mend:    kubectl --context fake cluster-info\n"
            "           make cluster   # starts the one of this machine, where it is that one"
        )


def test_a_cluster_that_says_nothing_is_not_waited_for_for_ever(
    outside: Engine, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is taken and never answered ends within the limit."""
    monkeypatch.setattr("pipeline.cluster.connection.ANSWER_SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        api.kubeconfig(tmp_path, clusters=[{"name": "fake", "cluster": {"server": url}}])
        start = time.monotonic()
        assert "does not answer: no answer in time" in refused(outside, of(api))
        assert time.monotonic() - start < 4


def test_a_cluster_that_cannot_be_trusted(outside: Engine, api: Api, tmp_path: Path) -> None:
    """Something else than TLS answers."""
    url = api.url.replace("http:", "https:")
    api.kubeconfig(tmp_path, clusters=[{"name": "fake", "cluster": {"server": url}}])
    assert refused(outside, of(api)).startswith(f"the cluster of context fake ({url}) cannot be trusted: ")


def test_credentials_that_are_refused(outside: Engine, api: Api) -> None:
    """Expired, or of another cluster."""
    api.refusals["/api"] = (401, "Unauthorized")
    assert refused(outside, of(api)) == (
        f"the cluster of context fake ({api.url}) does not accept the credentials of the kubeconfig: Unauthorized\n"
        "  allowed: credentials that are valid now\n"
        "  mend:    kubectl --context fake auth whoami   # log in again as your cluster's provider says"
    )


def test_what_is_forbidden_is_one_list(outside: Engine, api: Api) -> None:
    """Whoever administers the cluster gives it in one go."""
    api.denied = lambda it: (
        it["resource"] in ("*", "networkpolicies") or (it["resource"] == "namespaces" and it["verb"] != "get")
    )
    assert refused(outside, of(api)) == (
        "the credentials of context fake may not do what a stack needs in namespace shop-dev: "
        "create patch delete namespaces; get list watch create patch delete networkpolicies.networking.k8s.io\n"
        "  allowed: all of these; whoever administers the cluster gives them with a ClusterRole\n"
        "  mend:    kubectl --context fake auth can-i --list -n shop-dev   # shows what they may"
    )


def test_what_may_not_be_looked_at_stops_nothing(outside: Engine, api: Api) -> None:
    """Nobody has to administer the cluster to use a namespace of it."""
    for path in ("/api/v1/nodes", "/apis/storage.k8s.io/v1/storageclasses", f"{HOME}/resourcequotas"):
        api.refusals[path] = (403, "forbidden")
    assert check.before_update(outside, of(api), {}) == []


# --- what it offers


def gateway(namespaces: str) -> dict[str, Any]:
    """A Gateway that takes routes from there."""
    return named(
        "public", namespace="gateways", spec={"listeners": [{"allowedRoutes": {"namespaces": {"from": namespaces}}}]}
    )


GATEWAY = "/apis/gateway.networking.k8s.io/v1"
CERT = "/apis/cert-manager.io/v1"
TLS = {"expose": "ingress", "ingress_class": "nginx", "tls": "cert_manager", "issuer": "letsencrypt"}
NGINX = {"/apis/networking.k8s.io/v1/ingressclasses": listed(named("nginx"))}


@pytest.mark.parametrize(
    ("answers", "kubernetes", "text"),
    [
        (
            {"/version": {"major": "1", "minor": "29+", "gitVersion": "v1.29.4"}},
            {},
            """the cluster of context fake is Kubernetes v1.29.4
  allowed: 1.30 or newer, which can let a process sleep before it stops
  mend:    update the cluster, or choose another context of the kubeconfig""",
        ),
        (
            {"/apis/storage.k8s.io/v1/storageclasses": listed(named("slow"))},
            {},
            """slipway:kubernetes.storage_class is not set, and the cluster has no default storage class
  allowed: slow
  mend:    pulumi config set --path 'slipway:kubernetes.storage_class' slow --stack dev""",
        ),
        (
            {},
            {"storage_class": "fast"},
            """slipway:kubernetes.storage_class: found "fast", which the cluster does not have
  allowed: local-path
  mend:    pulumi config set --path 'slipway:kubernetes.storage_class' local-path --stack dev""",
        ),
        (
            {"/apis/storage.k8s.io/v1/storageclasses": listed()},
            {},
            """slipway:kubernetes.storage_class is not set, and the cluster has no default storage class
  allowed: one of the cluster, which has none
  mend:    install what brings one (kubectl get storageclass), or set slipway:kubernetes.storage_class""",
        ),
        (
            {},
            {"storage": {"shared_access": "ReadWriteMany"}},
            """slipway:kubernetes.storage.shared_access: found ReadWriteMany, which storage class local-path (rancher.io/local-path) cannot do
  allowed: ReadWriteOnce, or a class for files that several nodes mount
  mend:    pulumi config set --path 'slipway:kubernetes.storage.shared_access' ReadWriteOnce --stack dev
           pulumi config set --path 'slipway:kubernetes.storage.shared_class' NAME --stack dev   # or another class""",
        ),
        (
            {},
            {"storage": {"shared_access": "ReadWriteMany", "shared_class": "files"}},
            """slipway:kubernetes.storage.shared_class: found "files", which the cluster does not have
  allowed: local-path
  mend:    pulumi config set --path 'slipway:kubernetes.storage.shared_class' local-path --stack dev""",
        ),
        (
            {},
            {"expose": "ingress"},
            """slipway:kubernetes.ingress_class is not set, and the cluster has no default ingress class
  allowed: one of the cluster, which has none
  mend:    install what brings one (kubectl get ingressclass), or set slipway:kubernetes.ingress_class""",
        ),
        (
            NGINX,
            {"expose": "ingress", "ingress_class": "traefik"},
            """slipway:kubernetes.ingress_class: found "traefik", which the cluster does not have
  allowed: nginx
  mend:    pulumi config set --path 'slipway:kubernetes.ingress_class' nginx --stack dev""",
        ),
        (
            {},
            {"expose": "gateway", "gateway": "gateways/public"},
            """slipway:kubernetes.expose: found gateway, but the cluster does not know the Gateway API (gateway.networking.k8s.io/v1)
  allowed: another way in, or a cluster with the Gateway API and a controller for it
  mend:    pulumi config set --path 'slipway:kubernetes.expose' ingress --stack dev""",
        ),
        (
            {GATEWAY: {"resources": [{"name": "httproutes"}]}, f"{GATEWAY}/gateways": listed(gateway("All"))},
            {"expose": "gateway", "gateway": "gateways/other"},
            """slipway:kubernetes.gateway: found "gateways/other", which the cluster does not have
  allowed: gateways/public
  mend:    pulumi config set --path 'slipway:kubernetes.gateway' gateways/public --stack dev""",
        ),
        (
            {
                GATEWAY: {"resources": [{"name": "httproutes"}]},
                f"{GATEWAY}/namespaces/gateways/gateways/public": gateway("Same"),
            },
            {"expose": "gateway", "gateway": "gateways/public"},
            """slipway:kubernetes.gateway: no listener of gateways/public takes routes of other namespaces
  allowed: a listener with allowedRoutes.namespaces.from: All, or a Selector that fits
  mend:    kubectl -n gateways edit gateway public""",
        ),
        (
            NGINX,
            TLS,
            """slipway:kubernetes.tls: found cert_manager, but the cluster has no cert-manager (cert-manager.io/v1)
  allowed: another source of the certificate, or a cluster with cert-manager
  mend:    pulumi config set --path 'slipway:kubernetes.tls' secret --stack dev""",
        ),
        (
            {**NGINX, CERT: {"resources": [{"name": "clusterissuers"}]}, f"{CERT}/clusterissuers": listed(named("ca"))},
            TLS,
            """slipway:kubernetes.issuer: found "letsencrypt", which is no ClusterIssuer of the cluster
  allowed: ca
  mend:    pulumi config set --path 'slipway:kubernetes.issuer' ca --stack dev""",
        ),
    ],
)
def test_what_the_cluster_does_not_offer(
    outside: Engine, api: Api, answers: dict[str, Any], kubernetes: dict[str, Any], text: str
) -> None:
    """The setting, what it says, what there is, and the command that mends it."""
    api.answers |= answers
    assert refused(outside, of(api, **kubernetes)) == text


def test_an_operator_that_is_not_there(outside: Engine, api: Api) -> None:
    """CloudNativePG, where settings leave the database to it."""
    settings = of(api, {"postgres": {"provider": "cloudnative-pg"}})
    assert refused(outside, settings) == (
        "slipway:postgres.provider: found cloudnative-pg, but the cluster does not have that operator (postgresql.cnpg.io/v1)\n"
        "  allowed: slipway, external, or a cluster with CloudNativePG\n"
        "  mend:    pulumi config rm --path 'slipway:postgres.provider' --stack dev"
        "   # or install the operator, then this command again"
    )
    api.answers["/apis/postgresql.cnpg.io/v1"] = {"resources": [{"name": "clusters"}]}
    assert check.before_update(outside, settings, {}) == []


# --- the namespace


@pytest.mark.parametrize(
    ("labels", "whose"),
    [
        ({}, "is not this stack's"),
        ({"slipway.project": "shop", "slipway.stack": "prod"}, "belongs to stack prod of shop"),
    ],
)
def test_a_namespace_of_somebody_else(outside: Engine, api: Api, labels: dict[str, str], whose: str) -> None:
    """It is left alone."""
    api.answers[NAMESPACE] = named("shop-dev", labels=labels)
    assert refused(outside, of(api)) == (
        f"slipway:kubernetes.namespace: shop-dev is there already and {whose}\n"
        "  allowed: a namespace that does not exist yet, or one with the labels of this stack\n"
        "  mend:    pulumi config set --path 'slipway:kubernetes.namespace' shop-dev-2 --stack dev\n"
        "           # or, if nothing else is in it, give it to this stack:\n"
        "           kubectl --context fake label --overwrite namespace shop-dev"
        " slipway.project=shop slipway.stack=dev"
    )


MADE = {"type": "kubernetes:core/v1:Namespace", "id": "shop-dev"}


@pytest.mark.parametrize(
    "state", [{"resources": [MADE]}, {"pending_operations": [{"type": "creating", "resource": MADE}]}]
)
def test_the_namespace_of_the_stack_itself_is_fine(outside: Engine, api: Api, state: dict[str, Any]) -> None:
    """What runs there is known by the state, or was being made."""
    api.answers[NAMESPACE] = named("shop-dev", labels=OURS)
    api.answers[f"{APPS}/deployments"] = listed(ours("web", "web"))
    assert check.before_update(outside, of(api), state) == []


def test_data_that_was_kept_is_no_stranger(outside: Engine, api: Api) -> None:
    """A namespace with claims and nothing that runs is what `down` has left of protected data."""
    api.answers[NAMESPACE] = named("shop-dev", labels=OURS)
    api.answers[f"{HOME}/persistentvolumeclaims"] = listed(ours("postgres", "postgres"))
    assert check.before_update(outside, of(api), {}) == []


def test_a_stack_of_another_checkout_is_left_alone(outside: Engine, api: Api) -> None:
    """It runs, and the state does not know it."""
    api.answers[NAMESPACE] = named("shop-dev", labels=OURS)
    api.answers[f"{APPS}/deployments"] = listed(ours("web", "web"))
    assert refused(outside, of(api)) == (
        "slipway:app.name: shop-dev runs on this cluster already, and this checkout did not make it"
        " (deployment web in namespace shop-dev)\n"
        "  allowed: one checkout for each name and stack\n"
        "  mend:    make down STACK=dev   # in the checkout that it runs from\n"
        "           pulumi config set --path 'slipway:kubernetes.namespace' shop-dev-2 --stack dev"
        "   # or another namespace here\n"
        "           # or, if its state was lost: what runs goes, its data stays, and the next update finds that again:\n"
        "           kubectl --context fake -n shop-dev"
        " delete deployments,statefulsets,cronjobs,jobs,secrets,configmaps -l slipway.stack=dev"
    )


def ending(times: int) -> Callable[[object], dict[str, Any]]:
    """A namespace that is being deleted the first times that it is asked for, and is ours afterwards."""
    left = [times]

    def answer(_query: object) -> dict[str, Any]:
        left[0] -= 1
        told = {"type": "NamespaceContentRemaining", "status": "True", "message": "pods has 1 resource instances"}
        status = {"phase": "Terminating", "conditions": [told]} if left[0] >= 0 else {"phase": "Active"}
        return named("shop-dev", labels=OURS, status=status)

    return answer


def test_a_namespace_that_is_being_deleted_is_waited_for(
    outside: Engine, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it waits for is said."""
    monkeypatch.setattr(check, "PAUSE_SECONDS", 0.01)
    api.answers[NAMESPACE] = ending(2)
    assert check.before_update(outside, of(api), {}) == []
    assert printed(outside).splitlines()[1:] == [
        "    waits for the end of namespace shop-dev, which is being deleted (pods has 1 resource instances)"
    ]


def test_a_namespace_that_never_ends_is_not_waited_for_for_ever(
    outside: Engine, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finalizer may hold it."""
    monkeypatch.setattr(check, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(check, "TERMINATING_SECONDS", 0.05)
    api.answers[NAMESPACE] = ending(1000)
    assert refused(outside, of(api)) == (
        "namespace shop-dev is being deleted and does not end within 0 s (pods has 1 resource instances)\n"
        "  allowed: a namespace that is gone, or another one\n"
        "  mend:    kubectl --context fake get namespace shop-dev -o yaml   # its conditions say what it waits for\n"
        "           pulumi config set --path 'slipway:kubernetes.namespace' shop-dev-2 --stack dev"
    )


def quota(labels: dict[str, str], **hard: str) -> dict[str, Any]:
    """A quota."""
    return listed(named("team", labels=labels, spec={"hard": {key.replace("_", "."): hard[key] for key in hard}}))


def test_a_quota_that_is_too_small(outside: Engine, api: Api) -> None:
    """Each number that is too small, with what is needed; room to spare is not."""
    api.answers[f"{HOME}/resourcequotas"] = quota({}, limits_memory="1Gi", requests_cpu="500m", pods="100")
    said = refused(outside, of(api))
    assert said.startswith(
        "the ResourceQuota team of namespace shop-dev is too small: limits.memory is 1Gi, 3072 MiB are needed; "
        "requests.cpu is 500m, "
    )
    assert said.endswith(
        "  allowed: a quota that holds the stack and, for a moment, two releases of it\n"
        "  mend:    kubectl --context fake -n shop-dev edit resourcequota team   # whoever administers the cluster\n"
        "           pulumi config set --path 'slipway:web.replicas' 1 --stack dev"
        "   # or less of slipway:web.resources and others"
    )


def test_our_own_quota_is_set_by_the_update(outside: Engine, api: Api) -> None:
    """The one of the last update may be smaller."""
    api.answers[f"{HOME}/resourcequotas"] = quota(OURS, limits_memory="1Gi")
    assert check.before_update(outside, of(api), {}) == []


# --- the nodes


def test_a_pod_that_no_node_has_room_for(outside: Engine, api: Api) -> None:
    """It could never be scheduled, however long one waits."""
    api.answers["/api/v1/nodes"] = listed(node(memory="400Mi"), node("large", memory="4Gi", unschedulable=True))
    said = refused(outside, of(api, {"web": {"resources": {"memory_mb": 512, "cpus": 1}}}))
    assert said.splitlines()[:3] == [
        "slipway:web.resources.memory_mb: web needs 512 MiB and 0.1 cores, which no node has",
        "  allowed: at most 400 MiB and 2 cores, which the largest node gives to all its pods",
        "  mend:    pulumi config set --path 'slipway:web.resources.memory_mb' 100 --stack dev",
    ]


def test_no_node_takes_pods(outside: Engine, api: Api) -> None:
    """Tainted or cordoned."""
    api.answers["/api/v1/nodes"] = listed(node(taints=[{"effect": "NoSchedule"}]))
    assert refused(outside, of(api)) == (
        "the cluster of context fake has no node that takes pods (1 nodes)\n"
        "  allowed: a node that is Ready, not cordoned, and without taints\n"
        "  mend:    kubectl --context fake get nodes"
    )


def test_a_cluster_that_grows_may_be_empty(outside: Engine, api: Api) -> None:
    """Whoever makes nodes on demand makes some that are large enough."""
    api.answers |= {"/api/v1/nodes": listed(), "/apis/karpenter.sh": {"kind": "APIGroup"}}
    assert check.before_update(outside, of(api), {}) == []


SPREAD = (
    "    web and edge share files (ReadWriteOnce), so all of them run on one of the nodes; "
    "slipway:kubernetes.storage.shared_access ReadWriteMany spreads them"
)


def test_what_is_odd_is_a_notice(outside: Engine, api: Api) -> None:
    """It stops nothing."""
    api.answers["/api/v1/nodes"] = listed(node(), node("two"))
    settings = of(api, autoscale={"enabled": True})
    assert check.before_update(outside, settings, {}) == []
    assert printed(outside).splitlines()[1:] == [
        SPREAD,
        "    the cluster has no metrics API, so that nothing is scaled; metrics-server brings it",
    ]


def test_a_crowded_cluster_is_a_notice(outside: Engine, api: Api) -> None:
    """Others may go at any time, so it is no error; our own pods and those that have ended do not count."""

    def asks(namespace: str, **requests: str) -> dict[str, Any]:
        return named("other", namespace=namespace, spec={"containers": [{"resources": {"requests": requests}}, {}]})

    wanted = sum(cpu_request(each.cpus) for _, each in check.pods(of(api)))
    api.answers["/api/v1/pods"] = listed(asks("other", cpu="1900m", memory="1Gi"), asks("shop-dev", cpu="1"))
    assert check.before_update(outside, of(api), {}) == []
    assert printed(outside).splitlines()[1:] == [
        f"    the nodes have 0.10 cores and 7168 MiB left that nobody is promised, and this stack wants {wanted:.2f} and 1280: pods may wait for room"
    ]


# --- all together


@pytest.fixture
def free() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_every_problem_is_told_at_once(outside: Engine, api: Api, free: int) -> None:
    """A user mends all in one go; the registry is asked even where the cluster is away."""
    api.answers["/apis/storage.k8s.io/v1/storageclasses"] = listed()
    settings = of(api, registry=f"127.0.0.1:{free}/team", expose="ingress")
    with pytest.raises(PipelineError) as error:
        check.before_update(outside, settings, {})
    assert [each.found.split(":")[1].split()[0] for each in error.value.problems] == [
        "kubernetes.registry",
        "kubernetes.storage_class",
        "kubernetes.ingress_class",
    ]
    away = pointed(outside, "/nowhere")
    with pytest.raises(PipelineError) as error:
        check.before_update(away, settings, {})
    assert [each.found for each in error.value.problems] == [
        f"slipway:kubernetes.registry: 127.0.0.1:{free} does not answer: Connection refused",
        "KUBECONFIG: there is no file /nowhere",
    ]


def test_a_preview_needs_no_cluster(outside: Engine, api: Api) -> None:
    """It says in one line that it was not asked, and why."""
    assert check.doubts(pointed(outside, "/nowhere"), of(api), {}) == [
        "The cluster was not asked, and settings and state alone tell: KUBECONFIG: there is no file /nowhere"
    ]


def test_a_preview_only_warns(outside: Engine, api: Api) -> None:
    """Of all that an update would refuse."""
    api.answers[NAMESPACE] = named("shop-dev", status={"phase": "Terminating"})
    api.answers["/apis/storage.k8s.io/v1/storageclasses"] = listed()
    assert check.doubts(outside, of(api), {}) == [
        "namespace shop-dev is being deleted; an update waits for its end",
        "slipway:kubernetes.storage_class is not set, and the cluster has no default storage class",
        "slipway:kubernetes.namespace: shop-dev is there already and is not this stack's",
    ]


def test_what_the_state_knows_and_the_cluster_does_not_is_named(outside: Engine, api: Api) -> None:
    """Somebody has deleted it, and Pulumi alone would take the state's word for it."""
    api.answers[NAMESPACE] = named("shop-dev", labels=OURS)
    api.answers[f"{APPS}/deployments"] = listed(ours("web", "web"))
    kind = "kubernetes:apps/v1:Deployment"
    state = {
        "resources": [
            MADE,
            {"type": kind, "id": "shop-dev/web"},
            {"type": kind, "id": "shop-dev/edge"},
            {"type": kind, "id": "shop-dev/old", "delete": True},
            {"type": "kubernetes:batch/v1:Job", "id": "shop-dev/migration-1"},
        ]
    }
    assert check.before_update(outside, of(api), state) == ["Deployment edge"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("250m", 0.25), ("512Mi", 512 * 2**20), ("1Gi", 2**30), ("1500k", 1.5e6), ("1e3", 1000), (4, 4)],
)
def test_quantities(text: object, value: float) -> None:
    """As Kubernetes writes them."""
    assert amount(text) == value
