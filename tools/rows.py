"""A row of the tables in docs/numbers.md: what was measured, and the command that measures it again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured number."""

    what: str
    measured: str
    command: str

    def __str__(self) -> str:
        """As a row of a Markdown table."""
        return f"| {self.what} | {self.measured} | {self.command} |"


def wall(seconds: float) -> str:
    """Write a duration."""
    return f"{seconds:.1f} s"
