"""When an object counts as ready, by kind, and what it lacks until then.

A judge looks at a live object and at what belongs to it, and knows nothing of time limits; waiting.py asks it again and
again. Each one compares `status.observedGeneration` with the generation of the object in front of it: a status that a
controller wrote for an older specification says nothing (the official plugin can take one for the new one).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.plugin.errors import PluginError

Object = dict[str, Any]


class Around(Protocol):
    """What a judge may ask beside the object itself."""

    seconds: float
    """How long the wait has lasted."""
    memory: dict[str, Any]
    """What the judge noted in earlier rounds of the same wait."""

    def listed(self, kind: Kind, selector: str) -> list[Object]:
        """List objects in the same namespace by labels."""

    def found(self, kind: Kind, name: str, *, namespaced: bool = True) -> Object | None:
        """Look one up."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a judge says."""

    ready: bool
    lacks: list[str] = field(default_factory=list)
    """What is missing, for people; the first line is shown while waiting."""
    failed: bool = False
    """It will not become ready by itself."""


READY: Final = Verdict(ready=True)
Judge = Callable[[Object, Around], Verdict]

_REPLICA_SET: Final = Kind("apps", "v1", "ReplicaSet")
_CLAIM: Final = Kind("", "v1", "PersistentVolumeClaim")
_CLASS: Final = Kind("storage.k8s.io", "v1", "StorageClass")
_SERVICE: Final = Kind("", "v1", "Service")
_SLICE: Final = Kind("discovery.k8s.io", "v1", "EndpointSlice")
_REVISION: Final = "deployment.kubernetes.io/revision"
_SETTLED: Final = 10.0  # seconds without a change of a Service's endpoints
_NO_LIMIT: Final = 600.0


def _waiting(*lacks: str) -> Verdict:
    return Verdict(ready=False, lacks=list(lacks))


def status_of(live: Object) -> Object:
    """Return an object's status."""
    return live.get("status") or {}


def spec_of(live: Object) -> Object:
    """Return an object's specification."""
    return live.get("spec") or {}


def condition(live: Object, name: str) -> Object:
    """Return one condition of an object's status; empty if it has none of that name."""
    found = [entry for entry in status_of(live).get("conditions") or [] if entry.get("type") == name]
    return found[0] if found else {}


def _observed(live: Object) -> bool:
    observed: int = status_of(live).get("observedGeneration") or 0
    generation: int = live["metadata"].get("generation") or 0
    return observed >= generation


def selector_text(selector: Mapping[str, Any]) -> str:
    """Write a label selector as a query."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for entry in selector.get("matchExpressions") or []:
        values = ",".join(entry.get("values") or [])
        parts.append(
            {
                "In": f"{entry['key']} in ({values})",
                "NotIn": f"{entry['key']} notin ({values})",
                "Exists": entry["key"],
                "DoesNotExist": f"!{entry['key']}",
            }[entry["operator"]]
        )
    return ",".join(parts)


def current_replica_set(live: Object, around: Around) -> Object | None:
    """Return the ReplicaSet of a Deployment's current revision."""
    revision = (live["metadata"].get("annotations") or {}).get(_REVISION)
    for candidate in around.listed(_REPLICA_SET, selector_text(spec_of(live)["selector"])):
        owners = candidate["metadata"].get("ownerReferences") or []
        ours = any(owner.get("uid") == live["metadata"]["uid"] for owner in owners)
        if ours and (candidate["metadata"].get("annotations") or {}).get(_REVISION) == revision:
            return candidate
    return None


