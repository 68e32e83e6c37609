"""What a failed update leaves to read in a cluster: why pods do not start, what they said last, what goes on serving.

It reads pods, their owners, claims and warnings of the namespace, and changes nothing. Whatever the stack's Secrets hold
is taken out of what is printed; where Secrets cannot be read, no log is printed either.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.labels import COMPONENT, PROJECT, RELEASE, STACK
from components.model import Settings
from components.problems import config_set
from components.services import name_of
from pipeline import adjusting, servers
from pipeline.cluster import words
from pipeline.cluster.connection import FORBIDDEN, Cluster, Json, RefusedError, connect, place_of
from pipeline.console import PipelineError, Problem, counted
from pipeline.engine import Engine
from pipeline.explain import CLUSTER_RULES, STEP_RULES, explain

LAST_LINES = 20
LONGEST = 600
_OURS = re.compile(r"Kubernetes (?:API server|cluster)|kubernetes:\S+ \([^)]*\):")
_STARTING = {"ContainerCreating", "PodInitializing"}
_PULLS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
_KILLED_FOR_MEMORY = "OOMKilled"
_STOPPED = {0, 137, 143}
"""How a process ends that the kubelet has stopped."""
_SETTINGS = {"migration": "web", "static": "web", "static-files": "web", "collected-static": "web", "switch": "edge"}
"""Whose resources a step has."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why something does not run."""

    component: str
    """Whose it is."""
    name: str
    """The object, such as ``pod web-1``."""
    what: str
    """What is wrong with it."""
    mend: str
    """What mends that."""
    pod: str = ""
    """The pod whose log tells more, if it is one."""
    container: str | None = None
    """The container whose log tells more."""
    previous: bool = False
    """Whether the container that ended before tells it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the namespace holds of a stack."""

    pods: Sequence[Json]
    owners: Sequence[Json]
    """What makes pods, each with its kind."""
    claims: Sequence[Json]
    warnings: Mapping[str, Sequence[Json]]
    """Events by the uid of what they are about, the last one last."""


def reasons(engine: Engine, settings: Settings, said: str) -> PipelineError | None:
    """Print what is wrong in the cluster and what its processes said last, and make the error of it."""
    if not _OURS.search(said):
        return None  # it failed before it came to the cluster
    known = explain(said, engine, CLUSTER_RULES)
    if known is not None:
        return known
    try:
        with connect(engine, place_of(settings)) as cluster:
            return _told(engine, cluster, settings)
    except PipelineError as error:  # the cluster went away: that is what is wrong
        return error


def _told(engine: Engine, cluster: Cluster, settings: Settings) -> PipelineError | None:
    found = read(cluster, settings.app.name, engine.stack)
    hidden = _hidden(cluster)
    stays = serving(found.pods)
    problems: list[Problem] = []
    for reason, more in grouped(unwell(found, engine.stack, cluster)):
        what = words.without(reason.what, hidden or [])
        others = f" (and {more} more like it)" if more else ""
        text = _log(cluster, reason)
        says = "; it said:" if text and hidden is not None else ""
        engine.console.say(f"    {reason.component} ({reason.name}){others} {what}{says}")
        if hidden is None and text:
            engine.console.say("      its log is not shown: the Secrets that may be in it cannot be read")
        for line in words.without(text, hidden or []).splitlines() if hidden is not None else ():
            engine.console.say(f"      {line}")
        service = name_of(reason.component)
        mends = (
            [reason.mend] if service is None or not text else [reason.mend, servers.mend(service, text, engine.stack)]
        )
        told = explain(text, engine, STEP_RULES) if text and hidden is not None else None
        if told is not None:
            problems += [Problem(f"{each.found}; {stays}", each.allowed, each.mend) for each in told.problems]
            continue
        problems.append(
            Problem(f"{reason.component} ({reason.name}) {what}; {stays}", mend="\n".join(dict.fromkeys(mends)))
        )
    return PipelineError(*problems) if problems else None


