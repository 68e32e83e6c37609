"""Pulumi's output for people: without the tracebacks that say nothing to the one who reads them.

It drops lines and changes none. Everything that was said stays in the log file of the command.
"""

import re
from collections.abc import Iterator

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PREFIXES = (
    # " +  docker:index:Container web creating (3s) text": what a resource says while it is worked on.
    re.compile(r"^[ @~+\-=><]*\w\S*:\S*:\S+ \S+ [a-z]+(?: \(\d+(?:\.\d+)?s\))? ?"),
    # "#14 1.203 text": what a step of a build says.
    re.compile(r"^\s*#\d+ (?:\d+\.\d+ )?"),
)
_START = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
_END_OF_PROGRAM = "KeyboardInterrupt"


def plain(line: str) -> str:
    """A line without its colours."""
    return _COLOUR.sub("", line)


class Readable:
    """A filter that is fed one line after the other."""

    def __init__(self) -> None:
        self._inside = False
        self._depth = 0

    def feed(self, line: str) -> Iterator[str]:
        """Give what is to be printed for the next line: itself, or nothing."""
        body = plain(line).rstrip()
        for prefix in _PREFIXES:
            body = prefix.sub("", body, count=1)
        if body.lstrip().startswith(_CHAINED):
            return
        if _START in body:
            self._inside, self._depth = True, body.index(_START)
            return
        if self._inside:
            indent = len(body) - len(body.lstrip())
            if not body or indent > self._depth:
                return  # frames are indented deeper than the headline
            self._inside = False
            if body.lstrip().startswith(_END_OF_PROGRAM):
                return  # how the language host ends a program whose update has failed
        yield line.rstrip()

    def all(self, text: str) -> list[str]:
        """Filter a whole text."""
        return [kept for line in text.splitlines() for kept in self.feed(line)]
