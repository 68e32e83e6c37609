"""What the stack knows from before this update, asked from the engine. In previews too.

It reads, and decides nothing.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

_BEING_WRITTEN = "failed to load checkpoint"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for a file of the state that is being written."""


def outputs() -> Mapping[str, Any]:
    """Give what the stack exported at the end of its last update, which may have failed; nothing if there was none."""
    return _read("pulumi:pulumi:readStackOutputs", {"name": _stack()}).get("outputs") or {}


def deployed() -> bool:
    """Say whether the stack was ever deployed, if only in part."""
    return bool(outputs())


def resources() -> Iterable[Mapping[str, Any]]:
    """Give what is known of each resource: its ``type`` and ``outputs``."""
    # A stack that was never deployed has no state at all, which the engine's second answer does not survive.
    if not deployed():
        return []
    known = _read("pulumi:pulumi:readStackResourceOutputs", {"stackName": _stack()})
    return list(known.get("outputs", {}).values())


def _stack() -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


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