def _hidden(cluster: Cluster) -> list[str] | None:
    try:
        return words.of(cluster.items(cluster.inside("v1", "secrets")))
    except RefusedError as error:
        if error.status == FORBIDDEN:
            return None
        raise


def _log(cluster: Cluster, reason: Reason) -> str:
    if reason.container is None:
        return ""
    path = cluster.inside("v1", "pods", f"{reason.pod}/log")
    for previous in (True, False) if reason.previous else (False,):
        query = {"container": reason.container, "tailLines": LAST_LINES, "previous": str(previous).lower()}
        try:
            return cluster.ask("GET", path, query=query).rstrip()
        except RefusedError:
            continue  # that container is gone, or never was
    return ""


def read(cluster: Cluster, project: str, stack: str) -> Found:
    """Read everything that may tell."""
    selector = {"labelSelector": f"{PROJECT}={project},{STACK}={stack}"}
    owners = [
        {"kind": kind, **each}
        for kind, group, plural in (
            ("ReplicaSet", "apps/v1", "replicasets"),
            ("StatefulSet", "apps/v1", "statefulsets"),
            ("Job", "batch/v1", "jobs"),
        )
        for each in cluster.items(cluster.inside(group, plural), **selector)
    ]
    warnings: dict[str, list[Json]] = {}
    events = cluster.items(cluster.inside("v1", "events"), fieldSelector="type=Warning")
    for event in sorted(events, key=lambda it: str(it.get("lastTimestamp") or it.get("eventTime") or "")):
        warnings.setdefault(str(event["involvedObject"].get("uid")), []).append(event)
    return Found(
        pods=cluster.items(cluster.inside("v1", "pods"), **selector),
        owners=owners,
        claims=cluster.items(cluster.inside("v1", "persistentvolumeclaims"), **selector),
        warnings=warnings,
    )


def serving(pods: Sequence[Json]) -> str:
    """Say what goes on serving."""
    up = [pod for pod in pods if role_of(pod) == "web" and is_ready(pod)]
    releases = sorted({str(_labels(pod).get(RELEASE, "?")) for pod in up})
    if not up:
        return "nothing serves yet"
    count = counted(len(up), "pod")
    return f"release {', '.join(releases)} goes on serving ({count})"


