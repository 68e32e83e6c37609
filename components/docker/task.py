"""A step that runs once and decides whether the update goes on.

For the plugin, an attached container is a success whatever its exit code, so the code is looked at here: anything but 0
ends the update with what the step said. What depends on ``ready`` has not happened then, and what served goes on serving.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker as docker
from pulumi import CustomTimeouts, Input, Output, ResourceOptions

from components.docker.container import Container, create
from components.labels import ATTEMPT

_LINES = 20
_USUAL_SECONDS = 1200
ROOM_SECONDS = 60
"""How much longer the plugin waits than a step may take, which says by itself that it took too long."""
HIDDEN = "[secret]"


class StepError(pulumi.RunError):
    """A step failed, so that the update must not go on."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What runs once."""

    what: str
    """What it is for the one who reads the error, such as ``The migration``."""
    hint: str
    """What it means that it failed, and what to do."""
    container: Container
    """The container."""
    attempt: int
    """Another number runs it again."""
    after: Sequence[pulumi.Resource] = ()
    """What must be ready before."""
    hidden: Sequence[Input[str]] = field(default_factory=list)
    """Secret values that must not appear in an error."""
    limit_seconds: int = 0
    """How long it may take by itself."""


def run(name: str, task: Task, parent: pulumi.Resource) -> Output[bool]:
    """Register the container, and give an output that exists only if it ended well."""
    spec = task.container
    container = create(
        name,
        Container(**{**vars(spec), "once": True, "labels": {**spec.labels, ATTEMPT: str(task.attempt)}}),
        # What it logs may hold more than it should: keep it encrypted in the state.
        ResourceOptions(
            parent=parent,
            depends_on=[*task.after],
            additional_secret_outputs=["containerLogs"],
            custom_timeouts=_patience(task.limit_seconds),
        ),
    )
    return _gate(container, task)


def _patience(limit_seconds: int) -> CustomTimeouts | None:
    """Let the plugin wait longer than the 20 minutes that it waits anyway, for what may take longer."""
    if limit_seconds + ROOM_SECONDS <= _USUAL_SECONDS:
        return None
    return CustomTimeouts(create=f"{limit_seconds + ROOM_SECONDS}s")


def _gate(container: docker.Container, task: Task) -> Output[bool]:
    def check(seen: list[Any]) -> bool:
        code, logs, *hidden = seen
        if code:
            raise StepError(failure(task, int(code), redacted(logs or "", hidden)))
        return True

    gate = Output.all(container.exit_code, container.container_logs, *task.hidden).apply(check)
    return Output.unsecret(gate)


def redacted(text: str, hidden: Sequence[str]) -> str:
    """Take secret values out of a text."""
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def failure(task: Task, code: int, logs: str) -> str:
    """Say what failed, why, and what to do."""
    lines = [line.rstrip() for line in logs.splitlines() if line.strip()][-_LINES:]
    said = "\n".join(f"  | {line}" for line in lines) if lines else "  | (it said nothing)"
    return f"{task.what} failed with exit code {code}. Its last lines:\n{said}\n{task.hint}"
