"""What Pulumi leaves in a cluster: half-made steps, a namespace that takes its time to end, images in a registry."""

import time
from collections.abc import Mapping
from typing import Any

from components.labels import STACK
from components.tokens import IMAGE, KUBERNETES
from pipeline.cluster.check import using, wait_until_ended
from pipeline.cluster.connection import Cluster, collection, connect, path_of, place_in
from pipeline.engine import Engine

AUTONAMED = "pulumi.com/autonamed"
KINDS = (
    f"{KUBERNETES}batch/v1:Job",
    f"{KUBERNETES}core/v1:ConfigMap",
    f"{KUBERNETES}core/v1:Secret",
    f"{KUBERNETES}core/v1:Service",
)
"""What has automatic names."""
ENDS_WITHIN_SECONDS = 90
PAUSE_SECONDS = 0.5


def remove_half_made(engine: Engine, state: Mapping[str, Any]) -> None:
    """Remove what a killed update was making under an automatic name: the next one makes another, beside a step that runs.

    What has a fixed name stays: the next update finds it and takes it over as its own.
    """
    place = place_in(state)
    found = half_made(state)
    if place is None or not found:
        return
    with connect(engine, place) as cluster:
        for kind, home, name in found:
            path = path_of(*collection(kind), home, name)
            if cluster.get(path) is not None:
                engine.console.say(f"    removes the half-made {kind.rpartition(':')[2]} {name}")
                _remove(cluster, path)


def _remove(cluster: Cluster, path: str) -> None:
    """Remove one object, and wait until its pods have ended."""
    cluster.ask("DELETE", path, {"propagationPolicy": "Foreground"})
    end = time.monotonic() + ENDS_WITHIN_SECONDS
    while cluster.get(path) is not None and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)


def half_made(state: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name what was being made under automatic names and is not known otherwise: kind, namespace, name."""
    known = {each.get("id") for each in state.get("resources") or []}
    found = []
    for operation in state.get("pending_operations") or []:
        made = operation["resource"]
        metadata = (made.get("inputs") or {}).get("metadata")
        if operation.get("type") != "creating" or made.get("type") not in KINDS or not isinstance(metadata, dict):
            continue
        annotations, home, name = metadata.get("annotations") or {}, metadata.get("namespace"), metadata.get("name")
        if home and name and annotations.get(AUTONAMED) == "true" and f"{home}/{name}" not in known:
            found.append((str(made["type"]), str(home), str(name)))
    return found


def reach(engine: Engine, state: Mapping[str, Any]) -> None:
    """Raise when the cluster does not answer, and remove steps of the stack that its state does not know.

    The pod of a step, even of one that has ended, holds the claims that it mounts: no destroy would get past them.
    """
    place = place_in(state)
    if place is None:
        return  # nothing of the stack is in a cluster
    with connect(engine, place) as cluster:
        engine.console.say(f"    {using(cluster)}")
        known = {each.get("id") for each in state.get("resources") or []}
        for job in cluster.items(cluster.inside("batch/v1", "jobs"), labelSelector=f"{STACK}={engine.stack}"):
            name = str(job["metadata"]["name"])
            if f"{cluster.namespace}/{name}" not in known:
                engine.console.say(f"    removes the Job {name}, which an update that was killed has left")
                _remove(cluster, cluster.inside("batch/v1", "jobs", name))


def images(state: Mapping[str, Any]) -> list[str]:
    """The images that the stack has pushed."""
    return [
        str(tag)
        for each in state.get("resources") or []
        if each.get("type") == IMAGE
        for tag in (each.get("inputs") or {}).get("tags") or ()
    ]


def after_destroy(engine: Engine, state: Mapping[str, Any], keep: bool) -> list[str]:  # noqa: FBT001 - one signature for all targets
    """Wait until the namespace is gone, and say which images stay: what a registry holds is not ours to remove."""
    stays = images_stay(engine, images(state))
    place = place_in(state)
    if place is None:
        return stays
    if not keep:
        with connect(engine, place) as cluster:
            wait_until_ended(engine, cluster)
    return stays


def images_stay(_engine: Engine, tags: list[str]) -> list[str]:
    """Say which images stay."""
    return [f"{image} in its registry: remove it there, if nothing else uses it" for image in tags]


def left(engine: Engine, state: Mapping[str, Any], _project: str) -> list[str]:
    """Name the namespace of the stack, if it is still there: everything else of the stack is in it."""
    place = place_in(state)
    if place is None:
        return []
    with connect(engine, place) as cluster:
        found = cluster.get(path_of("v1", "namespaces", name=cluster.namespace))
    return [] if found is None else [f"namespace {place.namespace}"]
