"""What Pulumi leaves in a cluster: nothing half-made, a namespace that takes its time to end, images in a registry."""

from collections.abc import Mapping
from typing import Any

from pipeline.cluster.check import using, wait_until_ended
from pipeline.cluster.connection import connect, place_in
from pipeline.engine import Engine

IMAGE = "docker-build:index:Image"


def remove_half_made(_engine: Engine, _state: Mapping[str, Any]) -> None:
    """Remove nothing: the next update finds an object that a killed one was making, and takes it over as its own."""


def reach(engine: Engine, state: Mapping[str, Any]) -> None:
    """Raise when the cluster does not answer."""
    place = place_in(state)
    if place is None:
        return  # nothing of the stack is in a cluster
    with connect(engine, place) as cluster:
        engine.console.say(f"    {using(cluster)}")


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
    stays = [f"{image} in its registry: remove it there, if nothing else uses it" for image in images(state)]
    place = place_in(state)
    if place is None:
        return stays
    if not keep:
        with connect(engine, place) as cluster:
            wait_until_ended(engine, cluster)
    return stays
