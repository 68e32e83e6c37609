"""Finding out what a Django project calls its parts, for ``--app``: it reads the project's files and runs nothing.

What it finds are settings of the stack; each can be set by hand instead.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem

_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_WSGI = re.compile(r"""^\s*WSGI_APPLICATION\s*=\s*["']([\w.]+)\.(\w+)["']""", re.MULTILINE)
_REQUIREMENTS = ("requirements.txt", "requirements/production.txt", "requirements/prod.txt", "requirements/base.txt")
_LONGEST_NAME = 31


@dataclass(frozen=True, kw_only=True)
class Project:
    """What ``slipway:app`` needs to know about a project."""

    name: str
    source: str
    settings_module: str
    wsgi_module: str
    requirements: str
    health_path: str

    def settings(self) -> dict[str, str]:
        """The keys under ``slipway:app``."""
        return {
            "name": self.name,
            "source": self.source,
            "settings_module": self.settings_module,
            "wsgi_module": self.wsgi_module,
            "requirements": self.requirements,
            "health_path": self.health_path,
        }


def relative(path: Path, root: Path) -> str:
    """Write a path as the stack's file does: relative inside the repository, absolute elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def find(app: str, root: Path) -> Project:
    """Read the Django project in a folder that somebody named on the command line."""
    folder = Path(app).expanduser().resolve()
    manage = folder / "manage.py"
    if not manage.is_file():
        found = "is no folder" if not folder.is_dir() else "has no manage.py"
        raise problem(
            f"--app {app}: {folder} {found}",
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
    return Project(
        name=_name(folder.name),
        source=relative(folder, root),
        settings_module=module,
        wsgi_module=_wsgi(folder, module),
        requirements=_requirements(folder),
        health_path="/healthz" if _mentions(folder, "healthz") else "/",
    )


def module_file(folder: Path, module: str) -> Path | None:
    """The file of a module of the project; None when the project has none by that name."""
    base = folder.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-").lstrip("0123456789-")
    return name[:_LONGEST_NAME].rstrip("-") or "app"


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
    return f"{parts[0]}.wsgi:application"


def _requirements(folder: Path) -> str:
    return next((name for name in _REQUIREMENTS if (folder / name).is_file()), _REQUIREMENTS[0])


def _mentions(folder: Path, word: str) -> bool:
    return any(word in path.read_text(errors="replace") for path in folder.rglob("urls.py"))
