"""What the doctor looks at in a cluster: the kubeconfig, the server, its nodes and classes, the pods of a stack, the page."""

from collections.abc import Iterator

from components.labels import PROJECT, STACK
from components.model import Expose, Settings
from pipeline.cluster import check, failed, page, registry
from pipeline.cluster.connection import (
    FORBIDDEN,
    Cluster,
    Json,
    RefusedError,
    chosen,
    connect,
    kubeconfig,
    path_of,
    place_of,
)
from pipeline.engine import Engine
from pipeline.target import BROKEN, NOTE, OK, Finding


def platform(engine: Engine, settings: Settings | None) -> Iterator[Finding]:
    """Look at the way to the cluster, and at what it offers."""
    config = kubeconfig(engine.environ)
    yield Finding("kubeconfig", OK, config.shown)
    if settings is None:
        yield Finding("context", NOTE, "not looked at: the settings name it, and they are broken")
        return
    context = chosen(config, settings.kubernetes.context, engine.stack)
    yield Finding("context", OK, f"{context}{'' if settings.kubernetes.context else ', the current one'}")
    with connect(engine, place_of(settings)) as cluster:
        told = str((cluster.get("/version") or {}).get("gitVersion"))
        old = next(iter(check.version(cluster)), None)
        yield Finding("cluster", BROKEN if old else OK, f"{told} at {cluster.server}", old.mend if old else None)
        yield from _nodes(cluster)
        yield from _offers(cluster, settings)
        for problem in check.look(cluster, settings, engine.stack, _known(engine)):
            yield Finding("cluster", BROKEN, problem.found, problem.mend)
    silent = registry.problems(settings, engine.stack)
    for problem in silent:
        yield Finding("registry", BROKEN, problem.found, problem.mend)
    if not silent:
        yield Finding("registry", OK, f"{settings.kubernetes.registry} answers")


def _known(engine: Engine) -> Json:
    return engine.exported() or {}


def _nodes(cluster: Cluster) -> Iterator[Finding]:
    try:
        nodes = cluster.items(path_of("v1", "nodes"))
    except RefusedError as error:
        if error.status != FORBIDDEN:
            raise
        yield Finding("nodes", NOTE, "not looked at: the credentials may not list them")
        return
    for node in nodes:
        name = str(node["metadata"]["name"])
        if not check.ready(node):
            state, detail = BROKEN, f"{name} is not Ready"
        elif not check.usable([node]):
            state, detail = NOTE, f"{name} is Ready and takes no pods (cordoned or tainted)"
        else:
            room = node["status"]["allocatable"]
            state, detail = OK, f"{name} is Ready, {room['cpu']} cores and {room['memory']} for pods"
        mend = None if state == OK else f"kubectl --context {cluster.context} describe node {name}"
        yield Finding("node", state, detail, mend)


def _offers(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    """Look at classes and at the metrics API; what the settings need and is missing is a problem of the checks."""
    for name, group, kind, default in (
        ("storage classes", "storage.k8s.io/v1", "storageclasses", check.DEFAULT_STORAGE_CLASS),
        ("ingress classes", "networking.k8s.io/v1", "ingressclasses", check.DEFAULT_INGRESS_CLASS),
    ):
        found = [
            str(each["metadata"]["name"]) + (" (default)" if check.is_default(each, default) else "")
            for each in _readable(cluster, path_of(group, kind))
        ]
        yield Finding(name, OK if found else NOTE, ", ".join(found) or "none")
    metrics = cluster.get(f"/apis/{check.METRICS}")
    needed = settings.kubernetes.autoscale.enabled
    if metrics:
        yield Finding("metrics API", OK, "there")
    else:
        detail = "missing: nothing is scaled" if needed else "missing; slipway:kubernetes.autoscale would need it"
        mend = "install metrics-server; `make cluster` brings it" if needed else None
        yield Finding("metrics API", BROKEN if needed else NOTE, detail, mend)


def _readable(cluster: Cluster, path: str) -> list[Json]:
    return check.allowed(lambda: cluster.items(path))


def running(engine: Engine, settings: Settings | None) -> Iterator[Finding]:
    """Look at every pod of the stack."""
    if settings is None:
        return
    with connect(engine, place_of(settings)) as cluster:
        labels = f"{PROJECT}={settings.app.name},{STACK}={engine.stack}"
        found = failed.read(cluster, settings.app.name, engine.stack)
        wrong = {reason.pod or reason.name: reason for reason in failed.unwell(found, engine.stack, cluster)}
        for pod in found.pods:
            name, component = str(pod["metadata"]["name"]), failed.role_of(pod)
            reason = wrong.pop(name, None) or wrong.pop(f"pod {name}", None)
            if reason is not None:
                yield Finding(component, BROKEN, f"{name} {reason.what}", reason.mend)
            elif "deletionTimestamp" in pod["metadata"]:
                yield Finding(component, OK, f"{name} is ending")
            elif (pod.get("status") or {}).get("phase") == "Succeeded":
                yield Finding(component, OK, f"{name} has done its work")
            elif failed.is_ready(pod):
                yield Finding(component, OK, f"{name} is ready")
            else:
                yield Finding(component, NOTE, f"{name} is starting", f"{cluster.kubectl} describe pod {name}")
        for reason in wrong.values():
            yield Finding(reason.component, BROKEN, f"{reason.name} {reason.what}", reason.mend)
        if not found.pods and not wrong:
            yield Finding("pods", NOTE, f"none with {labels} in namespace {cluster.namespace}")


def served(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Ask the page."""
    with connect(engine, place_of(settings)) as cluster:
        answer = page.once(cluster, settings)
        if answer.served:
            way = page.forward(cluster, settings)[0] if settings.kubernetes.expose is Expose.NONE else None
            yield Finding("page", OK, f"{answer.url} answers {answer.status} in {answer.seconds * 1000:.0f} ms", way)
            return
        there = cluster.items(cluster.inside("v1", "pods"))
        if not there:
            yield Finding("page", NOTE, "nothing is served there", None)
            return
        what = f"answers {answer.status}" if answer.status else f"does not answer: {answer.error}"
        yield Finding("page", BROKEN, f"{answer.url} {what}", f"{cluster.kubectl} get pods")
