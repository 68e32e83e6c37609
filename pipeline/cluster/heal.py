"""What healing does on a cluster beside ``pulumi up``: take away what nobody declared, and have pods see what is new.

Pulumi never sees what somebody has added. And pods that run go on with the addresses and the storage that they began with:
nginx looks the names of Services up once, at its start; a claim that was made anew is another volume.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from components.kubernetes import roles
from pipeline.cluster import compare
from pipeline.cluster.connection import (
    MERGE_PATCH,
    NOT_FOUND,
    Cluster,
    Json,
    RefusedError,
    connect,
    place_in,
)
from pipeline.cluster.drift import Stack, take
from pipeline.cluster.live import CLAIM
from pipeline.console import problem
from pipeline.drift.difference import Difference, Remedy
from pipeline.engine import Engine
from pipeline.target import State

ENDED_SECONDS, ROLLED_SECONDS, PAUSE_SECONDS = 120, 300, 0.5
_TRIES = 3
_MOVED = (409, 422)
"""What the server answers when an object is no longer as it was."""


def clear(engine: Engine, differences: Sequence[Difference], first: bool) -> None:  # noqa: FBT001 - one signature for all targets
    """Clear what Pulumi would not see before it heals; afterwards, roll the pods that still have what was there before."""
    removed = [each for each in differences if each.remedy is Remedy.REMOVE] if first else []
    again = [each for each in differences if each.remedy is Remedy.REFRESH]
    claims = {each.name.removeprefix(f"{CLAIM} ") for each in again if each.name.startswith(f"{CLAIM} ")}
    services = not first and any(each.name.startswith("Service ") for each in again)
    state = engine.exported() or {} if removed or claims or services else {}
    place = place_in(state)
    if place is None:
        return
    with connect(engine, place) as cluster:
        mounting = _mounting(cluster, claims)
        if first:
            _remove(engine, cluster, state, removed)
            _end(engine, cluster, claims)
            # Their new pods wait for the claim, and it may wait for them; the old ones go on until those are ready.
            _roll(engine, cluster, mounting)
            return
        asking = {roles.EDGE} - mounting if services else set()
        _roll(engine, cluster, asking)
        _rolled(engine, cluster, mounting | asking)


def settle(engine: Engine, again: Sequence[str]) -> None:
    """Roll the edge where a Service was made again, which has another address now."""
    place = place_in(engine.exported() or {}) if any(each.startswith("Service ") for each in again) else None
    if place is None:
        return
    with connect(engine, place) as cluster:
        _roll(engine, cluster, {roles.EDGE})
        _rolled(engine, cluster, {roles.EDGE})


# ---------------------------------------------------------------------------------------------------------------------
# What nobody declared.


def _remove(engine: Engine, cluster: Cluster, state: State, removed: Sequence[Difference]) -> None:
    for each in removed:
        if "#" not in each.id:
            engine.console.say(f"    removes {each.name}, which nobody declared")
            _delete(cluster, each.id)
    fields = [each for each in removed if "#" in each.id]
    for _ in range(_TRIES):
        if not fields or _strip(engine, cluster, state, fields):
            return


def _delete(cluster: Cluster, path: str) -> None:
    try:
        cluster.ask("DELETE", path, {"propagationPolicy": "Background"})
    except RefusedError as error:
        if error.status != NOT_FOUND:
            raise


def _strip(engine: Engine, cluster: Cluster, state: State, wanted: Sequence[Difference]) -> bool:
    """Take fields away that are still there; whether nobody wrote to an object meanwhile."""
    stack = Stack(cluster, engine.stack, state)
    lines = {each.line() for each in wanted}
    paths: dict[str, list[str]] = {}
    for each in stack.look().differences:
        path, _, field = each.id.partition("#")
        if field and each.line() in lines:
            engine.console.say(f"    takes {each.what} of {each.name} away, which nobody declared")
            paths.setdefault(path, []).append(field)
    undisturbed = True
    for path, fields in paths.items():
        try:
            take(cluster, path, fields, stack.differing[path])
        except RefusedError as error:
            if error.status not in _MOVED:
                raise
            undisturbed = False
    return undisturbed


# ---------------------------------------------------------------------------------------------------------------------
# What runs with what was there before.


def _end(engine: Engine, cluster: Cluster, claims: set[str]) -> None:
    """End servers that run on a claim which is gone: the next pod waits for the new one, and what comes after for that."""
    for pod in cluster.items(cluster.inside("v1", "pods")) if claims else []:
        metadata = pod["metadata"]
        owners = {each["kind"] for each in metadata.get("ownerReferences") or []}
        if "StatefulSet" not in owners or not claims & _claims(pod["spec"]):
            continue
        engine.console.say(f"    ends the pod {metadata['name']}, whose volume is gone")
        path = cluster.inside("v1", "pods", str(metadata["name"]))
        _delete(cluster, path)
        ended = partial(_ended, cluster, path, str(metadata["uid"]))
        _wait(ended, ENDED_SECONDS, engine, f"the pod {metadata['name']} did not end")


def _roll(engine: Engine, cluster: Cluster, names: set[str]) -> None:
    """Have the pods of Deployments made anew, one by one."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    patch = {"spec": {"template": {"metadata": {"annotations": {compare.RESTARTED: now}}}}}
    for name in sorted(names):
        engine.console.say(f"    rolls the pods of {name}, which have what was there before")
        path = cluster.inside("apps/v1", "deployments", name)
        cluster.ask("PATCH", path, patch, {"fieldManager": compare.MANAGER}, sent=MERGE_PATCH)


def _rolled(engine: Engine, cluster: Cluster, names: set[str]) -> None:
    """Wait until the new pods of Deployments are ready."""
    for name in sorted(names):
        settled = partial(_settled, cluster, cluster.inside("apps/v1", "deployments", name))
        _wait(settled, ROLLED_SECONDS, engine, f"the new pods of {name} were not ready")


def _mounting(cluster: Cluster, claims: set[str]) -> set[str]:
    """Name the Deployments whose pods mount claims."""
    found = cluster.items(cluster.inside("apps/v1", "deployments")) if claims else []
    return {str(each["metadata"]["name"]) for each in found if claims & _claims(each["spec"]["template"]["spec"])}


def _claims(spec: Json) -> set[str]:
    """Name the claims that a pod mounts."""
    volumes = [each.get("persistentVolumeClaim") or {} for each in spec.get("volumes") or []]
    return {str(each["claimName"]) for each in volumes if each}


def _ended(cluster: Cluster, path: str, uid: str) -> bool:
    return str(((cluster.get(path) or {}).get("metadata") or {}).get("uid")) != uid


def _settled(cluster: Cluster, path: str) -> bool:
    return rolled(cluster.get(path) or {})


def rolled(deployment: Json) -> bool:
    """Whether a Deployment has done what it was told."""
    status, wanted = deployment.get("status") or {}, (deployment.get("spec") or {}).get("replicas")
    seen = status.get("observedGeneration") == (deployment.get("metadata") or {}).get("generation")
    return seen and all(status.get(each) == wanted for each in ("replicas", "updatedReplicas", "readyReplicas"))


def _wait(check: Callable[[], bool], seconds: float, engine: Engine, what: str) -> None:
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise problem(
                f"{what} within {seconds:g} s",
                mend=f"python -m pipeline doctor {engine.stack}   # then: python -m pipeline drift {engine.stack}",
            )
        time.sleep(PAUSE_SECONDS)
