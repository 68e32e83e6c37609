"""Which files of a project go into its image: the rules of ``.dockerignore``, as BuildKit applies them.

This module owns the matching and the walk. What is left out for every project is in ``dockerfile.py``.
The matcher of the Docker SDK is not used: it ignores case, looks at one parent folder alone and knows no ``[^a]``,
so it would miss files that BuildKit does send, and a change of such a file would not be a new release.
"""

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pulumi


class ContextError(pulumi.RunError):
    """The files of the project cannot become an image."""


class _Pattern(NamedTuple):
    expression: re.Pattern[str]
    exception: bool
    """Whether it takes files back in, as a line that starts with ``!`` does."""


_LITERAL_SUFFIX = re.compile(r"\*\*[^*?\[\]\\]+")


class Rules:
    """The rules of one ``.dockerignore``: for each file, the last line that matches it decides."""

    def __init__(self, text: str, name: str = ".dockerignore") -> None:
        """Read the rules.

        Args:
            text: text of the file.
            name: how errors name the file.

        Raises:
            ContextError: if a line means nothing.
        """
        self._patterns = list(_parse(text, name))
        exceptions = [index for index, pattern in enumerate(self._patterns) if pattern.exception]
        self._last_exception = exceptions[-1] if exceptions else -1

    def files(self, root: Path) -> Iterator[os.DirEntry[str]]:
        """Walk over the files and symbolic links under ``root`` that are not ignored; links are not followed.

        Raises:
            ContextError: if a folder that is not ignored cannot be read.
        """
        yield from self._walk(str(root), "", [False] * len(self._patterns))

    def _walk(self, folder: str, prefix: str, above: list[bool]) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as scan:
                entries = list(scan)
        except OSError as error:
            raise unreadable(folder, error) from None
        for entry in entries:
            path = prefix + entry.name
            ignored, matches = self._match(path, above)
            if entry.is_dir(follow_symlinks=False):
                if not (ignored and self._for_good(matches)):
                    yield from self._walk(entry.path, f"{path}/", matches)
            elif not ignored and (entry.is_file() or entry.is_symlink()):
                yield entry  # sockets and pipes are not sent

    def _match(self, path: str, above: list[bool]) -> tuple[bool, list[bool]]:
        """Decide about one path, given which patterns matched the folder above; say which match this path."""
        ignored = False
        matches = above.copy()
        for index, (expression, exception) in enumerate(self._patterns):
            # A pattern that cannot change the decision is not asked, and counts as no match further down.
            if not matches[index] and exception == ignored:
                matches[index] = expression.fullmatch(path) is not None
            if matches[index]:
                ignored = not exception
        return ignored, matches

    def _for_good(self, matches: list[bool]) -> bool:
        """Whether nothing beneath an ignored folder can come back: no exception stands below the match."""
        return any(matches[index] for index in range(self._last_exception + 1, len(matches)))


def unreadable(path: str, error: OSError) -> ContextError:
    """Say that something cannot be read, and what to do."""
    return ContextError(
        f"{path} cannot be read ({error.strerror}), so it cannot become part of the image\n"
        "  allowed: files that the user of this process can read\n"
        f"  mend:    chmod u+r {path}, or name it in .dockerignore"
    )


def _parse(text: str, name: str) -> Iterator[_Pattern]:
    for number, whole in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = whole.strip()
        if not line or whole.startswith("#"):
            continue
        exception = line.startswith("!")
        path = line.removeprefix("!").strip()
        try:
            expression = _expression(_clean(path))
        except re.error:
            path = ""
        if not path:
            raise ContextError(
                f"{name}, line {number}: {line!r} means nothing\n"
                "  allowed: the patterns of Docker's .dockerignore\n"
                "  mend:    correct or remove the line"
            )
        yield _Pattern(expression, exception)


def _clean(path: str) -> str:
    """Make a path canonical: no ``.``, no doubled or trailing slash; a leading one means the root of the project."""
    if not path:
        return path
    cleaned = posixpath.normpath(path)
    cleaned = "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned
    return cleaned[1:] if len(cleaned) > 1 and cleaned.startswith("/") else cleaned


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate a pattern: ``*`` and ``?`` stay within a name, ``**`` stands for any number of folders."""
    if _LITERAL_SUFFIX.fullmatch(pattern) and not pattern.startswith("**/"):
        return re.compile(".*" + re.escape(pattern[2:]))
    parts: list[str] = []
    rest = pattern
    while rest:
        if rest.startswith("**"):
            rest = rest[2:].removeprefix("/")
            parts.append("(?:.*/)?" if rest else ".*")
            continue
        char, rest = rest[0], rest[1:]
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "\\" and rest:
            parts.append(char + rest[0])  # as BuildKit does, where \d is any digit
            rest = rest[1:]
        elif char == "[":
            group, bracket, rest = rest.partition("]")
            if not group or not bracket:
                raise re.error("missing ]")
            parts.append("[" + group.replace("[", "\\[") + "]")
        else:
            parts.append(re.escape(char))
    return re.compile("".join(parts))
