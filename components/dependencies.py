"""What a project depends on: which of its files say so, and what installs them.

This module owns finding that out, from the settings or from the project's files, and what each installer can be told.
It reads files and installs nothing: the steps of the build are in ``components/installation.py``.
"""

import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import requirements
from components.ignore import ContextError
from components.problems import Problem, config_rm, config_set, full_key, show

if TYPE_CHECKING:
    from components.model import App, Dependencies


class Installer(StrEnum):
    """What reads the files that say what a project depends on."""

    UV = "uv"
    POETRY = "poetry"
    PIPENV = "pipenv"
    REQUIREMENTS = "requirements"
    PYPROJECT = "pyproject"


LOCKS: Mapping[Installer, tuple[str, str]] = {
    Installer.UV: ("uv.lock", "pyproject.toml"),
    Installer.POETRY: ("poetry.lock", "pyproject.toml"),
    Installer.PIPENV: ("Pipfile.lock", "Pipfile"),
}
"""The lock of each installer that has one, and the file that it is made from."""

LOCK_COMMANDS: Mapping[Installer, str] = {
    Installer.UV: "uv lock",
    Installer.POETRY: "poetry lock",
    Installer.PIPENV: "pipenv lock",
}
"""What makes a lock anew."""

WORDS: Mapping[Installer, str] = {
    Installer.UV: "by uv",
    Installer.POETRY: "by Poetry and uv",
    Installer.PIPENV: "by Pipenv and uv",
    Installer.REQUIREMENTS: "by uv",
    Installer.PYPROJECT: "by uv, without a lock",
}

REQUIREMENTS = ("requirements.txt", *(f"requirements/{name}.txt" for name in ("production", "prod", "base")))
"""Where projects keep their requirements; the first that is there counts."""

_REFUSED: Mapping[Installer, Mapping[str, str]] = {
    Installer.UV: {
        "files": "nothing, since uv.lock names everything",
        "constraints": "nothing, since uv.lock says every version",
        "build_constraints": "nothing; pyproject.toml says it, as build-constraint-dependencies below [tool.uv]",
        "exclude_newer": "nothing, since uv.lock says every version",
        "index": "nothing; pyproject.toml says it, as [[tool.uv.index]]",
    },
    Installer.POETRY: {
        "files": "nothing, since poetry.lock names everything",
        "constraints": "nothing, since poetry.lock says every version",
        "exclude_newer": "nothing, since poetry.lock says every version",
    },
    Installer.PIPENV: {
        "files": "nothing, since Pipfile.lock names everything",
        "extras": "nothing, since a Pipfile has none",
        "constraints": "nothing, since Pipfile.lock says every version",
        "exclude_newer": "nothing, since Pipfile.lock says every version",
    },
    Installer.REQUIREMENTS: {
        "extras": "nothing, since requirements name them, as in django[argon2]",
        "groups": "nothing; more files of requirements are named in slipway:dependencies.files",
    },
    Installer.PYPROJECT: {"files": "nothing, since pyproject.toml names everything"},
}
"""What an installer cannot follow, and what there is instead, in words."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a project depends on, as its files say it."""

    installer: Installer
    """What reads them."""
    folder: str
    """Where the installer runs: a folder inside the project's root, empty for the root itself."""
    names: tuple[str, ...]
    """The files that it is told to read, inside the project's root."""
    read: tuple[str, ...]
    """Every file and folder of the project that it reads, those included."""
    folders: tuple[str, ...] = ()
    """Those of them that are folders: packages of the project itself, which something builds."""
    later: bool = False
    """Whether parts of the project are installed too, once its code is there."""


class _BrokenError(ContextError):
    """A file that says what a project depends on cannot be read."""

    def __init__(self, file: Path, why: Exception) -> None:
        self.found = f"{file}, which cannot be read ({why})"
        super().__init__(f"{self.found}\n  allowed: TOML in UTF-8\n  mend:    correct the file")


def words(app: "App", said: "Dependencies", source: Path) -> str:
    """Say which files are read, and by what, for people."""
    where = _where(app, said, source)
    if where is None:
        return "none"
    return f"{', '.join(where[2]) or full_key(('dependencies', 'packages'))}, {WORDS[where[0]]}"


def problems(app: "App", said: "Dependencies", source: Path, stack: str) -> list[Problem]:
    """Find what is wrong between the settings of the dependencies and the files of the project."""
    if said.files and said.installer in {None, Installer.REQUIREMENTS}:
        missing = [name for name in said.files if not (source / name).is_file()]
        if missing:
            return [_no_file(name, said, source, stack) for name in missing]
    try:
        where = _where(app, said, source)
        if where is None:
            return [_nothing(app, said, source, stack)]
        installer, _, names = where
        if installer is Installer.PYPROJECT:
            pyproject = _toml(source / names[0])
            if "dependencies" in pyproject.get("project", {}).get("dynamic", []):
                return [_dynamic(source / names[0], stack)]
            if "project" not in pyproject and not said.groups:
                return [_groups_alone(source / names[0], list(pyproject["dependency-groups"]), stack)]
    except _BrokenError as error:
        return [
            Problem(
                key=full_key(("dependencies", "installer")),
                found=error.found,
                allowed="TOML in UTF-8, or files of requirements that slipway:dependencies.files names",
                mend="correct the file",
            )
        ]
    return [
        Problem(
            key=full_key(("dependencies", name)),
            found=_shown(getattr(said, name)),
            allowed=f"with {', '.join(names)}: {instead}",
            mend=config_rm(("dependencies", name), stack),
        )
        for name, instead in _REFUSED[installer].items()
        if getattr(said, name)
    ]


