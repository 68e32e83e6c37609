"""Where a project has its parts: the folder with ``manage.py``, and the folders whose modules it imports."""

import ast
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from components.dependencies import LOCKS, REQUIREMENTS
from pipeline.init.evaluate import IMAGE_ROOT, evaluate
from pipeline.init.tree import SKIPPED, Tree

_DECLARES = (*(name for names in LOCKS.values() for name in names), *REQUIREMENTS, "pyproject.toml")
"""Files that say what a project depends on."""

_MARK = re.compile(r"DJANGO_SETTINGS_MODULE|execute_from_command_line|configurations\.management")


def root_of(folder: Path) -> Path:
    """Give the folder that the image is built from: the given one, or the repository's, where that says what to install."""
    folder = folder.resolve()
    if any(_declares(each) for each in (folder, *_near(folder))):
        return folder
    for above in folder.parents:
        if _declares(above) and (above / ".git").exists():
            return above
        if (above / ".git").exists():
            break
    return folder


def _near(folder: Path) -> Iterator[Path]:
    """Give the folders in a folder and in those."""
    for pattern in ("*/", "*/*/"):
        yield from (each for each in folder.glob(pattern) if not each.name.startswith(".") and each.name not in SKIPPED)


def _declares(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _DECLARES)


def manage_files(tree: Tree, below: str = "") -> list[str]:
    """Name the ``manage.py`` of Django that there are, the most likely one first."""
    found = [path for path in tree.named("manage.py") if _MARK.search(tree.text(path))]
    inside = [path for path in found if not below or path.startswith(f"{below}/")]
    return sorted(inside, key=lambda path: (tree.is_aside(path), path.count("/")))


def places(tree: Tree, directory: str, module: str | None) -> tuple[str, ...]:
    """Give the folders that modules are imported from: the one with ``manage.py`` first.

    Args:
        tree: the project.
        directory: the folder with ``manage.py``.
        module: the settings module, which has to be found from one of them.
    """
    manage = posixpath.join(directory, "manage.py")
    found = dict.fromkeys([directory, *_appended(tree, manage)])
    if module is not None and tree.module(module, tuple(found)) is None:
        first = module.split(".")[0]
        for path in tree.python:
            parts = path.split("/")
            if first in parts or f"{first}.py" in parts:
                place = "/".join(parts[: parts.index(first if first in parts else f"{first}.py")])
                if tree.module(module, (place,)):
                    found[place] = None
                    break
    for each in _libraries(tree, tuple(found)):
        found[each] = None
    return tuple(found)


def _appended(tree: Tree, file: str) -> Iterator[str]:
    """Give the folders that a file adds to ``sys.path``."""
    scope: dict[str, object] = {}
    for node in ast.walk(tree.parsed(file) or ast.Module([], [])):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            scope[node.targets[0].id] = evaluate(node.value, scope, file)
    for node in ast.walk(tree.parsed(file) or ast.Module([], [])):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="path"), attr="append" | "insert"), args=args):
                value = evaluate(args[-1], scope, file) if args else None
                if isinstance(value, str | PurePosixPath):
                    path = posixpath.relpath(posixpath.join(IMAGE_ROOT, posixpath.dirname(file), value), IMAGE_ROOT)
                    if not path.startswith("..") and (tree.root / path).is_dir():
                        yield "" if path == "." else path


def _libraries(tree: Tree, known: tuple[str, ...]) -> Iterator[str]:
    """Give the folders of modules that the project imports, that lie elsewhere in it, and that nothing installs."""
    tops = {name for place in known for name in _tops(tree, place)}
    wanted = {name for path in tree.python for name in _imports(tree.parsed(path)) if _inside(path, known)}
    homes: dict[str, list[str]] = {}
    for path in tree.files:
        parts = path.split("/")
        if path.endswith("/__init__.py"):
            homes.setdefault(parts[-2], []).append("/".join(parts[:-2]))
    for name in sorted(wanted - tops - sys.stdlib_module_names):
        for home in homes.get(name, []):
            package = tree.has(posixpath.join(home, "__init__.py"))
            installed = home and any(_named(tree, home, file) for file in ("pyproject.toml", "setup.py", "setup.cfg"))
            src = posixpath.basename(home) == "src" and tree.has(posixpath.join(posixpath.dirname(home), "setup.py"))
            if not package and not installed and not src and not tree.is_aside(f"{home}/x.py") and home not in known:
                yield home
                break


def _named(tree: Tree, home: str, file: str) -> bool:
    return tree.has(posixpath.join(home, file))


def _inside(path: str, known: tuple[str, ...]) -> bool:
    return any(not place or path.startswith(f"{place}/") for place in known)


def _tops(tree: Tree, place: str) -> Iterator[str]:
    """Give the names that can be imported from a folder."""
    start = f"{place}/" if place else ""
    for path in tree.files:
        if path.startswith(start) and path.endswith(".py"):
            yield path.removeprefix(start).split("/")[0].removesuffix(".py")


def _imports(module: ast.Module | None) -> Iterator[str]:
    for node in ast.walk(module or ast.Module([], [])):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]
