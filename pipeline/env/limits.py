"""How many review environments there may be, and how much memory they may have together. Pure."""

from collections.abc import Sequence
from datetime import datetime

from components.model import Review
from pipeline.console import counted, problem
from pipeline.env import lifetime
from pipeline.env.record import Record


def check(wanted: str, memory_mb: int, others: Sequence[Record], said: Review, now: datetime) -> None:
    """Make sure that there is room for an environment beside the others.

    Raises:
        PipelineError: if there is none, with what is there, what is due next and the command that makes room.
    """
    if len(others) + 1 > said.max_environments:
        there = f"{counted(len(others), 'review environment')} {'is' if len(others) == 1 else 'are'} there"
        found = f"{there}, and slipway:review.max_environments is {said.max_environments}"
        allowed = f"at most {said.max_environments}"
    elif sum(each.memory_mb for each in others) + memory_mb > said.max_memory_mb:
        taken = sum(each.memory_mb for each in others)
        found = (
            f"{wanted} would have {memory_mb} MiB of memory beside the {taken} MiB of {counted(len(others), 'other')}, and "
            f"slipway:review.max_memory_mb is {said.max_memory_mb}"
        )
        allowed = f"at most {said.max_memory_mb} MiB together"
    else:
        return
    raise problem(
        f"{found}; nothing was made", allowed="\n".join([allowed, *_lines(others, now)]), mend=_mend(others, now)
    )


def _lines(others: Sequence[Record], now: datetime) -> list[str]:
    return [
        f"{each.name}: {each.memory_mb} MiB, {lifetime.until(each.expires, now)}"
        for each in sorted(others, key=lambda each: each.expires)
    ]


def _mend(others: Sequence[Record], now: datetime) -> str | None:
    if not others:
        return None
    first = min(others, key=lambda each: each.expires)
    if first.due(now):
        return "python -m pipeline env expire   # destroys all that are due"
    return f"python -m pipeline env destroy {first.name}   # the next that is due"