def _deployment(live: Object, around: Around) -> Verdict:
    if not _observed(live):
        return _waiting("the new specification was not seen by the Deployment controller yet")
    progressing, available = condition(live, "Progressing"), condition(live, "Available")
    lacks = [
        f"[{entry.get('reason')}] {entry.get('message')}"
        for entry, bad in (
            (available, "False"),
            (progressing, "False"),
            (condition(live, "ReplicaFailure"), "True"),
        )
        if entry.get("status") == bad
    ]
    stuck = progressing.get("status") == "False"
    before = around.memory.setdefault("stuck", stuck)  # a deadline that had passed before may yet be made good
    if stuck and not before:
        return Verdict(ready=False, lacks=lacks, failed=True)
    new = current_replica_set(live, around)
    if new is None:
        return _waiting(*lacks, "waiting for the ReplicaSet of the new revision")
    wanted, ready = spec_of(new).get("replicas") or 0, status_of(new).get("readyReplicas") or 0
    first = (live["metadata"].get("annotations") or {}).get(_REVISION) == "1"
    rolled = first or progressing.get("reason") == "NewReplicaSetAvailable"
    unbound = _unbound(live, around)
    if available.get("status") == "True" and ready >= wanted and rolled and not unbound and not stuck:
        return READY
    if unbound:
        lacks.append(f"Failed to bind PersistentVolumeClaim(s): {unbound}")
    if ready < wanted or not rolled:
        lacks.append(
            "Minimum number of live Pods was not attained"
            if first
            else "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"
        )
    total = spec_of(live).get("replicas", 1)
    said = f"waiting for app ReplicaSet to be available ({ready}/{total} Pods available)"
    return _waiting(said, *lacks) if around.seconds < _NO_LIMIT else _waiting(*lacks, said)


def _unbound(live: Object, around: Around) -> str:
    """Name the claims of a workload's pods that have no volume, once each was seen bound no more is asked."""
    if around.memory.get("bound"):
        return ""
    volumes = spec_of(live)["template"]["spec"].get("volumes") or []
    names = [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]
    missing = []
    for name in names:
        claim = around.found(_CLAIM, name)
        if claim is None or status_of(claim).get("phase") != "Bound":
            missing.append(json.dumps(name))
    around.memory["bound"] = not missing
    return ", ".join(missing)


