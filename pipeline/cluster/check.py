"""What a cluster has to give before a stack can be brought up: a version, permissions, classes, operators, room.

Each check gives the problems that it found and changes nothing. What the server does not let us look at is left out:
nobody has to be an administrator of the cluster.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from components import budget
from components.labels import PROJECT, STACK
from components.model import Access, Expose, PostgresProvider, RedisProvider, Resources, Settings, TlsFrom
from components.problems import config_rm, config_set
from components.tokens import KUBERNETES
from pipeline.cluster import registry
from pipeline.cluster.connection import FORBIDDEN, Cluster, Json, RefusedError, collection, connect, path_of, place_of
from pipeline.cluster.quantity import GIB, MIB, amount
from pipeline.console import PipelineError, Problem, problem
from pipeline.engine import Engine

T = TypeVar("T")

LEAST_VERSION = (1, 30)
"""The first with `preStop: sleep` switched on, which every process that serves ends with."""
TERMINATING_SECONDS = 180
PAUSE_SECONDS = 1.0
TELL_SECONDS = 10
ANSWERS_AT_ONCE = 8

DEFAULT_STORAGE_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"
GATEWAY_API, CERT_MANAGER, CLOUDNATIVE_PG = (
    "gateway.networking.k8s.io/v1",
    "cert-manager.io/v1",
    "postgresql.cnpg.io/v1",
)
METRICS = "metrics.k8s.io/v1beta1"
ONE_NODE_PROVISIONERS = {
    "rancher.io/local-path",
    "kubernetes.io/aws-ebs",
    "ebs.csi.aws.com",
    "pd.csi.storage.gke.io",
    "disk.csi.azure.com",
}
"""Known to refuse ReadWriteMany for files: a claim would wait for ever."""


def before_update(engine: Engine, settings: Settings, state: Mapping[str, Any]) -> list[str]:
    """Run every check and raise all problems at once; give what the state knows and the cluster does not."""
    problems = registry.problems(settings, engine.stack)
    gone: list[str] = []
    try:
        with connect(engine, place_of(settings)) as cluster:
            engine.console.say(f"    {using(cluster)}")
            wait_until_ended(engine, cluster)
            problems += look(cluster, settings, engine.stack, state)
            if not problems:
                for notice in notices(cluster, settings):
                    engine.console.say(f"    {notice}")
                gone = missing(cluster, state)
    except PipelineError as error:
        problems += error.problems
    if problems:
        raise PipelineError(*problems)
    return gone


def doubts(engine: Engine, settings: Settings, state: Mapping[str, Any]) -> list[str]:
    """Say what an update would stumble over; where the cluster cannot be asked, that."""
    found: list[str] = []
    try:
        with connect(engine, place_of(settings)) as cluster:
            engine.console.say(f"    {using(cluster)}")
            now = cluster.get(path_of("v1", "namespaces", name=cluster.namespace))
            if now is not None and terminating(now):
                found.append(f"namespace {cluster.namespace} is being deleted; an update waits for its end")
            found += [each.found for each in look(cluster, settings, engine.stack, state)]
            found += notices(cluster, settings)
    except PipelineError as error:
        found.append(f"The cluster was not asked, and settings and state alone tell: {error.problems[0].found}")
    return found + [each.found for each in registry.problems(settings, engine.stack)]


def using(cluster: Cluster) -> str:
    """Say which cluster is meant."""
    return f"uses context {cluster.context} ({cluster.server}), namespace {cluster.namespace}"


def look(cluster: Cluster, settings: Settings, stack: str, state: Mapping[str, Any]) -> list[Problem]:
    """Give every problem."""
    checks: list[Callable[[], Iterable[Problem]]] = [
        lambda: version(cluster),
        lambda: permissions(cluster, settings),
        lambda: storage(cluster, settings, stack),
        lambda: exposure(cluster, settings, stack),
        lambda: operator(cluster, settings, stack),
        lambda: namespace(cluster, settings, stack, state),
        lambda: quotas(cluster, settings, stack),
        lambda: nodes(cluster, settings, stack),
    ]
    return [each for check in checks for each in allowed(check)]


def allowed(check: Callable[[], Iterable[T]]) -> list[T]:
    """Run a check; nothing where the server does not let us look."""
    try:
        return list(check())
    except RefusedError as error:
        if error.status == FORBIDDEN:
            return []
        raise


# ---------------------------------------------------------------------------------------------------------------------
# The server, and what it lets us do.


def version(cluster: Cluster) -> Iterator[Problem]:
    """Check that the server knows every field that we use."""
    said = cluster.get("/version") or {}
    numbers = tuple(int(re.sub(r"\D.*", "", str(said.get(part))) or 0) for part in ("major", "minor"))
    if numbers < LEAST_VERSION:
        yield Problem(
            f"the cluster of context {cluster.context} is Kubernetes {said.get('gitVersion')}",
            allowed=f"{'.'.join(map(str, LEAST_VERSION))} or newer, which can let a process sleep before it stops",
            mend="update the cluster, or choose another context of the kubeconfig",
        )


_MAKE = ("get", "list", "watch", "create", "patch", "delete")
_LOOK = ("get", "list", "watch")


def needs(settings: Settings) -> list[tuple[str, str, tuple[str, ...], bool]]:
    """List what an update does: group, resource, verbs, and whether that is inside the namespace."""
    cluster = settings.kubernetes
    made = [("", name) for name in ("configmaps", "secrets", "services", "serviceaccounts", "persistentvolumeclaims")]
    made += [("", "resourcequotas"), ("", "limitranges"), ("apps", "deployments"), ("batch", "jobs")]
    made += [("networking.k8s.io", "networkpolicies"), ("policy", "poddisruptionbudgets")]
    ours = (settings.postgres.provider is PostgresProvider.SLIPWAY, settings.redis.provider is RedisProvider.SLIPWAY)
    if any(ours) or settings.services or any(process.singleton for process in settings.processes.values()):
        made.append(("apps", "statefulsets"))
    if any(process.schedule is not None for process in settings.processes.values()):
        made.append(("batch", "cronjobs"))
    if settings.postgres.provider is PostgresProvider.CLOUDNATIVE_PG:
        made.append((CLOUDNATIVE_PG.partition("/")[0], "clusters"))
    if cluster.autoscale.enabled:
        made.append(("autoscaling", "horizontalpodautoscalers"))
    if cluster.expose is Expose.INGRESS:
        made.append(("networking.k8s.io", "ingresses"))
    if cluster.expose is Expose.GATEWAY:
        made.append((GATEWAY_API.partition("/")[0], "httproutes"))
    seen = [("", "pods"), ("", "pods/log"), ("", "events"), ("apps", "replicasets")]
    return [
        ("", "namespaces", ("get", "create", "patch", "delete"), False),
        *((group, resource, _MAKE, True) for group, resource in made),
        *((group, resource, ("get",) if "/" in resource else _LOOK, True) for group, resource in seen),
    ]


def permissions(cluster: Cluster, settings: Settings) -> Iterator[Problem]:
    """Check that we may do all that an update does, and name what is missing in one list."""
    if cluster.allowed("*", "*", "*", None):
        return
    asked = [
        (verb, group, resource, cluster.namespace if inside else None)
        for group, resource, verbs, inside in needs(settings)
        for verb in verbs
    ]
    with ThreadPoolExecutor(ANSWERS_AT_ONCE) as pool:
        answers = list(pool.map(lambda each: cluster.allowed(*each), asked))
    denied: dict[str, list[str]] = {}
    for (verb, group, resource, _), fine in zip(asked, answers, strict=True):
        if not fine:
            denied.setdefault(f"{resource}.{group}" if group else resource, []).append(verb)
    if denied:
        listed = "; ".join(f"{' '.join(verbs)} {resource}" for resource, verbs in denied.items())
        yield Problem(
            f"the credentials of context {cluster.context} may not do what a stack needs "
            f"in namespace {cluster.namespace}: {listed}",
            allowed="all of these; whoever administers the cluster gives them with a ClusterRole",
            mend=f"kubectl --context {cluster.context} auth can-i --list -n {cluster.namespace}   # shows what they may",
        )


# ---------------------------------------------------------------------------------------------------------------------
# What the cluster offers.


def storage(cluster: Cluster, settings: Settings, stack: str) -> Iterator[Problem]:
    """Check that there are classes of storage for the claims, and that they can do what those ask for."""
    wanted, access = settings.kubernetes.storage_class, settings.kubernetes.storage.shared_access
    known = cluster.items(path_of("storage.k8s.io/v1", "storageclasses"))
    chosen = _class(known, wanted, DEFAULT_STORAGE_CLASS)
    if chosen is None:
        yield _no_class("storage class", ("kubernetes", "storage_class"), wanted, known, stack, "storageclass")
    key = ("kubernetes", "storage", "shared_class")
    if shared := settings.kubernetes.storage.shared_class:
        chosen = _class(known, shared, DEFAULT_STORAGE_CLASS)
        if chosen is None:
            yield _no_class("storage class", key, shared, known, stack, "storageclass")
    if chosen is None:
        return
    if access is Access.MANY_NODES and chosen.get("provisioner") in ONE_NODE_PROVISIONERS:
        yield Problem(
            f"slipway:kubernetes.storage.shared_access: found {access}, "
            f"which storage class {_name(chosen)} ({chosen['provisioner']}) cannot do",
            allowed=f"{Access.ONE_NODE}, or a class for files that several nodes mount",
            mend=f"{config_set(('kubernetes', 'storage', 'shared_access'), Access.ONE_NODE, stack)}\n"
            f"{config_set(key, 'NAME', stack)}   # or another class",
        )


def exposure(cluster: Cluster, settings: Settings, stack: str) -> Iterator[Problem]:
    """Check that what lets visitors in is there: an ingress class, a gateway, cert-manager."""
    kubernetes = settings.kubernetes
    if kubernetes.expose is Expose.INGRESS:
        known = cluster.items(path_of("networking.k8s.io/v1", "ingressclasses"))
        if _class(known, kubernetes.ingress_class, DEFAULT_INGRESS_CLASS) is None:
            yield _no_class(
                "ingress class", ("kubernetes", "ingress_class"), kubernetes.ingress_class, known, stack, "ingressclass"
            )
    if kubernetes.expose is Expose.GATEWAY:
        yield from _gateway(cluster, str(kubernetes.gateway), stack)
    if kubernetes.tls is TlsFrom.CERT_MANAGER:
        yield from _issuer(cluster, str(kubernetes.issuer), stack)


def _class(known: list[Json], wanted: str | None, default: str) -> Json | None:
    for each in known:
        if _name(each) == wanted if wanted else is_default(each, default):
            return each
    return None


def is_default(found: Json, annotation: str) -> bool:
    """Whether a class is the cluster's default one."""
    return (found["metadata"].get("annotations") or {}).get(annotation) == "true"


