"""The files of a project: which there are, their text, their Python parsed.

It reads and remembers; it follows no symbolic link to a folder, enters no hidden one, and skips what tools have made.
"""

import ast
import os
import posixpath
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.init.finding import Place

SKIPPED = frozenset({"node_modules", "site-packages", "venv", "env", "__pycache__", "bower_components", "htmlcov"})
"""Folders that hold nothing of the project's own."""

ASIDE = frozenset(
    {"tests", "test", "testing", "docs", "doc", "examples", "example", "demo", "sandbox", "e2e", "scripts"}
)
"""Folders whose files say little about how the project runs."""

_EXAMPLE = "example|sample|dist|template|tmpl|default"
"""What the name of an example of a file has beside the name of that file."""

_MOST_FILES = 30000
_MOST_BYTES = 1_000_000


class Tree:
    """Everything below one folder."""

    def __init__(self, root: Path, home: str = "") -> None:
        """Read nothing yet.

        Args:
            root: the project's root.
            home: the folder with ``manage.py`` inside it. What is in there is the project, whatever its name is.
        """
        self.root = root
        self._home = f"{home}/" if home else ""
        self._texts: dict[str, str] = {}
        self._modules: dict[str, ast.Module | None] = {}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The paths of all files, the ones near the root first."""
        found: list[str] = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(each for each in folders if each not in SKIPPED and not each.startswith("."))
            inside = Path(folder).relative_to(self.root).as_posix()
            found += [name if inside == "." else f"{inside}/{name}" for name in names]
            if len(found) > _MOST_FILES:
                break
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))

    def named(self, *names: str) -> list[str]:
        """The files with one of these names, the ones near the root first and those beside the project last."""
        found = [path for path in self.files if posixpath.basename(path) in names]
        return sorted(found, key=self.is_aside)

    @cached_property
    def python(self) -> tuple[str, ...]:
        """The Python files that are part of what runs."""
        return tuple(path for path in self.files if path.endswith(".py") and not self.is_aside(path))

    def is_aside(self, path: str) -> bool:
        """Whether a file is for tests, documentation or examples."""
        return is_aside(path.removeprefix(self._home))

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return (self.root / path).is_file()

    def text(self, path: str) -> str:
        """The text of a file; nothing if it cannot be read."""
        if path not in self._texts:
            try:
                content = (self.root / path).read_bytes()[:_MOST_BYTES]
            except OSError:
                content = b""
            self._texts[path] = content.decode("utf-8-sig", errors="replace")
        return self._texts[path]

    def parsed(self, path: str) -> ast.Module | None:
        """A Python file as its syntax; None if it is no Python of this version."""
        if path not in self._modules:
            try:
                self._modules[path] = ast.parse(self.text(path)) if self.has(path) else None
            except (SyntaxError, ValueError, RecursionError):
                self._modules[path] = None
        return self._modules[path]

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file; nothing if it is none."""
        try:
            return tomllib.loads(self.text(path))
        except tomllib.TOMLDecodeError:
            return {}

    def line(self, path: str, text: str) -> Place:
        """The place of the first line with a text; the file as a whole if no line has it."""
        lines = self.text(path).splitlines()
        return Place(path, next((number for number, line in enumerate(lines, 1) if text in line), None))

    def module(self, name: str, places: tuple[str, ...]) -> str | None:
        """The file of a module that is looked for in folders of the project, by its dotted name."""
        for place in places:
            stem = posixpath.join(place, *name.split("."))
            for path in (f"{stem}.py", f"{stem}/__init__.py"):
                if self.has(path):
                    return path
        return None

    def example(self, path: str) -> str | None:
        """The file beside a module that is an example of it, such as ``local_settings.example.py``; None if there is none."""
        folder, name = posixpath.split(path)
        stem = re.escape(name.removesuffix(".py"))
        pattern = rf"{stem}[._-]({_EXAMPLE})\.py|{stem}\.py[._-]({_EXAMPLE})|({_EXAMPLE})[._-]{stem}\.py"
        return next(
            (
                each
                for each in self.files
                if posixpath.dirname(each) == folder and re.fullmatch(pattern, posixpath.basename(each), re.IGNORECASE)
            ),
            None,
        )


def is_aside(path: str) -> bool:
    """Whether a file is for tests, documentation or examples."""
    *folders, name = path.split("/")
    return bool(ASIDE.intersection(folders)) or name.startswith("test_") or name == "conftest.py"


def dotted(path: str, places: tuple[str, ...]) -> str:
    """The name of the module in a file, as it is imported from the nearest of some folders."""
    inside = [place for place in places if not place or path.startswith(f"{place}/")]
    place = max(inside, key=len, default="")
    parts = posixpath.relpath(path, place or ".").removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
