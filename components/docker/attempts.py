"""How often each step that runs once has been tried: one more when it failed the last time.

A container that ran and failed is, for the plugin, a container that was made: with unchanged inputs it would never run
again, and the step would stay red after its cause is gone. So the number of the attempt is an input of such a
container, and this module reads from the stack's state whether the last attempt failed.
It changes nothing and knows no component; the state is the one from before this update, in previews too.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from components.labels import ATTEMPT, COMPONENT

_BEING_WRITTEN = "failed to load checkpoint"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for a file of the state that is being written."""

_CONTAINER = "docker:index/container:Container"


def load() -> dict[str, int]:
    """Read the number of the attempt of each step that the stack knows. A step that is not there begins with 1."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    # A stack that was never deployed has no state at all, which the engine's second answer does not survive.
    if not _read("pulumi:pulumi:readStackOutputs", {"name": stack}).get("outputs"):
        return {}
    state = _read("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack})
    return count(state.get("outputs", {}).values())


def _read(function: str, arguments: Mapping[str, str]) -> Mapping[str, Any]:
    """Ask the engine, again if need be: it writes the same state, and a local backend does not do that in one go."""
    for pause in _PAUSES:
        try:
            return pulumi.runtime.invoke(function, dict(arguments)).value or {}
        except Exception as error:  # the SDK raises nothing more exact
            if _BEING_WRITTEN not in str(error):
                raise
            time.sleep(pause)
    return pulumi.runtime.invoke(function, dict(arguments)).value or {}


def count(resources: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count attempts from what is known of each resource: its ``type`` and ``outputs``."""
    attempts = {}
    for resource in resources:
        if resource.get("type") != _CONTAINER:
            continue
        outputs = resource["outputs"]
        labels = {each["label"]: each["value"] for each in outputs.get("labels") or []}
        if ATTEMPT in labels:
            failed = bool(outputs.get("exitCode"))
            attempts[labels[COMPONENT]] = int(labels[ATTEMPT]) + failed
    return attempts
