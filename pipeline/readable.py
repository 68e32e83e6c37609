"""Pulumi's output for people: without tracebacks, without the chatter of a build, without a line for each group.

It drops lines, cuts long ones, and says what a build says without Pulumi's words around it. Everything that was said stays in the log file of the command.
"""

import re
from collections.abc import Iterator

from components.tokens import IMAGE, KUBERNETES

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# " ~  docker:index:Container web updating (3s) [diff: ~image]; text": what a resource says while it is worked on.
_EVENT = re.compile(
    r"^[ @~+\-=><]*(?P<type>\w[\w-]*:\S*:\w+) (?P<name>\S+) (?P<verb>\*?\*?[a-z]+(?: replacement| original| failed)?(?:\*\*)?)"
    r"(?P<seconds> \([\d.]+s\))?(?:\[retain\])?(?P<difference> \[diff: [^\]]*\];?)? ?(?P<said>.*)$"
)
_STEP = re.compile(r"^#\d+ (?P<time>\d+\.\d+ )?(?P<said>.*)$")  # "#14 1.203 text": what a step of a build says
# What is said again and again, or about steps that took no time.
# Said of every image at each refresh where the registry speaks plain HTTP, as one on the same machine does.
_UNVERIFIED = "unable to verify image tags, leaving state unchanged"
_DONE = ("created", "updated", "replaced", "deleted", "refreshed")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DOTS = re.compile(r"^@ [a-z]+\.+$")
_QUIET_STEPS = re.compile(
    r"^#\d+ (?:CACHED|DONE|building|resolve|sending|transferring|exporting|sha256|extracting|\[internal\]|ERROR)|^-+$|^$"
)
_EXPLAINED = "incorrect passphrase"  # always said again in words of our own
# What Pulumi says after a destroy: the commands that destroy remove the rest themselves.
_STAYS = (
    "The resources in the stack have been deleted, but the history",
    "If you want to remove the stack completely, run",
)
# While Pulumi refreshes, "    docker:index:Volume data" says that nothing is new about it.
_SAME = re.compile(r"^ {4}\w[\w-]*:\S*:\w+ \S+$")
_GROUP, _HOST = "slipway:", "docker:"
_AGAIN = 10
"""After how many seconds a container that still waits for the same says so again."""
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
        self._waits: dict[str, tuple[str, float]] = {}

    def feed(self, line: str) -> Iterator[str]:
        """Give what is to be printed for the next line: itself, after a heading that waited for it, or nothing."""
        line = line.rstrip()
        text = plain(line).rstrip()
        event = _EVENT.match(text)
        said = event["said"] if event else text
        step = _STEP.match(said)
        if _UNVERIFIED in text:
            return
        if self._in_traceback(step["said"] if step else said) or _chatter(text, event) or self._said_before(event):
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
        if event and step and event["type"] == IMAGE:
            line = text = f"    {event['name']} | {step['said']}"
        waits = event is not None and event["type"].startswith((KUBERNETES, _HOST))
        if event and waits and event["verb"].startswith(_DONE) and "error" not in said:
            line = text = text[: event.start("said")].rstrip("; ")  # what it waited for is over
        yield f"{text[:_LONGEST]} ..." if len(text) > _LONGEST and ("failed to solve" in text or step) else line

    def _in_traceback(self, said: str) -> bool:
        """Whether a line is part of a traceback. The last line of one, with the reason, is not."""
        words = said.lstrip()
        if words.startswith(_CHAINED):
            return True
        if _START in said:
            self._inside, self._depth = True, said.index(_START)
            return True
        if not self._inside:
            return False
        if not said or len(said) - len(words) > self._depth:
            return True  # frames are indented deeper than the headline
        self._inside = False
        return words.startswith(_END_OF_PROGRAM)  # how the language host ends a program whose update has failed

    def _said_before(self, event: re.Match[str] | None) -> bool:
        """Whether something still waits for the same: it says so every two seconds, for minutes.

        A cluster says more beside it; of a host it is all that is heard, so it is said again after a while.
        """
        if event is None or not event["type"].startswith((KUBERNETES, _HOST)) or not event["verb"].endswith("ing"):
            return False
        words, now = _NUMBER.sub("", event["said"]), float((event["seconds"] or "").strip(" (s)") or 0)
        before, at = self._waits.get(event["name"], ("", 0.0))
        if words and words == before and (event["type"].startswith(KUBERNETES) or now - at < _AGAIN):
            return True
        self._waits[event["name"]] = words, now
        return False

    def all(self, text: str) -> list[str]:
        """Filter a whole text."""
        return [kept for line in text.splitlines() for kept in self.feed(line)]


def _chatter(text: str, event: re.Match[str] | None) -> bool:
    """Whether a line is no news."""
    if event is None:
        return bool(_DOTS.match(text) or _SAME.match(text)) or text.endswith(_EXPLAINED) or text.startswith(_STAYS)
    if event["type"].startswith(_GROUP):
        return not event["said"]
    return event["type"] == IMAGE and event["verb"].endswith("ing") and bool(_QUIET_STEPS.match(event["said"]))