def _no_class(what: str, key: tuple[str, ...], wanted: str | None, known: list[Json], stack: str, kind: str) -> Problem:  # noqa: PLR0913, PLR0917 - the parts of one sentence
    names = [_name(each) for each in known]
    setting = f"slipway:{'.'.join(key)}"
    mend = (
        config_set(key, names[0], stack) if names else f"install what brings one (kubectl get {kind}), or set {setting}"
    )
    if wanted:
        found = f'{setting}: found "{wanted}", which the cluster does not have'
    else:
        found = f"{setting} is not set, and the cluster has no default {what}"
    return Problem(found, allowed=", ".join(names) or "one of the cluster, which has none", mend=mend)


def _gateway(cluster: Cluster, wanted: str, stack: str) -> Iterator[Problem]:
    if not _serves(cluster, GATEWAY_API, "httproutes"):
        yield Problem(
            f"slipway:kubernetes.expose: found gateway, but the cluster does not know the Gateway API ({GATEWAY_API})",
            allowed="another way in, or a cluster with the Gateway API and a controller for it",
            mend=config_set(("kubernetes", "expose"), Expose.INGRESS, stack),
        )
        return
    home, _, name = wanted.partition("/")
    found = cluster.get(path_of(GATEWAY_API, "gateways", home, name))
    if found is None:
        known = [f"{each['metadata']['namespace']}/{_name(each)}" for each in _gateways(cluster)]
        yield Problem(
            f'slipway:kubernetes.gateway: found "{wanted}", which the cluster does not have',
            allowed=", ".join(known) or "a Gateway of the cluster, which has none",
            mend=config_set(("kubernetes", "gateway"), known[0] if known else "NAMESPACE/NAME", stack),
        )
        return
    listeners = (found.get("spec") or {}).get("listeners") or []
    allowed = {((each.get("allowedRoutes") or {}).get("namespaces") or {}).get("from", "Same") for each in listeners}
    if allowed <= {"Same", "None"} and home != cluster.namespace:
        yield Problem(
            f"slipway:kubernetes.gateway: no listener of {wanted} takes routes of other namespaces",
            allowed="a listener with allowedRoutes.namespaces.from: All, or a Selector that fits",
            mend=f"kubectl -n {home} edit gateway {name}",
        )


