"""Finding out what a Django project calls its parts, for ``--app``: it reads the project's files and runs nothing.

What it finds are settings of the stack; each can be set by hand instead.
"""

import re
from pathlib import Path

from components.settings import application_of
from pipeline.console import problem

_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_WSGI = re.compile(r"""^\s*WSGI_APPLICATION\s*=\s*["']([\w.]+)\.(\w+)["']""", re.MULTILINE)
KEYS = ("name", "source", "directory", "python_path", "settings_module", "wsgi_module", "health_path")
"""What is one project's own under ``slipway:app``; the rest stays when a stack turns to another project."""


def relative(path: Path, root: Path) -> str:
    """Write a path as the stack's file does: relative inside the repository and beside it, absolute elsewhere.

    The file of a stack is committed, and a clone beside the project is what others have, too.
    """
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    beside = root.parent
    if path == beside or beside == Path(beside.anchor) or not path.is_relative_to(beside):
        return str(path)
    return f"../{path.relative_to(beside).as_posix()}"


def find(app: str, root: Path) -> dict[str, str]:
    """Read what ``slipway:app`` has to say about the project in a folder; what follows by itself is left out."""
    folder = Path(app).expanduser().resolve()
    manage = folder / "manage.py"
    if not manage.is_file():
        what = "is no folder" if not folder.is_dir() else "has no manage.py"
        raise problem(
            f"--app {app}: {folder} {what}",
            allowed="the folder of a Django project, the one with manage.py",
            mend="make up APP=path/to/the/folder/with/manage.py",
        )
    named = _SETTINGS.search(manage.read_text(errors="replace"))
    if named is None:
        raise problem(
            f"--app {app}: {manage} names no settings module",
            allowed='os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings") in manage.py',
            mend="pulumi config set --path slipway:app.settings_module NAME, "
            "and slipway:app.source for the folder, then `make up` without APP",
        )
    module = named[1]
    found: dict[str, str] = {"source": relative(folder, root), "settings_module": module}
    wsgi = _wsgi(folder, module)
    if wsgi != application_of(module, "wsgi"):
        found["wsgi_module"] = wsgi
    if not _mentions(folder, "healthz"):
        found["health_path"] = "/"
    return found


def module_file(folder: Path, module: str) -> Path | None:
    """The file of a module of the project; None when the project has none by that name."""
    base = folder.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _wsgi(folder: Path, module: str) -> str:
    parts = module.split(".")
    for depth in range(len(parts), 0, -1):  # the module, then the packages it is in: config.settings.production
        path = module_file(folder, ".".join(parts[:depth]))
        if path is None:
            continue
        for source in sorted(path.parent.glob("*.py")) if path.name == "__init__.py" else [path]:
            found = _WSGI.search(source.read_text(errors="replace"))
            if found:
                return f"{found[1]}:{found[2]}"
    return application_of(module, "wsgi")


def _mentions(folder: Path, word: str) -> bool:
    return any(word in path.read_text(errors="replace") for path in folder.rglob("urls.py"))
