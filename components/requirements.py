"""The files that list a project's Python dependencies: the named one, and those that it includes.

This module owns reading them far enough to know their names, which makes the layer of dependencies independent of
the code. It does not resolve or install anything.
"""

import posixpath
import re
from pathlib import Path

from components.ignore import ContextError, unreadable

_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S+)")
_LOCAL = re.compile(r"(?:(?:-e|--editable)[\s=]*)?(?:\.{1,2}(?:/|\[|$|\s)|/|file:)|\S+\s*@\s*file:")
_PLAIN = re.compile(r"[A-Za-z0-9._@+/-]+")


def files(source: Path, name: str) -> list[str]:
    """Give the paths, inside the project, of a requirements file and of all that it includes, each once.

    Raises:
        ContextError: if one of them cannot be read, lies outside the project, or asks for a part of the project.
    """
    found: dict[str, None] = {}
    todo = [name]
    while todo:
        path = todo.pop(0)
        if path in found:
            continue
        found[path] = None
        todo += _includes(source, path)
    return sorted(found)


def _includes(source: Path, path: str) -> list[str]:
    file = source / path
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise unreadable(str(file), error) from None
    if not path.endswith((".txt", ".in")):
        return []  # pyproject.toml, which uv reads too
    included = []
    for number, whole in enumerate(text.replace("\\\n", "  ").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", whole).strip()
        if _LOCAL.match(line):
            raise ContextError(
                f"{file}, line {number}: {line!r} is a folder of the project, but dependencies are installed before the "
                "project's code is there\n"
                "  allowed: packages, with or without a version, and includes (-r FILE, -c FILE)\n"
                "  mend:    remove the line (the project is in the image anyway), or name a Dockerfile of your own in "
                "slipway:app.dockerfile"
            )
        match = _INCLUDE.match(line)
        if match is None or "://" in match[1]:
            continue
        other = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        if other.startswith(("../", "/")) or not _PLAIN.fullmatch(other):
            raise ContextError(
                f"{file}, line {number}: {match[1]!r} cannot be included\n"
                "  allowed: a file inside the project, its path made of letters, digits and . _ @ + -\n"
                f"  mend:    move the file into {source}"
            )
        included.append(other)
    return included
