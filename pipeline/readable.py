"""Pulumi's output for people: without tracebacks, without the chatter of a build, without a line for each group.

It drops lines and cuts long ones. Everything that was said stays in the log file of the command.
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
# What is said again and again, or about steps that took no time.
_CHATTER = (
    re.compile(r"^@ [a-z]+\.+$"),
    re.compile(r"^ [+~-] +slipway:\S+ \S+ (?:creating|updating|deleting|created|updated|deleted) \(\S+s\)$"),
    re.compile(
        r"docker-build:index:Image \S+ [a-z]+ \(\S+s\)"
        r"(?:$| #\d+ (?:CACHED|DONE|building|resolve|sending|transferring|exporting|sha256|extracting|\[internal\]))"
    ),
)
_BUILD = re.compile(r"^.*docker-build:index:Image \S+ [a-z]+ \(\S+s\) #\d+ \[")
_LONGEST = 160
_HEADING = re.compile(r"^  \S+:\S+:\S+ \(.+\):$")  # "  pulumi:pulumi:Stack (slipway-dev):", above its messages
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
        self._heading: str | None = None
        self._blank = False

    def feed(self, line: str) -> Iterator[str]:
        """Give what is to be printed for the next line: itself, after a heading that waited for it, or nothing."""
        line = line.rstrip()
        text = plain(line).rstrip()
        if self._dropped(text) or any(pattern.search(text) for pattern in _CHATTER):
            return
        if _HEADING.match(text):
            self._heading = line  # printed with the first line below it that is kept
            return
        if not text:
            self._blank = True
            return
        if not text.startswith("    "):
            self._heading = None
        if self._blank:
            yield ""
        if self._heading is not None:
            yield self._heading
        self._blank, self._heading = False, None
        yield line if len(text) <= _LONGEST or not _BUILD.match(text) else f"{text[:_LONGEST]} ..."

    def _dropped(self, text: str) -> bool:
        """Whether a line is part of a traceback. The last line of one, with the reason, is kept."""
        body = text
        for prefix in _PREFIXES:
            body = prefix.sub("", body, count=1)
        said = body.lstrip()
        if said.startswith(_CHAINED):
            return True
        if _START in body:
            self._inside, self._depth = True, body.index(_START)
            return True
        if not self._inside:
            return False
        if not body or len(body) - len(said) > self._depth:
            return True  # frames are indented deeper than the headline
        self._inside = False
        return said.startswith(_END_OF_PROGRAM)  # how the language host ends a program whose update has failed

    def all(self, text: str) -> list[str]:
        """Filter a whole text."""
        return [kept for line in text.splitlines() for kept in self.feed(line)]
