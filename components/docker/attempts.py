"""How often each step that runs once has been tried: one more when it failed the last time.

A container that ran and failed is, for the plugin, a container that was made: with unchanged inputs it would never run
again, and the step would stay red after its cause is gone. So the number of the attempt is an input of such a
container, and this module reads from the stack's state whether the last attempt failed.
It changes nothing and knows no component; the state is the one from before this update, in previews too.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from components import state
from components.labels import ATTEMPT, COMPONENT
from components.tokens import CONTAINER


def load() -> dict[str, int]:
    """Read the number of the attempt of each step that the stack knows. A step that is not there begins with 1."""
    return count(state.resources())


def count(resources: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count attempts from what is known of each resource: its ``type`` and ``outputs``."""
    attempts = {}
    for resource in resources:
        if resource.get("type") != CONTAINER:
            continue
        outputs = resource["outputs"]
        labels = {each["label"]: each["value"] for each in outputs.get("labels") or []}
        if ATTEMPT in labels:
            failed = bool(outputs.get("exitCode"))
            attempts[labels[COMPONENT]] = int(labels[ATTEMPT]) + failed
    return attempts
