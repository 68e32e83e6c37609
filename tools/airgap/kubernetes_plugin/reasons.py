"""Why an object is not ready: its pods' containers, their last words, and the warnings of the cluster.

Whatever cannot be asked is left out: a reason that is missing is no reason to hide the others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.kubernetes_plugin.readiness import (
    Object,
    condition,
    current_replica_set,
    selector_text,
    spec_of,
    status_of,
)
from tools.airgap.plugin.errors import PluginError

if TYPE_CHECKING:
    from tools.airgap.kubernetes_plugin.waiting import Surroundings

_POD: Final = Kind("", "v1", "Pod")
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "ReplicaSet"})
_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
_MOST_PODS: Final = 3
_MOST_EVENTS: Final = 3
_LOG_LINES: Final = 10


def explained(kind: Kind, live: Object, around: "Surroundings") -> list[str]:
    """Say what a person needs to know of an object that is not ready."""
    lines: list[str] = []
    with _as_far_as_possible():
        for pod in _unready_pods(kind, live, around)[:_MOST_PODS]:
            lines += _of_pod(pod, around)
    lines += [line for line in warnings(kind, live, around)[-_MOST_EVENTS:] if line not in lines]
    return lines


def warnings(kind: Kind, live: Object, around: "Surroundings") -> list[str]:
    """Return the warning events of an object and of its pods, oldest first."""
    found: list[str] = []
    with _as_far_as_possible():
        names = {live["metadata"]["name"]: ""}
        if kind.kind == "Deployment":
            new = current_replica_set(live, around)
            names |= {new["metadata"]["name"]: ""} if new else {}
        names |= {
            pod["metadata"]["name"]: f"[Pod {pod['metadata']['name']}]: " for pod in _unready_pods(kind, live, around)
        }
        path = f"/api/v1/namespaces/{around.namespace or 'default'}/events"
        events = around.cluster.listed(path, {"fieldSelector": "type=Warning"})
        born = live["metadata"].get("creationTimestamp") or ""
        chosen = sorted(
            (_when(event), f"{names[event['involvedObject']['name']]}{event.get('reason')}: {event.get('message')}")
            for event in events
            if event.get("involvedObject", {}).get("name") in names
        )
        found += dict.fromkeys(line for when, line in chosen if when >= born)
    return found


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


@contextmanager
def _as_far_as_possible() -> Iterator[None]:
    try:
        yield
    except (PluginError, KeyError):
        return


def _unready_pods(kind: Kind, live: Object, around: "Surroundings") -> list[Object]:
    if kind.kind not in _WORKLOADS:
        return []
    if kind.kind == "Pod":
        return [live]
    owner: Object | None = live
    if kind.kind == "Deployment":
        owner = current_replica_set(live, around)
    selector = spec_of(owner or live).get("selector")
    if owner is None or not selector:
        return []
    pods = around.listed(_POD, selector_text(selector))
    return [pod for pod in pods if not _is_well(pod)]


def _is_well(pod: Object) -> bool:
    phase = status_of(pod).get("phase")
    return phase == "Succeeded" or (phase == "Running" and condition(pod, "Ready").get("status") == "True")


def _of_pod(pod: Object, around: "Surroundings") -> list[str]:
    name = pod["metadata"]["name"]
    lines = []
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        lines.append(f"[Pod {name}]: [{scheduled.get('reason')}] {scheduled.get('message')}")
    for state in [
        *(status_of(pod).get("initContainerStatuses") or []),
        *(status_of(pod).get("containerStatuses") or []),
    ]:
        lines += [f"[Pod {name}]: {line}" for line in _of_container(pod, state, around)]
    return lines


def _of_container(pod: Object, state: Object, around: "Surroundings") -> list[str]:
    name = state["name"]
    waiting = (state.get("state") or {}).get("waiting") or {}
    ended = (state.get("state") or {}).get("terminated") or (state.get("lastState") or {}).get("terminated") or {}
    lines = []
    if waiting and waiting.get("reason") not in _STARTING:
        lines.append(
            f"containers with unready status: [{name}][{waiting.get('reason')}] {waiting.get('message', '')}".strip()
        )
    if ended.get("exitCode"):
        why = f" ({ended['reason']})" if ended.get("reason") not in (None, "Error") else ""
        lines.append(f'container "{name}" completed with exit code {ended["exitCode"]}{why}')
        if words := _last_words(pod, name, around, previous=not (state.get("state") or {}).get("terminated")):
            lines.append(f'the last lines of container "{name}":\n{words}')
    elif (state.get("state") or {}).get("running") and not state.get("ready") and not waiting:
        lines.append(f"containers with unready status: [{name}] it runs and is not ready")
        if words := _last_words(pod, name, around, previous=False):
            lines.append(f'the last lines of container "{name}":\n{words}')
    return lines


def _last_words(pod: Object, container: str, around: "Surroundings", *, previous: bool) -> str:
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/log"
    query: dict[str, Any] = {"container": container, "tailLines": str(_LOG_LINES)}
    try:
        return around.cluster.text(path, {**query, "previous": "true"} if previous else query).rstrip()
    except PluginError:
        return ""
