"""What the commands print: steps with their time, and problems with the command that mends them.

It owns wording's shape and colour (on a terminal only). It never asks anything: nothing in this project prompts.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

BOLD, RED, GREEN, YELLOW = "1", "31", "32", "33"


def counted(number: int, noun: str) -> str:
    """Write a number of things, such as ``1 danger`` and ``2 dangers``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where and what was found, what is allowed, and the command that mends it."""

    found: str
    allowed: str | None = None
    mend: str | None = None

    def lines(self) -> list[str]:
        """The problem as it is printed."""
        rows = [self.found]
        for label, text in (("allowed", self.allowed), ("mend", self.mend)):
            if text is not None:
                first, *rest = text.splitlines() or [""]
                rows.append(f"  {label + ':':<9}{first}")
                rows += [f"{'':11}{line}" for line in rest]
        return rows


class PipelineError(Exception):
    """A command cannot go on. It carries every problem that was found, not the first one alone."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join("\n".join(problem.lines()) for problem in problems))


def problem(found: str, *, allowed: str | None = None, mend: str | None = None) -> PipelineError:
    """Make the error for a single problem."""
    return PipelineError(Problem(found, allowed, mend))


def is_terminal(stream: TextIO) -> bool:
    """Whether colours make sense there."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def seconds(duration: float) -> str:
    """Write a duration for people: ``0.3 s``, ``2 min 05 s``."""
    minute = 60
    if duration < minute:
        return f"{duration:.1f} s"
    return f"{int(duration // minute)} min {int(duration % minute):02d} s"


@dataclass
class Console:
    """Prints to two streams and remembers how long each step took."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    times: dict[str, float] = field(default_factory=dict)

    def paint(self, text: str, colour: str, stream: TextIO | None = None) -> str:
        """Colour a text if the stream is a terminal."""
        return f"\033[{colour}m{text}\033[0m" if is_terminal(stream or self.out) else text

    def say(self, text: str = "") -> None:
        """Print one line at once, also into a pipe."""
        print(text, file=self.out, flush=True)

    def warn(self, text: str) -> None:
        """Print one line about something that is odd but stops nothing."""
        print(f"{self.paint('warning:', YELLOW, self.err)} {text}", file=self.err, flush=True)

    def fail(self, error: PipelineError) -> None:
        """Print every problem of an error."""
        self.out.flush()
        for each in error.problems:
            first, *rest = each.lines()
            print(f"{self.paint('error:', RED, self.err)} {first}", file=self.err)
            for line in rest:
                print(line, file=self.err)
        self.err.flush()

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Say what is done now, and remember under ``name`` how long it took."""
        self.say(f"{self.paint('==>', BOLD)} {what}")
        start = time.monotonic()
        try:
            yield
        finally:
            self.times[name] = self.times.get(name, 0) + time.monotonic() - start

    def summary(self) -> str:
        """Every step with its time, and the sum."""
        steps = [f"{name} {seconds(duration)}" for name, duration in self.times.items()]
        return ", ".join([*steps, f"total {seconds(sum(self.times.values()))}"])
