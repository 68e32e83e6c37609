"""One comment that is edited instead of repeated, found by a marker: a line that nobody sees.

Only comments of the token's own are looked at. Whoever writes the marker into a comment of his does not get the report
into it, where he could change it.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.console import Console, problem
from pipeline.forge.http import AgainError

TRIES = 4
PAUSE_SECONDS = 2.0
PATIENCE_SECONDS = 120.0
"""The longest that one run waits for a server that asks for patience."""


@dataclass(frozen=True)
class Comment:
    """A comment that is there.

    Attributes:
        id: Its number.
        body: Its text.
        address: Where people read it; empty where the server does not say.
    """

    id: int
    body: str
    address: str = ""


class Request(Protocol):
    """A pull request that can be commented."""

    @property
    def longest(self) -> int:
        """The most characters that a comment may have."""

    def comments(self) -> Iterator[Comment]:
        """Give those of the token's owner."""

    def create(self, body: str) -> Comment:
        """Post one."""

    def edit(self, comment: Comment, body: str) -> Comment:
        """Change one."""


def marked(text: str, marker: str | None, name: str) -> tuple[str, str]:
    """Give the marker and the text that begins with it.

    Args:
        text: What to post.
        marker: A word of the user's; None: the text begins with a line that is one.
        name: The file, as errors name it.
    """
    if not text.strip():
        raise problem(f"{name} is empty: there is nothing to post")
    if marker is None:
        first = text.lstrip("\ufeff").partition("\n")[0].strip()
        if not re.fullmatch(r"<!-- [^<>]+ -->", first):
            raise problem(
                f"{name}: its first line is no marker, by which the comment would be found again",
                allowed="<!-- NAME -->, as `python -m pipeline preview --format markdown` writes it",
                mend="the same command with --marker NAME",
            )
        return first, text.lstrip("\ufeff")
    if not re.fullmatch(r"[\w][\w ./:-]*", marker) or "--" in marker:
        raise problem(f"--marker: found {marker!r}", allowed="letters, digits, spaces and . / : - _, no --")
    line = f"<!-- {marker} -->"
    return line, f"{line}\n{text}"


def post(
    request: Request, marker: str, body: str, console: Console, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[Comment, str]:
    """Post the comment, or edit the one that is there; what was done is ``posted``, ``edited`` or ``left``.

    A try begins with looking: after an answer that got lost, what the try before has posted is found and not repeated.
    """
    if len(body) > request.longest:
        raise problem(
            f"the comment has {len(body):,} characters, {len(body) - request.longest:,} too many",
            allowed=f"{request.longest:,} characters",
            mend="post a shorter text, and the whole as an artifact of the job",
        )
    waited = 0.0
    for attempt in range(1, TRIES + 1):
        try:
            return _once(request, marker, body)
        except AgainError as error:
            pause = error.seconds if error.seconds is not None else PAUSE_SECONDS * attempt
            if attempt == TRIES or waited + pause > PATIENCE_SECONDS:
                raise error.error from None
            console.say(f"    {error.error.problems[0].found}; tries again in {pause:.0f} s")
            sleep(pause)
            waited += pause
    raise AssertionError  # the last try returns or raises


def _once(request: Request, marker: str, body: str) -> tuple[Comment, str]:
    for each in request.comments():
        if each.body.startswith(marker):
            # The server may give other ends of lines back, and no blank at the end.
            if each.body.replace("\r\n", "\n").rstrip() == body.rstrip():
                return each, "left"
            return request.edit(each, body), "edited"
    return request.create(body), "posted"
