"""Containers and networks that a check or a preview needs for minutes, and what of them a killed one has left.

A command removes its own. One that was killed cannot, so each carries a time after which nobody needs it, and the next
command that makes some removes what is past it.
"""

import time
from collections.abc import Mapping
from contextlib import suppress

import docker
import docker.errors

UNTIL = "slipway.until"
"""The label that says when nobody needs it any more, in seconds since 1970."""
LASTS_SECONDS = 2 * 3600
"""Longer than any of these commands may take."""


def labels(kind: str, stack: str) -> dict[str, str]:
    """Give the labels of something that is thrown away.

    Args:
        kind: the label that says what it is for, such as ``slipway.check``.
        stack: the stack that it is about.
    """
    return {kind: stack, UNTIL: str(int(time.time()) + LASTS_SECONDS)}


def sweep(client: "docker.DockerClient") -> None:
    """Remove what killed commands have left, whichever stack it was about. Another command may be doing the same."""
    ours: dict[str, str | list[str] | bool] = {"label": UNTIL}
    for container in client.containers.list(all=True, filters=ours, ignore_removed=True):
        if _is_past(container.labels):
            with suppress(docker.errors.APIError):
                container.remove(force=True, v=True)
    for network in client.networks.list(filters=ours):
        if _is_past(network.attrs.get("Labels") or {}):
            with suppress(docker.errors.APIError):
                network.remove()


def _is_past(found: Mapping[str, str]) -> bool:
    until = found.get(UNTIL, "")
    return until.isdigit() and int(until) < time.time()