def find(app: "App", said: "Dependencies", source: Path) -> Found:
    """Find the files that say what a project depends on.

    Raises:
        ContextError: if there are none, or one of them cannot be used.
    """
    where = _where(app, said, source)
    if where is None:
        raise ContextError(str(_nothing(app, said, source, "STACK")))
    installer, folder, names = where
    read: Iterable[str] = names
    if installer is Installer.UV:
        return _of_uv(source, folder, names[0])
    if installer is Installer.REQUIREMENTS:
        read = requirements.files(source, names, folder)
    elif installer in LOCKS:
        read = [*(posixpath.join(folder, name) for name in LOCKS[installer]), *_parts(source, names[0], installer)]
    elif installer is Installer.PYPROJECT and "project" not in _toml(source / names[0]):
        names = ()  # groups alone, which are named
    # The whole project has them all.
    read = (".",) if "." in read else tuple(sorted(set(read)))
    folders = tuple(each for each in read if (source / each).is_dir())
    return Found(installer=installer, folder=folder, names=names, read=read, folders=folders)


def _of_uv(source: Path, folder: str, lock: str) -> Found:
    """Find what uv reads. The members of a workspace are installed with the code, and so is a project that is a package."""
    root = posixpath.dirname(lock)
    packages = _toml(source / lock).get("package", [])
    kinds = [package.get("source", {}) for package in packages]
    later = any("editable" in each or "directory" in each for each in kinds)
    own = {posixpath.join(root, "pyproject.toml"), posixpath.join(folder, "pyproject.toml")}
    virtual = {
        posixpath.normpath(posixpath.join(root, each["virtual"], "pyproject.toml"))
        for each in kinds
        if "virtual" in each
    }
    return Found(
        installer=Installer.UV,
        folder=folder,
        names=(lock,),
        read=tuple(sorted({lock, *own, *(each for each in virtual if (source / each).is_file())})),
        later=later,
    )


def _where(app: "App", said: "Dependencies", source: Path) -> tuple[Installer, str, tuple[str, ...]] | None:
    """Give the installer, the folder that it runs in, and the files that it is told to read; None if there are none."""
    directory = app.directory or ""
    wanted = Installer(said.installer) if said.installer else None
    if said.files and wanted in {None, Installer.REQUIREMENTS}:
        return Installer.REQUIREMENTS, directory, tuple(said.files)
    found = [
        (installer, folder, name)
        for look in (_sure, _last)
        for folder in _upwards(directory)
        for installer, name in look(source, folder)
        if wanted in {None, installer}
    ]
    if not found:
        alone = _names_django(said) and wanted in {None, Installer.REQUIREMENTS} and not _unlocked(app, said, source)
        return (Installer.REQUIREMENTS, directory, ()) if alone else None
    installer, folder, name = found[0]
    # uv finds the lock of a workspace from the folder of a member.
    member = installer is Installer.UV and (source / directory / "pyproject.toml").is_file()
    runs_in = directory if installer is Installer.REQUIREMENTS or member else folder
    return installer, runs_in, (posixpath.join(folder, name),)


def _names_django(said: "Dependencies") -> bool:
    """Whether the packages that the settings add are all that there is: Django is one of them."""
    return any(re.match(r"django(?![\w.-])", each, re.IGNORECASE) for each in said.packages)


def _upwards(directory: str) -> Iterator[str]:
    """Give the folder with manage.py and those above it, up to the project's root."""
    while directory:
        yield directory
        directory = posixpath.dirname(directory)
    yield ""


def _sure(source: Path, folder: str) -> Iterator[tuple[Installer, str]]:
    """Give what could install a project from the files in one folder, the surest first: a lock says every version."""
    here = source / folder
    for installer, names in LOCKS.items():
        if all((here / name).is_file() for name in names):
            yield installer, names[0]
    for name in REQUIREMENTS:
        if (here / name).is_file():
            yield Installer.REQUIREMENTS, name


def _last(source: Path, folder: str) -> Iterator[tuple[Installer, str]]:
    """Give what is used where nothing is surer."""
    here = source / folder
    if (here / "pyproject.toml").is_file() and {"project", "dependency-groups"} & set(_toml(here / "pyproject.toml")):
        yield Installer.PYPROJECT, "pyproject.toml"


