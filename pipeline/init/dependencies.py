"""What a project depends on: the files that say so, the names in them, and what the stack's file has to add."""

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from components import requirements
from components.dependencies import LOCK_COMMANDS, LOCKS, Installer, main_group
from components.dependencies import find as find_files
from components.ignore import ContextError
from components.model import App, Dependencies
from components.settings import parse
from pipeline.init import overlay, undeclared
from pipeline.init import packages as system
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import Tree

GROUPS = (
    "prod",
    "production",
    "live",
    "deploy",
    "deployment",
    "server",
    "postgres",
    "postgresql",
    "psycopg",
    "psycopg2",
    "redis",
    "gunicorn",
)
"""Names of extras and groups that a server needs."""

_LINE = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(?:===?\s*([0-9][\w.]*))?")
_DRIVERS = ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "psycopg-c", "psycopg2cffi")


def declared(tree: Tree, directory: str, files: tuple[str, ...] = ()) -> tuple[Installer | None, tuple[str, ...]]:
    """Give what installs a project, and the files that it reads; nothing if none is there."""
    app, said = _settings(tree, directory, files)
    try:
        found = find_files(app, said, tree.root)
    except ContextError:
        return None, ()
    read = tuple(each for each in found.read if tree.has(each))
    if found.installer is Installer.REQUIREMENTS:
        read = tuple(requirements.files(tree.root, found.names, found.folder))
        read = tuple(sorted((each for each in read if tree.has(each)), key=lambda each: each not in found.names))
    return found.installer, read


def _settings(tree: Tree, directory: str, files: tuple[str, ...]) -> tuple[App, Dependencies]:
    said = {
        "environment": "dev",
        "app": {
            "source": str(tree.root),
            "settings_module": "x",
            "name": "x",
            **({"directory": directory} if directory else {}),
        },
        **({"dependencies": {"files": list(files)}} if files else {}),
    }
    settings = parse(said, "init")
    return settings.app, settings.dependencies


def others(tree: Tree) -> list[str]:
    """Name files of requirements in unusual places, the likeliest first."""
    found = [
        path
        for path in tree.files
        if re.search(r"(^|/)(requirements|reqs|deps)[\w.-]*(/[\w.-]+)?\.txt$", path) and not tree.is_aside(path)
    ]
    good = [path for path in found if not re.search(r"dev|test|local|docs?|lint|ci\b", posixpath.basename(path))]
    return sorted(good, key=lambda path: (not re.search(r"prod|live|deploy|requirements\.txt$", path), path.count("/")))


def names(tree: Tree, files: tuple[str, ...]) -> dict[str, str | None]:
    """Give the distributions that some files name, with their versions where one is fixed."""
    found: dict[str, str | None] = {}
    for file in files:
        name = posixpath.basename(file)
        reader = {
            "uv.lock": _of_lock,
            "poetry.lock": _of_lock,
            "Pipfile.lock": _of_pipfile,
            "pyproject.toml": _of_pyproject,
        }.get(name, _of_requirements)
        if name == "pyproject.toml" and any(posixpath.basename(each) in {"uv.lock", "poetry.lock"} for each in files):
            continue
        for each, version in reader(tree, file):
            found.setdefault(canonical(each), version)
            if "[" in each:
                found.setdefault(each.lower().replace("_", "-"), version)
            for extra in {"binary", "c"} & set(re.split(r"[\[\],]", each)[1:]) if canonical(each) == "psycopg" else ():
                found.setdefault(f"psycopg-{extra}", version)
    return found


def asked_for(specs: Iterable[str]) -> dict[str, str | None]:
    """Give the distributions of some specifiers, with the version that each starts at."""
    found = {spec: re.search(r"[~=]=\s*([0-9][\w.]*)", spec) for spec in specs}
    return {
        canonical(re.split(r"[~=<>!; ]", spec)[0]): version[1] if version else None for spec, version in found.items()
    }


