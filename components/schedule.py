"""The command of a process that runs by the clock, for targets that have no clock of their own. Pure."""

from collections.abc import Sequence
from pathlib import Path

_WAIT = Path(__file__).parent / "cron.py"


def waiting(schedule: str, command: Sequence[str]) -> list[str]:
    """Give the command that waits for each time of a schedule and runs another one then."""
    return ["python3", "-I", "-S", "-c", _WAIT.read_text(encoding="utf-8"), schedule, *command]