def _gateways(cluster: Cluster) -> list[Json]:
    return allowed(lambda: cluster.items(path_of(GATEWAY_API, "gateways")))


def _issuer(cluster: Cluster, wanted: str, stack: str) -> Iterator[Problem]:
    if not _serves(cluster, CERT_MANAGER, "clusterissuers"):
        yield Problem(
            f"slipway:kubernetes.tls: found cert_manager, but the cluster has no cert-manager ({CERT_MANAGER})",
            allowed="another source of the certificate, or a cluster with cert-manager",
            mend=config_set(("kubernetes", "tls"), TlsFrom.SECRET, stack),
        )
    elif cluster.get(path_of(CERT_MANAGER, "clusterissuers", name=wanted)) is None:
        known = [_name(each) for each in allowed(lambda: cluster.items(path_of(CERT_MANAGER, "clusterissuers")))]
        yield Problem(
            f'slipway:kubernetes.issuer: found "{wanted}", which is no ClusterIssuer of the cluster',
            allowed=", ".join(known) or "a ClusterIssuer of the cluster, which has none",
            mend=config_set(("kubernetes", "issuer"), known[0] if known else "NAME", stack),
        )


def operator(cluster: Cluster, settings: Settings, stack: str) -> Iterator[Problem]:
    """Check that CloudNativePG is there when it is to run the database."""
    managed = settings.postgres.provider is PostgresProvider.CLOUDNATIVE_PG
    if managed and not _serves(cluster, CLOUDNATIVE_PG, "clusters"):
        yield Problem(
            f"slipway:postgres.provider: found {settings.postgres.provider}, "
            f"but the cluster does not have that operator ({CLOUDNATIVE_PG})",
            allowed=f"{PostgresProvider.SLIPWAY}, {PostgresProvider.EXTERNAL}, or a cluster with CloudNativePG",
            mend=config_rm(("postgres", "provider"), stack) + "   # or install the operator, then this command again",
        )


