"""What a check finds: one thing that is wrong, and what mends it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    check: str
    """Which check found it."""
    found: str
    """What is wrong, in words."""
    mend: str
    """The setting to change or the command that mends it."""
    level: Level = Level.ERROR
    """Whether it can be deployed all the same."""
    allowed: str | None = None
    """What is right, in words, where that is not plain."""
    log: tuple[str, ...] = ()
    """The last lines of what was said."""
