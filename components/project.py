"""Looks at the Django project on this machine: is there what the settings say.

It reads files and runs none of the project's code. It owns no setting: what a value must look like is in settings.py.
"""

import ast
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components import checkout, webserver
from components.problems import Problem, config_set, full_key, show

if TYPE_CHECKING:
    from components.model import App, Build, Web

_SKIPPED = frozenset({"node_modules", "site-packages", "venv", "env", "__pycache__"})
_DEPTH = 3
_LISTED = 5


def source_folder(app: "App", root: Path) -> Path:
    """Give the project's root on this machine; a relative one starts at the repository.

    Raises:
        CheckoutError: if it is a commit of a git repository that cannot be had.
    """
    found = checkout.of(app, root)
    return found.folder if found else Path(os.path.normpath(root / app.source))


def project_folder(app: "App", root: Path) -> Path:
    """Give the folder with manage.py on this machine."""
    return source_folder(app, root) / (app.directory or "")


def app_problems(app: "App", stack: str, root: Path) -> list[Problem]:
    """Find what is wrong with the project that the settings point at."""
    source, folder = source_folder(app, root), project_folder(app, root)
    if app.directory is not None and source.is_dir() and not (folder / "manage.py").is_file():
        return [_no_directory(app, source, stack)]
    if checkout.of(app, root) is not None and not (folder / "manage.py").is_file():
        return [_no_directory(app, source, stack)]
    if not folder.is_dir() or not (folder / "manage.py").is_file():
        return [_no_project(app, folder, stack, root)]
    if app.dockerfile is not None:  # where an image of the project's own keeps its modules, only it knows
        return _dockerfile(app, source, stack)
    places = _places(app, root)
    return [
        *_python_path(app, source, stack),
        *_settings_module(app, places, stack),
    ]


def application_problems(app: "App", web: "Web", stack: str, root: Path) -> list[Problem]:
    """Find what is wrong with the application that the server runs, where the settings say which that is."""
    if app.dockerfile is not None or web.command is not None:
        return []
    return _application(webserver.application(app, web), webserver.kind(web), _places(app, root), stack)


def _places(app: "App", root: Path) -> list[Path]:
    """List the folders whose modules can be imported, the one with manage.py first."""
    return [project_folder(app, root), *(source_folder(app, root) / each for each in app.python_path)]


def build_problems(build: "Build", stack: str, root: Path) -> list[Problem]:
    """Find what is wrong with the files that the build takes from this machine."""
    if build.ca_bundle is None or (root / build.ca_bundle).is_file():
        return []
    path = ("build", "ca_bundle")
    return [
        Problem(
            key=full_key(path),
            found=f"{show(build.ca_bundle)}, which is no file on this machine",
            allowed="a file with certificates in PEM form",
            mend=config_set(path, "/etc/ssl/certs/ca-certificates.crt", stack),
        )
    ]


def _no_project(app: "App", folder: Path, stack: str, root: Path) -> Problem:
    is_folder = folder.is_dir()
    found = [path.parent for path in _files(folder if is_folder else root, "manage.py")]
    candidates = [_relative(path, root) for path in found]
    return _problem(
        ("app", "source"),
        f"{show(app.source)}, which {'has no manage.py' if is_folder else 'is no folder'} ({folder})",
        "the folder of a Django project, with its manage.py",
        candidates,
        "path/to/project",
        stack,
    )


def _no_directory(app: "App", source: Path, stack: str) -> Problem:
    found = [path.parent.relative_to(source).as_posix() for path in _files(source, "manage.py")]
    what = "has no manage.py" if (source / (app.directory or "")).is_dir() else f"is no folder in {source}"
    named = f"{show(app.directory)}, which" if app.directory else f"nothing, and the root of {app.source}"
    return _problem(
        ("app", "directory"),
        f"{named} {what}",
        "a folder in the project, with its manage.py",
        [each for each in found if each != "."],
        "path/in/project",
        stack,
    )


def _python_path(app: "App", source: Path, stack: str) -> list[Problem]:
    missing = [each for each in app.python_path if not (source / each).is_dir()]
    return [
        Problem(
            key=full_key(("app", "python_path")),
            found=f"{show(each)}, which is no folder in {source}",
            allowed="folders in the project",
            mend=config_set(
                ("app", "python_path"),
                " ".join(other for other in app.python_path if other not in missing) or "src",
                stack,
            ),
        )
        for each in missing
    ]