def _serves(cluster: Cluster, group: str, resource: str) -> bool:
    """Whether the server knows a kind."""
    known = cluster.get(f"/apis/{group}") or {}
    return any(each["name"] == resource for each in known.get("resources") or [])


# ---------------------------------------------------------------------------------------------------------------------
# The namespace.


def terminating(found: Json) -> bool:
    """Whether a namespace is being deleted."""
    return (found.get("status") or {}).get("phase") == "Terminating"


def wait_until_ended(engine: Engine, cluster: Cluster) -> bool:
    """Wait while the namespace is being deleted, and say what it waits for. True when there was something to wait for."""
    end = time.monotonic() + TERMINATING_SECONDS
    told = 0.0
    waited = False
    while True:
        found = cluster.get(path_of("v1", "namespaces", name=cluster.namespace))
        if found is None or not terminating(found):
            return waited
        waited = True
        remains = _remains(found)
        if time.monotonic() > end:
            raise problem(
                f"namespace {cluster.namespace} is being deleted and does not end within {TERMINATING_SECONDS:.0f} s{remains}",
                allowed="a namespace that is gone, or another one",
                mend=f"kubectl --context {cluster.context} get namespace {cluster.namespace} -o yaml"
                "   # its conditions say what it waits for\n"
                + config_set(("kubernetes", "namespace"), f"{cluster.namespace}-2"[-63:], engine.stack),
            )
        if time.monotonic() - told > TELL_SECONDS:
            engine.console.say(
                f"    waits for the end of namespace {cluster.namespace}, which is being deleted{remains}"
            )
            told = time.monotonic()
        time.sleep(PAUSE_SECONDS)