def is_ready(pod: Json) -> bool:
    """Whether a pod is Ready and stays."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return "deletionTimestamp" not in pod["metadata"] and any(
        each["type"] == "Ready" and each["status"] == "True" for each in conditions
    )


def grouped(found: Iterator[Reason]) -> list[tuple[Reason, int]]:
    """Keep one of those that are alike, and count the others."""
    kept: dict[tuple[str, str], list[Reason]] = {}
    for reason in found:
        kept.setdefault((reason.component, re.sub(r"\S*\d\S*", "", reason.what)), []).append(reason)
    return [(alike[0], len(alike) - 1) for alike in kept.values()]


def unwell(found: Found, stack: str, cluster: Cluster) -> Iterator[Reason]:
    """Everything that does not run as it should."""
    for claim in found.claims:
        yield from _claim(claim, found, stack, cluster)
    for pod in found.pods:
        if "deletionTimestamp" not in pod["metadata"]:
            yield from _pod(pod, found, stack, cluster)
    for owner in found.owners:
        yield from _owner(owner, found, stack, cluster)


def _claim(claim: Json, found: Found, stack: str, cluster: Cluster) -> Iterator[Reason]:
    last = _last(claim, found)
    if (claim.get("status") or {}).get("phase") == "Pending" and last:
        yield Reason(
            component=role_of(claim),
            name=f"claim {claim['metadata']['name']}",
            what=f"gets no storage: {last}",
            mend=f"{cluster.kubectl} describe pvc {claim['metadata']['name']}\n"
            f"{config_set(('kubernetes', 'storage_class'), 'NAME', stack)}"
            "   # of a claim that exists, the class cannot change: delete an empty one first",
        )


def _pod(pod: Json, found: Found, stack: str, cluster: Cluster) -> Iterator[Reason]:
    status = pod.get("status") or {}
    name, component = str(pod["metadata"]["name"]), role_of(pod)
    if status.get("phase") == "Succeeded":
        return
    for each in status.get("conditions") or []:
        if each["type"] == "PodScheduled" and each["status"] == "False":
            yield Reason(
                component=component,
                name=f"pod {name}",
                what=f"cannot be scheduled: {_short(each.get('message') or each.get('reason'))}",
                mend=_less(component, stack, str(each.get("message")))
                + "   # or more room: larger nodes, or more of them\n"
                f"{cluster.kubectl} describe pod {name}",
            )
            return
    told = False
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        reason = _container(pod, each, found, stack, cluster)
        if reason is not None:
            told = True
            yield reason
    last = _last(pod, found)
    if not told and status.get("phase") == "Pending" and last:
        yield Reason(
            component=component,
            name=f"pod {name}",
            what=f"does not start: {last}",
            mend=f"{cluster.kubectl} describe pod {name}",
        )


def _container(pod: Json, status: Json, found: Found, stack: str, cluster: Cluster) -> Reason | None:
    """Say what is wrong with one container; None when nothing is."""
    name, component, container = str(pod["metadata"]["name"]), role_of(pod), str(status["name"])
    state = status.get("state") or {}
    waiting, ended, last = (
        state.get("waiting") or {},
        state.get("terminated") or {},
        (status.get("lastState") or {}).get("terminated") or {},
    )
    look = f"{cluster.kubectl} logs {name} -c {container}{' --previous' if last else ''}"
    what, mend, log = "", look, True
    why = waiting.get("reason", "")
    if why in _PULLS:
        what, log = f"cannot pull its image: {_pull(pod, waiting, found)}", False
        mend = (
            f"{config_set(('kubernetes', 'registry'), 'REGISTRY', stack)}   # one that the nodes reach\n"
            f"{config_set(('kubernetes', 'pull_secret'), value=True, stack=stack)}"
            "   # where it wants credentials, which are the secret registry_auth"
        )
        if (service := name_of(component)) is not None:
            mend = f"{config_set(('services', service, 'image'), 'IMAGE', stack)}   # one that the nodes can pull"
    elif why and why not in _STARTING and not last:
        what, log = f"cannot start ({why}): {_short(waiting.get('message'))}", False
        mend = f"{cluster.kubectl} describe pod {name}"
    elif ended.get("exitCode") or (last and not status.get("ready")):
        end = ended if ended.get("exitCode") else last
        probe = _last(pod, found, "Unhealthy")
        if probe and not ended and end.get("exitCode") in _STOPPED and end.get("reason") != _KILLED_FOR_MEMORY:
            what, mend = f"was stopped since its check failed: {probe}", _longer(component, stack, look)
        else:
            what = _end(end, status)
            mend = "\n".join([look, *adjusting.not_up(component, stack)])
        if end.get("reason") == _KILLED_FOR_MEMORY:
            mend = _more(component, stack, pod, container)
    elif "running" in state and not status.get("ready"):
        what = f"is not ready: {_last(pod, found, 'Unhealthy') or 'it has not answered its check yet'}"
        mend = _longer(component, stack, look)
    if not what:
        return None
    return Reason(
        component=component,
        name=f"pod {name}",
        what=what,
        mend=mend,
        container=container if log else None,
        previous=bool(last) and not ended,
        pod=name,
    )


def _longer(component: str, stack: str, look: str) -> str:
    if (service := name_of(component)) is not None:
        return f"{look}\n{servers.mend(service, '', stack)}"
    return "\n".join([look, *adjusting.not_well(component, stack)])


def _end(end: Json, status: Json) -> str:
    restarts = int(status.get("restartCount") or 0)
    again = f", {restarts} times" if restarts > 1 else ""
    if end.get("reason") == _KILLED_FOR_MEMORY:
        return f"was killed since it used more memory than its limit (OOMKilled){again}"
    if end.get("exitCode") == 0:
        return f"ended by itself with exit code 0{again}"
    return f"ended with exit code {end.get('exitCode')}{again}"


def _owner(owner: Json, found: Found, stack: str, cluster: Cluster) -> Iterator[Reason]:
    """Say why an owner makes no pods: a quota, a policy, a time-out."""
    spec, status = owner.get("spec") or {}, owner.get("status") or {}
    name = f"{owner['kind'].lower()} {owner['metadata']['name']}"
    component = role_of(owner)
    if owner["kind"] == "Job":
        late = [each for each in status.get("conditions") or [] if each.get("reason") == "DeadlineExceeded"]
        if late:
            yield Reason(
                component=component,
                name=name,
                what=f"took too long: {late[0].get('message')}",
                mend=f"{cluster.kubectl} describe job {owner['metadata']['name']}",
            )
            return
        short = not status.get("active") and not status.get("succeeded") and not status.get("failed")
    else:
        short = int(status.get("replicas") or 0) < int(spec.get("replicas") or 0)
    last = _last(owner, found, "FailedCreate")
    if short and last:
        quota = "exceeded quota" in last
        yield Reason(
            component=component,
            name=name,
            what=f"may not make a pod: {last}",
            mend=f"{cluster.kubectl} describe resourcequota\n{_less(component, stack, last)}"
            if quota
            else f"{cluster.kubectl} describe {name}",
        )


# ---------------------------------------------------------------------------------------------------------------------


def _labels(it: Json) -> Json:
    return dict(it["metadata"].get("labels") or {})


def role_of(it: Json) -> str:
    """The component that an object belongs to."""
    return str(_labels(it).get(COMPONENT) or it["metadata"]["name"])


def _short(text: object) -> str:
    line = " ".join(str(text or "no reason is given").split()).removesuffix(".")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def _last(it: Json, found: Found, reason: str | None = None) -> str:
    """The last warning about something."""
    told = [
        event
        for event in found.warnings.get(str(it["metadata"].get("uid")), ())
        if reason is None or event.get("reason") == reason
    ]
    return _short(told[-1].get("message")) if told else ""


def _pull(pod: Json, waiting: Json, found: Found) -> str:
    """What the registry said: the event tells more than the state while the kubelet waits to try again."""
    told = [
        str(event.get("message"))
        for event in found.warnings.get(str(pod["metadata"].get("uid")), ())
        if str(event.get("message")).startswith("Failed to pull image")
    ]
    return _short(told[-1] if told else waiting.get("message"))


def _path(component: str) -> tuple[str, ...]:
    """Where the resources of a component are set."""
    if (service := name_of(component)) is not None:
        return ("services", service, "resources")
    if component.startswith("process-"):
        return ("processes", component.removeprefix("process-"), "resources")
    return (_SETTINGS.get(component, component), "resources")


def _less(component: str, stack: str, message: str) -> str:
    """Give the command that asks for less of what there is too little of."""
    what = "cpus" if re.search(r"Insufficient cpu|requested: (?:limits|requests)\.cpu=", message) else "memory_mb"
    return config_set((*_path(component), what), "LESS", stack)


def _more(component: str, stack: str, pod: Json, container: str) -> str:
    for each in (pod.get("spec") or {}).get("containers") or []:
        limit = str(((each.get("resources") or {}).get("limits") or {}).get("memory", ""))
        if each["name"] == container and re.fullmatch(r"\d+Mi", limit):
            return config_set((*_path(component), "memory_mb"), 2 * int(limit.removesuffix("Mi")), stack)
    return config_set((*_path(component), "memory_mb"), "MORE", stack)
