"""The files that list a project's Python dependencies: the named ones, and those that they include.

This module owns reading them far enough to know their names, which makes the layer of dependencies independent of
the code. It does not resolve or install anything.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.ignore import ContextError, unreadable

_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S+)")
_LOCAL = re.compile(
    r"(?:(?:-e|--editable)[\s=]*)?(?P<path>\.{1,2}(?:/[^\s\[;]*)?(?=\[|;|$|\s)|/[^\s\[;]*|file:[^\s\[;]*)"
)
_LOCAL_NAMED = re.compile(r"\S+\s*@\s*(?P<path>file:[^\s;]*)")
_PLAIN = re.compile(r"[A-Za-z0-9._@+/-]+")


def files(source: Path, names: Sequence[str], folder: str = "") -> list[str]:
    """Give the paths, inside the project, of requirements files and of all that they include, each once.

    Args:
        source: the project's root.
        names: the files, inside it.
        folder: where they are read, inside it: a part of the project that they ask for is looked for there.

    Raises:
        ContextError: if one of them cannot be read, or asks for something outside the project.
    """
    found: dict[str, None] = {}
    parts: set[str] = set()
    todo = list(names)
    while todo:
        path = todo.pop(0)
        if path in found:
            continue
        found[path] = None
        for number, line in _lines(source / path):
            local = _LOCAL.match(line) or _LOCAL_NAMED.match(line)
            if local is not None:
                parts.add(inside(source, local["path"], folder, f"{source / path}, line {number}"))
                continue
            other = _INCLUDE.match(line)
            if other is not None and "://" not in other[1]:
                todo.append(inside(source, other[1], posixpath.dirname(path), f"{source / path}, line {number}"))
    return sorted({*found, *parts})


def inside(source: Path, path: str, folder: str, where: str) -> str:
    """Give the path inside the project of what one of its files names.

    Args:
        source: the project's root.
        path: as the file says it.
        folder: where it starts, inside the project.
        where: the file and the line, for the error.

    Raises:
        ContextError: if it lies outside the project.
    """
    found = posixpath.normpath(posixpath.join(folder, path))
    if found.startswith(("../", "/", "file:")) or found == ".." or not _PLAIN.fullmatch(found):
        raise ContextError(
            f"{where}: {path!r} cannot be part of the image\n"
            "  allowed: what lies inside the project, its path made of letters, digits and . _ @ + -\n"
            f"  mend:    move it into {source}, or let slipway:app.source name a folder above both"
        )
    return found


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a file of requirements, without comments; none of another kind of file, which uv reads too."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise unreadable(str(file), error) from None
    if file.suffix not in {".txt", ".in"}:
        return
    for number, line in enumerate(text.replace("\\\n", "  ").splitlines(), 1):
        yield number, re.sub(r"(^|\s)#.*", "", line).strip()