def _settings_module(app: "App", places: Sequence[Path], stack: str) -> list[Problem]:
    if any(_module_file(each, app.settings_module) is not None for each in places) or _is_rendered(app):
        return []
    folder = places[0]
    return [
        _problem(
            ("app", "settings_module"),
            f"{show(app.settings_module)}, which is no module in {folder}",
            "a Django settings module in the project",
            [*_settings_candidates(folder), *(module for each in places[1:] for module in _settings_modules(each))],
            "config.settings",
            stack,
        )
    ]


def _is_rendered(app: "App") -> bool:
    """Whether a settings module is one of the files that the stack gives the project."""
    stem = "/".join(app.settings_module.split("."))
    folders = ["/".join(part for part in ("/app", folder) if part) for folder in (app.directory, *app.python_path)]
    return any(f"{folder}/{stem}.py" in app.files for folder in folders)


def _application(said: str, kind: str, places: Sequence[Path], stack: str) -> list[Problem]:
    module, name = said.split(":")
    folder = next((each for each in places if _module_file(each, module) is not None), places[0])
    file = _module_file(folder, module)
    if file is not None and _defines(file, name):
        return []
    what = f"no module {module} in {folder}" if file is None else f"no {name} in {file.relative_to(folder)}"
    candidates = [
        f"{_module_name(path, folder)}:application"
        for path in _files(folder, f"{kind}.py")
        if _defines(path, "application")
    ]
    return [
        _problem(
            ("app", f"{kind}_module"),
            f"{show(said)}: there is {what}",
            f"{'a WSGI' if kind == 'wsgi' else 'an ASGI'} application in the project",
            candidates,
            f"config.{kind}:application",
            stack,
        )
    ]


def _dockerfile(app: "App", folder: Path, stack: str) -> list[Problem]:
    """Check the Dockerfile of the project's own."""
    if app.dockerfile is None or (folder / app.dockerfile).is_file():
        return []
    return [
        _problem(
            ("app", "dockerfile"),
            f"{show(app.dockerfile)}, which is no file in {folder}",
            "a file in the project",
            sorted({path.relative_to(folder).as_posix() for path in _files(folder, "*Dockerfile*")}),
            "Dockerfile",
            stack,
        )
    ]


def _problem(  # noqa: PLR0913, PLR0917  # the parts of one sentence
    path: tuple[str, ...], found: str, allowed: str, candidates: Sequence[str], otherwise: str, stack: str
) -> Problem:
    """Make a problem that lists what does exist."""
    listed = list(dict.fromkeys(candidates))[:_LISTED]
    return Problem(
        key=full_key(path),
        found=found,
        allowed=f"{allowed}; there is {', '.join(listed)}" if listed else f"{allowed}; none was found",
        mend=config_set(path, listed[0] if listed else otherwise, stack),
    )


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """Find files by a pattern a few levels down, nearest first, without hidden folders and installed packages."""
    level = [folder]
    for _ in range(_DEPTH + 1):
        for each in level:
            yield from sorted(path for path in each.glob(pattern) if path.is_file())
        level = [path for each in level for path in _folders(each)]


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.is_dir() and not path.is_symlink() and path.name not in _SKIPPED and not path.name.startswith(".")
        )
    except OSError:
        return []


def _settings_candidates(folder: Path) -> list[str]:
    """Find settings modules: first the one that manage.py itself uses."""
    text = (folder / "manage.py").read_text(encoding="utf-8", errors="replace")
    used = re.search(r"DJANGO_SETTINGS_MODULE[\"'],\s*[\"']([\w.]+)[\"']", text)
    modules = [used[1]] if used is not None and _module_file(folder, used[1]) is not None else []
    return [*modules, *_settings_modules(folder)]


def _settings_modules(folder: Path) -> list[str]:
    """Name what looks like a settings module."""
    files = [*_files(folder, "settings.py"), *_files(folder, "settings/*.py")]
    return [_module_name(path, folder) for path in files]


def _module_file(folder: Path, module: str) -> Path | None:
    """Find the file of a module, without importing anything."""
    stem = folder.joinpath(*module.split("."))
    return next((path for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py") if path.is_file()), None)


def _module_name(file: Path, folder: Path) -> str:
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _defines(file: Path, name: str) -> bool:
    """Whether a module has a name at its top level. What cannot be known without running it counts as yes."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError):
        return False
    plain = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Expr)
    return any({name, "*"} & _names(statement) or not isinstance(statement, plain) for statement in body)


def _names(statement: ast.stmt) -> set[str]:
    """Give the names that a statement binds."""
    match statement:
        case ast.Assign(targets=targets):
            nodes = [node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            return {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name.split(".")[0] for alias in names}
        case _:
            return set()


def _relative(path: Path, root: Path) -> str:
    """Write a path as a stack's file would: relative to the repository where that is shorter."""
    relative = os.path.relpath(path, root)
    return str(path) if relative.startswith("../..") else relative