def canonical(name: str) -> str:
    """Write the name of a distribution as indexes do."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def _of_requirements(tree: Tree, file: str) -> Iterator[tuple[str, str | None]]:
    for line in tree.text(file).splitlines():
        text = line.strip()
        egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", text)
        if egg:
            yield egg[1], None
        elif text and not text.startswith(("#", "-", ".", "/", "git+", "http")) and (found := _LINE.match(text)):
            yield f"{found[1]}{(found[2] or '').replace(' ', '')}", found[3]


def _of_lock(tree: Tree, file: str) -> Iterator[tuple[str, str | None]]:
    for package in tree.toml(file).get("package", []):
        yield package.get("name", ""), package.get("version")
        for extra in package.get("metadata", {}).get("requires-dist", []):
            for each in extra.get("extras", []):
                yield f"{extra.get('name', '')}[{each}]", None


def _of_pipfile(tree: Tree, file: str) -> Iterator[tuple[str, str | None]]:
    try:
        content: Mapping[str, Mapping[str, Mapping[str, object]]] = json.loads(tree.text(file))
    except ValueError:
        return
    for name, package in content.get("default", {}).items():
        extras = package.get("extras")
        version = package.get("version")
        yield (
            f"{name}[{','.join(map(str, extras))}]" if isinstance(extras, list) else name,
            version.removeprefix("==") if isinstance(version, str) else None,
        )


def _of_pyproject(tree: Tree, file: str) -> Iterator[tuple[str, str | None]]:
    content = tree.toml(file)
    groups = content.get("dependency-groups", {})
    alone = groups.get(main_group(groups), []) if "project" not in content else []
    for line in [*content.get("project", {}).get("dependencies", []), *alone]:
        found = _LINE.match(line) if isinstance(line, str) else None
        if found:
            yield f"{found[1]}{found[2] or ''}", found[3]
    for name, version in content.get("tool", {}).get("poetry", {}).get("dependencies", {}).items():
        if name != "python":
            yield name, version if isinstance(version, str) and version[:1].isdigit() else None


def find(project: Project) -> Iterator[Found]:
    """Say what installs the project, and what it does not ask for itself."""
    tree = project.tree
    installer, read = declared(tree, project.directory)
    if installer is None:
        yield from _undeclared(project)
    groups = list(_groups(project, installer, read)) if installer is not None else []
    yield from groups
    if installer in {Installer.REQUIREMENTS, Installer.PYPROJECT}:
        yield from _lacking(project, read, groups)
    brought = any("psycopg" in each.why for each in groups)
    if not brought and not _has_driver(project) and not _other_database(project):
        yield from _driver(project)
    said = " ".join(line for line, _, _ in overlay.lines(project))
    for word, package in (("cache.RedisCache", "redis"), ("channels_redis", "channels-redis")):
        if word in said and not project.has(package, "django-redis", "hiredis"):
            yield Setting(
                path=("dependencies", "packages"), value=[package], why=f"what {overlay.MODULE} names needs it"
            )
    engine = _other_database(project)
    if engine is not None:
        yield Missing(
            what=f"the project is made for {engine}, and Slipway runs PostgreSQL",
            do="a driver of PostgreSQL in slipway:dependencies.packages and settings that take PostgreSQL; or a "
            f"{engine} beside it, in slipway:services",
            place=project.scope.place("DATABASES"),
        )


def _lacking(project: Project, read: tuple[str, ...], groups: list[Setting]) -> Iterator[Setting]:
    """Give what settings import and no file asks for: by the extra of the project that has it, else by its name."""
    content = project.tree.toml(read[0]) if read and posixpath.basename(read[0]) == "pyproject.toml" else {}
    extras = content.get("project", {}).get("optional-dependencies", {})
    there = {name for each in groups if not isinstance(each.value, str | int | bool) for name in each.value}
    for spec, place in undeclared.of_settings(project.tree, project.scope).items():
        name = canonical(spec)
        having = [extra for extra, lines in extras.items() if name in asked_for(lines)]
        if name in project.packages or there.intersection(having):
            continue
        why = f"settings need {name}, and no file names it"
        if having:
            there.add(having[0])
            why = f"settings need {name}, which is in it"
        key, value = ("extras", having[0]) if having else ("packages", spec)
        yield Setting(path=("dependencies", key), value=[value], why=why, place=place)


def _driver(project: Project) -> Iterator[Setting]:
    """Give a driver of PostgreSQL that the project's Django can use."""
    why = "the project asks for no driver of PostgreSQL"
    django = project.django or (5, 2)
    if django >= (3, 1):
        name = "psycopg[binary]" if django >= (4, 2) else "psycopg2-binary"
        yield Setting(path=("dependencies", "packages"), value=[name], why=why)
        return
    yield Setting(
        path=("dependencies", "packages"),
        value=["psycopg2<2.9"],
        why=f"{why}; Django before 3.1 takes none from 2.9 on, and older ones have no wheels",
    )
    needs = system.TABLE["psycopg2"]
    for key, value in (("packages", needs.build), ("runtime_packages", needs.runtime)):
        yield Setting(path=("build", key), value=value, why=f"psycopg2 {needs.why}")