def _remains(found: Json) -> str:
    told = [
        str(each.get("message"))
        for each in (found.get("status") or {}).get("conditions") or []
        if each.get("status") == "True" and "Remaining" in str(each.get("type"))
    ]
    return f" ({'; '.join(told)})" if told else ""


def namespace(cluster: Cluster, settings: Settings, stack: str, state: Mapping[str, Any]) -> Iterator[Problem]:
    """Check that the namespace is free, or this stack's own."""
    found = cluster.get(path_of("v1", "namespaces", name=cluster.namespace))
    if found is None:
        return
    labels = found["metadata"].get("labels") or {}
    ours = {PROJECT: settings.app.name, STACK: stack}
    other = config_set(("kubernetes", "namespace"), f"{settings.app.name}-{stack}-2"[-63:].strip("-"), stack)
    if any(labels.get(key) != value for key, value in ours.items()):
        whose = "is not this stack's"
        if STACK in labels:
            whose = f"belongs to stack {labels[STACK]} of {labels.get(PROJECT)}"
        given = " ".join(f"{key}={value}" for key, value in ours.items())
        yield Problem(
            f"slipway:kubernetes.namespace: {cluster.namespace} is there already and {whose}",
            allowed="a namespace that does not exist yet, or one with the labels of this stack",
            mend=f"{other}\n# or, if nothing else is in it, give it to this stack:\n"
            f"kubectl --context {cluster.context} label --overwrite namespace {cluster.namespace} {given}",
        )
        return
    runs = _strangers(cluster, ours, state)
    if runs:
        yield Problem(
            f"slipway:app.name: {settings.app.name}-{stack} runs on this cluster already, "
            f"and this checkout did not make it ({runs[0]} in namespace {cluster.namespace})",
            allowed="one checkout for each name and stack",
            mend=f"make down STACK={stack}   # in the checkout that it runs from\n{other}   # or another namespace here\n"
            "# or, if its state was lost: what runs goes, its data stays, and the next update finds that again:\n"
            f"{cluster.kubectl} delete deployments,statefulsets,cronjobs,jobs,secrets,configmaps -l {STACK}={stack}",
        )


def _strangers(cluster: Cluster, ours: Mapping[str, str], state: Mapping[str, Any]) -> list[str]:
    """What runs under our labels where the state knows of no namespace. Claims alone are data that was kept."""
    made = [*(state.get("resources") or []), *(each["resource"] for each in state.get("pending_operations") or [])]
    if any(each.get("type") == f"{KUBERNETES}core/v1:Namespace" for each in made):
        return []
    selector = ",".join(f"{key}={value}" for key, value in ours.items())
    return [
        f"{kind[:-1]} {_name(each)}"
        for kind in ("deployments", "statefulsets")
        for each in cluster.items(cluster.inside("apps/v1", kind), labelSelector=selector)
    ]