def _nothing(app: "App", said: "Dependencies", source: Path, stack: str) -> Problem:
    """Say that no file says what a project depends on, and what may be meant."""
    directory = source / (app.directory or "")
    unlocked = _unlocked(app, said, source)
    if unlocked is not None:
        installer, file = unlocked
        lock = file.with_name(LOCKS[installer][0])
        return Problem(
            key=full_key(("dependencies", "installer")),
            found=f"{file.name} without {lock.name}, in {file.parent}",
            allowed="a lock beside it, which says every version",
            mend=f"cd {file.parent} && {LOCK_COMMANDS[installer]}",
        )
    named = f"Django itself in {full_key(('dependencies', 'packages'))}"
    names = [*(lock for lock, _ in LOCKS.values()), *REQUIREMENTS, "pyproject.toml with [project]", named]
    if said.installer:
        only = Installer(said.installer)
        names = {
            Installer.REQUIREMENTS: list(REQUIREMENTS),
            Installer.PYPROJECT: ["pyproject.toml with [project]"],
        }.get(only, [" with ".join(LOCKS.get(only, ()))])
    others = _others(source)
    return Problem(
        key=full_key(("dependencies", "installer" if said.installer else "files")),
        found=(f"{show(said.installer)}, but " if said.installer else "nothing, and ")
        + f"no file in {directory} that says what the project depends on",
        allowed=", ".join(names) + (f"; there is {', '.join(others)}" if others else ""),
        mend=config_rm(("dependencies", "installer"), stack)
        if said.installer
        else config_set(("dependencies", "files"), others[0] if others else "requirements.txt", stack),
    )


def _unlocked(app: "App", said: "Dependencies", source: Path) -> tuple[Installer, Path] | None:
    """Give what a lock would be made from, where there is none and nothing else would do."""
    wanted = Installer(said.installer) if said.installer else None
    for folder in _upwards(app.directory or ""):
        pyproject, pipfile = source / folder / "pyproject.toml", source / folder / "Pipfile"
        poetry = pyproject.is_file() and "poetry" in _toml(pyproject).get("tool", {})
        if wanted in {None, Installer.POETRY} and poetry:
            return Installer.POETRY, pyproject
        if wanted is Installer.UV and pyproject.is_file():
            return Installer.UV, pyproject
        if wanted in {None, Installer.PIPENV} and pipfile.is_file():
            return Installer.PIPENV, pipfile
    return None


_SHOWN = 5

_MAIN_GROUPS = ("main", "default", "prod", "production", "app", "base", "web", "server")
"""Names of groups that a project most likely runs with, the likeliest first."""


def _others(source: Path) -> list[str]:
    """Name what looks like requirements."""
    found = {
        path.relative_to(source).as_posix()
        for pattern in ("*requirements*.txt", "requirements/*.txt", "*/*requirements*.txt", "*/requirements/*.txt")
        for path in source.glob(pattern)
        if path.is_file()
    }
    return sorted(found, key=lambda name: (name.count("/"), name))[:_SHOWN]


def _no_file(name: str, said: "Dependencies", source: Path, stack: str) -> Problem:
    others = _others(source)
    kept = [each for each in said.files if (source / each).is_file()]
    return Problem(
        key=full_key(("dependencies", "files")),
        found=f"{show(name)}, which is no file in {source}",
        allowed="files in the project; " + (f"there is {', '.join(others)}" if others else "none was found"),
        mend=config_set(("dependencies", "files"), " ".join(kept or others[:1] or ["requirements.txt"]), stack),
    )


def _shown(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else show(value)


def _parts(source: Path, lock: str, installer: Installer) -> Iterator[str]:
    """Give the folders of the project that a lock of Poetry or Pipenv asks for."""
    folder = posixpath.dirname(lock)
    if installer is Installer.POETRY:
        sources = [package.get("source", {}) for package in _toml(source / lock).get("package", [])]
        paths = [each["url"] for each in sources if each.get("type") in {"directory", "file"}]
    else:
        text = (source / lock).read_text(encoding="utf-8")
        paths = [each for each in re.findall(r'"(?:path|file)":\s*"([^"]+)"', text) if "://" not in each]
    for path in paths:
        yield requirements.inside(source, path, folder, str(source / lock))


def _dynamic(file: Path, stack: str) -> Problem:
    return Problem(
        key=full_key(("dependencies", "files")),
        found=f"nothing, and {file} does not say itself what the project depends on: its dependencies are dynamic",
        allowed="files of requirements, or a lock",
        mend=config_set(("dependencies", "files"), "requirements.txt", stack),
    )


def main_group(groups: Iterable[str]) -> str | None:
    """Give the group that a project most likely runs with, where it has groups alone; None without any."""
    there = list(groups)
    return next((each for each in _MAIN_GROUPS if each in there), there[0] if there else None)


def _groups_alone(file: Path, groups: Sequence[str], stack: str) -> Problem:
    return Problem(
        key=full_key(("dependencies", "groups")),
        found=f"nothing, and {file} has groups of dependencies alone",
        allowed=f"those that the project runs with: there is {', '.join(groups[:_SHOWN]) or 'none'}",
        mend=config_set(("dependencies", "groups"), main_group(groups) or "main", stack),
    )


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _BrokenError(file, error) from None
