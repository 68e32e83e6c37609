"""What an inspection gives: settings with the place that they were found at, and what somebody has to decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | int | bool | Sequence[str] | Mapping[str, str]
"""A value as a stack's file says it."""


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands in a project."""

    file: str
    """Path, starting at the project's root."""
    line: int | None = None
    """Number of the line, from 1; None for the file as a whole."""

    def __str__(self) -> str:
        """As editors take it: ``config/settings.py:12``."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value for one key below ``slipway:``."""

    path: tuple[str, ...]
    """The key, such as ``("app", "health_path")``."""
    value: Value
    """What the stack's file says."""
    why: str
    """What was found, in words."""
    place: Place | None = None
    """Where; None for what follows from something else."""
    asked: bool = True
    """Whether it is needed. What is not stands in the file as a comment."""
    otherwise: str | None = None
    """What to do where the model does not know the key; None if nothing has to be done then."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What could not be found or decided without somebody who knows."""

    what: str
    """What is missing, in words."""
    do: str
    """What to do about it: a command, or what to write."""
    place: Place | None = None
    """Where it was looked for or seen."""


Found = Setting | Missing