def quotas(cluster: Cluster, settings: Settings, stack: str) -> Iterator[Problem]:
    """Check that a quota that somebody else has set lets the stack run, with a release under way."""
    most = budget.budget(settings)
    wanted: dict[str, tuple[float, str]] = {}
    for names, value, unit, word in (
        (("limits.cpu",), most.cpus_limit, 1, "cores"),
        (("limits.memory",), most.memory_mb_limit, MIB, "MiB"),
        (("requests.cpu", "cpu"), most.cpus_request, 1, "cores"),
        (("requests.memory", "memory"), most.memory_mb_request, MIB, "MiB"),
        (("pods", "count/pods"), most.pods, 1, "pods"),
        (("persistentvolumeclaims", "count/persistentvolumeclaims"), most.claims, 1, "claims"),
        (("requests.storage",), most.storage_gb, GIB, "GiB"),
    ):
        need = value / budget.ROOM  # the budget has room on top, a quota of somebody else needs none
        wanted |= dict.fromkeys(names, (need * unit, f"{need:.6g} {word}"))
    for quota in cluster.items(cluster.inside("v1", "resourcequotas")):
        labels, spec = quota["metadata"].get("labels") or {}, quota.get("spec") or {}
        if labels.get(STACK) == stack or spec.get("scopes") or spec.get("scopeSelector"):
            continue
        small = [
            f"{name} is {hard}, {wanted[name][1]} are needed"
            for name, hard in (spec.get("hard") or {}).items()
            if name in wanted and amount(hard) < wanted[name][0]
        ]
        if small:
            yield Problem(
                f"the ResourceQuota {_name(quota)} of namespace {cluster.namespace} is too small: {'; '.join(small)}",
                allowed="a quota that holds the stack and, for a moment, two releases of it",
                mend=f"{cluster.kubectl} edit resourcequota {_name(quota)}   # whoever administers the cluster\n"
                f"{config_set(('web', 'replicas'), 1, stack)}   # or less of slipway:web.resources and others",
            )


# ---------------------------------------------------------------------------------------------------------------------
# The nodes.


def pods(settings: Settings) -> list[tuple[tuple[str, ...], Resources]]:
    """Each kind of pod of a stack: the settings that it has its resources from."""
    found: list[tuple[tuple[str, ...], Resources]] = [(("web",), settings.web.resources)]
    found.append((("edge",), settings.edge.resources))
    found += [(("processes", name), process.resources) for name, process in settings.processes.items()]
    found += [(("services", name), service.resources) for name, service in settings.services.items()]
    if settings.postgres.provider.deployed:
        found.append((("postgres",), settings.postgres.resources))
    if settings.redis.provider.deployed:
        found.append((("redis",), settings.redis.resources))
    return found


def usable(found: Iterable[Json]) -> list[Json]:
    """The nodes that take pods like ours."""
    return [
        node
        for node in found
        if ready(node)
        and not node["spec"].get("unschedulable")
        and not any(each["effect"] in ("NoSchedule", "NoExecute") for each in node["spec"].get("taints") or [])
    ]