def _has_driver(project: Project) -> bool:
    return project.has(*_DRIVERS) is not None


def _other_database(project: Project) -> str | None:
    """Name the database that the project is made for, where that is not PostgreSQL."""
    if _has_driver(project):
        return None
    if project.has("mysqlclient", "pymysql", "mysql-connector-python"):
        return "MySQL"
    return "Oracle" if project.has("cx-oracle", "oracledb") else None


def _undeclared(project: Project) -> Iterator[Found]:
    tree = project.tree
    usable = others(tree)
    if usable:
        yield Setting(
            path=("dependencies", "files"),
            value=[usable[0]],
            why="requirements, in an unusual place",
            place=Place(usable[0]),
        )
        return
    for installer, (lock, made_from) in LOCKS.items():
        for path in tree.named(made_from):
            if installer is Installer.UV or tree.is_aside(path):
                continue
            if installer is Installer.POETRY and "poetry" not in tree.toml(path).get("tool", {}):
                continue
            folder = posixpath.dirname(path) or "."
            yield Missing(
                what=f"{made_from} has no {lock} beside it: nothing says which versions are meant",
                do=f"cd {tree.root / folder} && {LOCK_COMMANDS[installer]}",
                place=Place(path),
            )
            return
    seen = undeclared.find(tree, project.scope, project.where)
    for spec, place in seen.packages.items():
        yield Setting(path=("dependencies", "packages"), value=[spec], why="no file asks for it", place=place)
    yield Missing(
        what="no file says what the project depends on; slipway:dependencies.packages has what it was seen to use",
        do="a requirements.txt or a lock in the project, which says every version",
    )
    for name, place in seen.unknown.items():
        yield Missing(
            what=f"the package that has the module {name}",
            do=f"its name beside the others in slipway:dependencies.packages of stack {project.stack}",
            place=place,
        )


def _groups(project: Project, installer: Installer, read: tuple[str, ...]) -> Iterator[Setting]:
    """Name extras and groups that a server needs."""
    tree = project.tree
    file = next((each for each in read if posixpath.basename(each) == "pyproject.toml"), None)
    if file is None and installer in {Installer.UV, Installer.POETRY} and read:
        beside = posixpath.join(posixpath.dirname(read[0]), "pyproject.toml")
        file = beside if tree.has(beside) else None
    if file is None:
        return
    content = tree.toml(file)
    poetry = content.get("tool", {}).get("poetry", {})
    extras = {**content.get("project", {}).get("optional-dependencies", {}), **poetry.get("extras", {})}
    groups = {**content.get("dependency-groups", {}), **poetry.get("group", {})}
    for key, there in (("extras", extras), ("groups", groups)):
        alone = key == "groups" and installer is Installer.PYPROJECT and "project" not in content
        wanted = [name for name in there if name in GROUPS or (alone and name == main_group(there))]
        rest = [name for name in there if name not in wanted]
        if wanted:
            yield Setting(
                path=("dependencies", key),
                value=wanted,
                why="by name what a server needs"
                + (", with psycopg" if "psycopg" in repr([there[name] for name in wanted]) else "")
                + (f"; there is also {', '.join(rest)}" if rest else ""),
                place=tree.line(file, wanted[0]),
            )
