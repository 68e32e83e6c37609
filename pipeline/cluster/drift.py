"""Drift of a stack on a cluster: not there yet, and said so."""

from collections.abc import Sequence

from pipeline.console import problem
from pipeline.drift.difference import Difference, Look
from pipeline.engine import Engine
from pipeline.target import State


def look(engine: Engine, _state: State) -> Look:
    """Raise, since nothing is compared on a cluster yet."""
    raise problem(
        f"stack {engine.stack} runs on a cluster, where drift is not looked for yet",
        allowed="a stack on a Docker host",
        mend=f"pulumi preview --refresh --diff --stack {engine.stack}   # shows what Pulumi itself can see",
    )


def clear(_engine: Engine, _differences: Sequence[Difference], _first: bool) -> None:  # noqa: FBT001 - one signature for all targets
    """Clear nothing: nothing was found."""