def ready(node: Json) -> bool:
    """Whether a node is Ready."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def nodes(cluster: Cluster, settings: Settings, stack: str) -> Iterator[Problem]:
    """Check that each kind of pod would fit on an empty node."""
    found = cluster.items(path_of("v1", "nodes"))
    if grows(cluster):
        return  # whoever makes nodes on demand makes some that are large enough
    takers = usable(found)
    if not takers:
        yield Problem(
            f"the cluster of context {cluster.context} has no node that takes pods ({len(found)} nodes)",
            allowed="a node that is Ready, not cordoned, and without taints",
            mend=f"kubectl --context {cluster.context} get nodes",
        )
        return
    room = [
        (amount(node["status"]["allocatable"]["cpu"]), amount(node["status"]["allocatable"]["memory"]) / MIB)
        for node in takers
    ]
    for path, resources in pods(settings):
        cpus, memory = budget.cpu_request(resources.cpus), resources.memory_mb
        if any(cpus <= has_cpus and memory <= has_memory for has_cpus, has_memory in room):
            continue
        largest = max(room, key=lambda each: each[1])
        key = (*path, "resources")
        what, value = ("memory_mb", int(largest[1] / 4)) if memory > largest[1] else ("cpus", 1)
        yield Problem(
            f"slipway:{'.'.join((*key, what))}: {path[-1]} needs {memory} MiB and {cpus:g} cores, which no node has",
            allowed=f"at most {largest[1]:.0f} MiB and {largest[0]:g} cores, which the largest node gives to all its pods",
            mend=config_set((*key, what), value, stack),
        )


def grows(cluster: Cluster) -> bool:
    """Whether the cluster makes nodes on demand."""
    if cluster.get("/apis/karpenter.sh"):
        return True
    told = path_of("v1", "configmaps", "kube-system", "cluster-autoscaler-status")
    return bool(allowed(lambda: [1] if cluster.get(told) else []))


def notices(cluster: Cluster, settings: Settings) -> list[str]:
    """Say what is odd and stops nothing."""
    found = []
    takers = usable(allowed(lambda: cluster.items(path_of("v1", "nodes"))))
    found += allowed(lambda: crowded(cluster, settings, takers))
    if len(takers) > 1 and settings.kubernetes.storage.shared_access is Access.ONE_NODE:
        found.append(
            "web and edge share files (ReadWriteOnce), so all of them run on one of the nodes; "
            "slipway:kubernetes.storage.shared_access ReadWriteMany spreads them"
        )
    if settings.kubernetes.autoscale.enabled and not _serves(cluster, METRICS, "pods"):
        found.append("the cluster has no metrics API, so that nothing is scaled; metrics-server brings it")
    return found


def crowded(cluster: Cluster, settings: Settings, takers: list[Json]) -> Iterator[str]:
    """Say when others have been promised so much that there is not enough left: pods of ours may wait for room."""
    cpus = memory = 0.0
    for node in takers:
        cpus += amount(node["status"]["allocatable"]["cpu"])
        memory += amount(node["status"]["allocatable"]["memory"])
    for pod in cluster.items(path_of("v1", "pods"), fieldSelector="status.phase!=Succeeded,status.phase!=Failed"):
        if pod["metadata"].get("namespace") == cluster.namespace:
            continue
        for container in pod["spec"]["containers"]:
            promised = (container.get("resources") or {}).get("requests") or {}
            cpus -= amount(promised.get("cpu", 0))
            memory -= amount(promised.get("memory", 0))
    needs_cpus = sum(count * budget.cpu_request(each.cpus) for count, each in at_rest(settings))
    needs_memory = sum(count * each.memory_mb for count, each in at_rest(settings))
    if takers and not grows(cluster) and (needs_cpus > cpus or needs_memory > memory / MIB):
        yield (
            f"the nodes have {max(cpus, 0):.2f} cores and {max(memory, 0) / MIB:.0f} MiB left that nobody is promised, "
            f"and this stack wants {needs_cpus:.2f} and {needs_memory}: pods may wait for room"
        )


def at_rest(settings: Settings) -> list[tuple[int, Resources]]:
    """What runs when nothing changes: how many of each kind of pod, and what each may use."""
    counts: dict[tuple[str, ...], int] = {}
    counts |= {("web",): budget.web_replicas(settings), ("edge",): settings.kubernetes.edge_replicas}
    counts |= {("processes", name): process.replicas for name, process in settings.processes.items()}
    return [(counts.get(path, 1), resources) for path, resources in pods(settings)]


# ---------------------------------------------------------------------------------------------------------------------
# What the state knows and the cluster does not.

KINDS = (
    f"{KUBERNETES}apps/v1:Deployment",
    f"{KUBERNETES}apps/v1:StatefulSet",
    f"{KUBERNETES}batch/v1:CronJob",
    f"{KUBERNETES}core/v1:Service",
    f"{KUBERNETES}core/v1:PersistentVolumeClaim",
    f"{KUBERNETES}core/v1:ConfigMap",
    f"{KUBERNETES}core/v1:Secret",
    f"{KUBERNETES}networking.k8s.io/v1:NetworkPolicy",
)
"""What a stack cannot do without while it serves: a job that was tidied away is no loss."""


def missing(cluster: Cluster, state: Mapping[str, Any]) -> list[str]:
    """Name what should be there and is not: Pulumi alone takes the state's word for it."""
    known: dict[str, list[str]] = {}
    for each in state.get("resources") or []:
        home, _, name = str(each.get("id")).partition("/")
        if each.get("type") in KINDS and not each.get("delete") and home == cluster.namespace:
            known.setdefault(each["type"], []).append(name)
    gone = []
    for kind, names in known.items():
        there = {_name(each) for each in cluster.items(cluster.inside(*collection(kind)))}
        gone += [f"{kind.rpartition(':')[2]} {name}" for name in names if name not in there]
    return gone


def _name(found: Json) -> str:
    return str(found["metadata"]["name"])