def _stateful_set(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - every judge takes both
    if not _observed(live):
        return _waiting("the new specification was not seen by the StatefulSet controller yet")
    status, wanted = status_of(live), spec_of(live).get("replicas", 1)
    ready = status.get("readyReplicas") or 0
    on_delete = (spec_of(live).get("updateStrategy") or {}).get("type") == "OnDelete"
    rolled = status.get("currentRevision") == status.get("updateRevision") and (
        (status.get("currentReplicas") or 0) == wanted
    )
    if on_delete and live["metadata"].get("generation", 1) > 1:
        rolled = True
    if (status.get("replicas") or 0) == wanted == ready and rolled:
        return READY
    lacks = [f"{ready} out of {wanted} replicas succeeded readiness checks"]
    if not rolled:
        updated = status.get("updatedReplicas") or 0
        lacks.append(
            f"the update from {status.get('currentRevision')!r} to {status.get('updateRevision')!r} is not complete ({updated}/{wanted})"
        )
    return _waiting(*lacks)


def _daemon_set(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - the same
    if not _observed(live):
        return _waiting("the new specification was not seen by the DaemonSet controller yet")
    status = status_of(live)
    wanted = status.get("desiredNumberScheduled") or 0
    counts = {
        name: status.get(name) or 0
        for name in ("currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady")
    }
    lacks = [f"{name}: {count}/{wanted}" for name, count in counts.items() if count < wanted]
    return _waiting(*lacks) if lacks else READY


def _job(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - the same
    failed = condition(live, "Failed")
    if failed.get("status") == "True":
        return Verdict(ready=False, failed=True, lacks=[f"[{failed.get('reason')}] {failed.get('message')}"])
    if status_of(live).get("startTime") and condition(live, "Complete").get("status") == "True":
        return READY
    return _waiting(f"waiting for Job {live['metadata']['name']!r} to succeed")


def _pod(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - the same
    phase = status_of(live).get("phase")
    if phase == "Succeeded" or condition(live, "Ready").get("status") == "True":
        return READY
    if phase == "Failed":
        reason = status_of(live).get("reason") or "Failed"
        return Verdict(ready=False, failed=True, lacks=[f"[{reason}] {status_of(live).get('message') or 'Pod failed'}"])
    for name, said in (
        ("PodScheduled", "waiting for Pod to be scheduled"),
        ("Initialized", "waiting for Pod to be initialized"),
    ):
        if condition(live, name).get("status") != "True":
            detail = condition(live, name)
            return _waiting(
                said, *([f"[{detail['reason']}] {detail.get('message', '')}"] if "reason" in detail else [])
            )
    return _waiting("waiting for Pod to be ready")


def _endpoints(name: str, around: Around) -> tuple[int, int, str]:
    """Return how many endpoints of a Service are ready and not ready, and something that changes when they do."""
    slices = around.listed(_SLICE, f"kubernetes.io/service-name={name}")
    points = [point for part in slices for point in part.get("endpoints") or []]
    states = [point.get("conditions") or {} for point in points]
    ready = sum(state.get("ready") is not False for state in states)
    unready = sum(state.get("ready") is False and not state.get("terminating") for state in states)
    return ready, unready, ",".join(sorted(part["metadata"]["resourceVersion"] for part in slices))


def _service(live: Object, around: Around) -> Verdict:
    spec = spec_of(live)
    balanced = spec.get("type") == "LoadBalancer"
    if balanced and not (status_of(live).get("loadBalancer") or {}).get("ingress"):
        return _waiting("Service was not allocated an IP address; does your cloud provider support this?")
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None" or not spec.get("selector"):
        return READY
    ready, unready, version = _endpoints(live["metadata"]["name"], around)
    if around.memory.get("endpoints") != version:
        around.memory.update(endpoints=version, changed=around.seconds)
    if ready and not unready:
        return READY
    if not unready and around.seconds - around.memory["changed"] >= _SETTLED:
        return READY  # no pods at all, as in the official plugin: they may come later in the same update
    return _waiting(
        "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels "
        "on any Pods"
    )


def _ingress(live: Object, around: Around) -> Verdict:
    if not (status_of(live).get("loadBalancer") or {}).get("ingress"):
        return _waiting(
            "Ingress .status.loadBalancer field was not updated with a hostname/IP address. For more information about "
            "this error, see https://pulumi.io/xdv72s"
        )
    if around.seconds >= _SETTLED:
        return READY
    backends = [
        (path.get("backend") or {}).get("service", {}).get("name")
        for rule in spec_of(live).get("rules") or []
        for path in (rule.get("http") or {}).get("paths") or []
    ]
    for name in sorted({name for name in backends if name}):
        service = around.found(_SERVICE, name)
        external = service is not None and spec_of(service).get("type") == "ExternalName"
        if not external and not _endpoints(name, around)[0]:
            return _waiting(f"Ingress has at least one rule with an unavailable target endpoint: Service {name!r}")
    return READY


def _claim(live: Object, around: Around) -> Verdict:
    phase = status_of(live).get("phase")
    name = spec_of(live).get("storageClassName")
    if phase == "Pending" and name:
        storage = around.found(_CLASS, name, namespaced=False)
        if storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer":
            return READY
        if storage is None:
            return _waiting(
                f"PersistentVolumeClaim is not Bound; there is no StorageClass {name!r} (kubectl get storageclass)"
            )
    return READY if phase == "Bound" else _waiting("PersistentVolumeClaim is not Bound")


def _volume(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - every judge takes both
    phase = status_of(live).get("phase")
    return READY if phase in {"Available", "Bound"} else _waiting(f"PersistentVolume is {phase}")


def _quota(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - the same
    same = status_of(live).get("hard") == spec_of(live).get("hard")
    return READY if same else _waiting("ResourceQuota is not in force yet")


def _controller(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - the same
    wanted, there = spec_of(live).get("replicas", 1), status_of(live).get("availableReplicas") or 0
    return READY if there >= wanted else _waiting(f"{there} out of {wanted} replicas are available")


def _secret(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - the same
    if live.get("type") != "kubernetes.io/service-account-token" or live.get("data"):
        return READY
    return _waiting("waiting for the token of the ServiceAccount")


_JUDGES: Final[Mapping[tuple[str, str], Judge]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("", "ResourceQuota"): _quota,
    ("", "ReplicationController"): _controller,
    ("", "Secret"): _secret,
}
_AT_REFRESH: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "Ingress"})
_LIMITS: Final[Mapping[tuple[str, str], float]] = {
    ("", "PersistentVolumeClaim"): 300,
    ("", "PersistentVolume"): 300,
    ("", "ResourceQuota"): 60,
    ("", "Secret"): 5,
}
_USUAL_LIMIT: Final = 600.0


def judge_of(kind: Kind) -> Judge | None:
    """Return who judges a kind; None if objects of it are ready as soon as they are there."""
    return _JUDGES.get((kind.group, kind.kind))


def judged_at_refresh(kind: Kind) -> bool:
    """Say whether a refresh looks at the readiness of a kind."""
    return judge_of(kind) is not None and kind.kind in _AT_REFRESH


def usual_limit(kind: Kind) -> float:
    """Return how many seconds a kind may take where nobody says so."""
    return _LIMITS.get((kind.group, kind.kind), _USUAL_LIMIT)


def wait_for(annotation: str) -> Judge:
    """Make a judge of the annotation pulumi.com/waitFor: one condition, or a JSON list of which all must hold."""
    try:
        listed = json.loads(annotation) if annotation.lstrip().startswith("[") else [annotation]
    except ValueError as error:
        raise PluginError(f"pulumi.com/waitFor is not a JSON list: {error}") from error
    rules = [_rule(text) for text in listed]

    def judge(live: Object, around: Around) -> Verdict:  # noqa: ARG001 - every judge takes both
        if "observedGeneration" in status_of(live) and not _observed(live):
            return _waiting("the new specification was not seen by its controller yet")
        lacks = [f"waiting for {text}" for text, holds in zip(listed, rules, strict=True) if not holds(live)]
        return _waiting(*lacks) if lacks else READY

    return judge


def _rule(text: object) -> Callable[[Object], bool]:
    if not isinstance(text, str) or not text.startswith(("jsonpath=", "condition=")):
        raise PluginError(f'expected a "jsonpath=" or "condition=" prefix, got {json.dumps(text)}')
    what, _, rest = text.partition("=")
    if what == "condition":
        name, _, wanted = rest.partition("=")

        def holds(live: Object) -> bool:
            entries = status_of(live).get("conditions") or []
            return any(
                str(entry.get("type")).lower() == name.lower()
                and str(entry.get("status")).lower() == (wanted or "true").lower()
                for entry in entries
            )

        return holds
    found = re.fullmatch(r"\{?((?:\.[^.\[\]{}=]+|\[(?:\d+|'[^']*'|\"[^\"]*\")\])+)\}?(?:=(.*))?", rest)
    if found is None:
        raise PluginError(
            f"pulumi.com/waitFor: {text!r} is not a path that this plugin reads, like jsonpath={{.status.phase}}=Running"
        )
    steps = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]", found[1])
    value = found[2]

    def reaches(live: Object) -> bool:
        at: Any = live
        for key, index, quoted in steps:
            if index and isinstance(at, list) and int(index) < len(at):
                at = at[int(index)]
            elif not index and isinstance(at, dict) and (key or quoted) in at:
                at = at[key or quoted]
            else:
                return False
        return value is None or (str(at).lower() if isinstance(at, bool) else str(at)) == value

    return reaches
