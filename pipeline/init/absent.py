"""Modules and files that settings need and that version control does not have, such as ``local_settings.py``.

Where the project has an example of one (``local_settings.example.py``, ``configuration_example.py``), the stack's file brings
the module: what the example says, and after it what this environment knows better. Any other is for somebody to write.
"""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from components.template import fill
from pipeline.init import overlay, scope, variables
from pipeline.init.evaluate import IMAGE_ROOT
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import dotted

MEDIA = "/srv/media"
"""Where uploads are kept where nothing else says so."""

_LOCAL = ("", "localhost", "127.0.0.1", "redis", "cache")
"""Hosts that an example names for a cache."""


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A module of the project that is not there."""

    file: str
    """Where it would be, inside the project's root."""
    name: str
    """Its name, as settings say it."""
    place: Place
    """Where settings ask for it."""
    example: str | None
    """The file with an example of it, if there is one."""
    whole: bool = False
    """Whether all of it is taken over, whatever that is: it may be empty then."""


@lru_cache(maxsize=8)
def modules(project: Project) -> tuple[Absent, ...]:
    """Give the modules that settings cannot be imported without, and that are not there, each once."""
    found: dict[str, Absent] = {}
    for file in project.scope.files:
        for each in _wanted(project, file):
            found.setdefault(each.file, each)
    return tuple(found.values())


def _wanted(project: Project, file: str) -> Iterator[Absent]:
    """Give what one file imports. What is tried and may be missing is not asked for."""
    tree = project.tree
    parsed = tree.parsed(file) or ast.Module([], [])
    for statement in parsed.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            if any(scope.imported(tree, statement, file, project.where)):
                continue
            path, place = scope.absent(statement, file), Place(file, statement.lineno)
            if path is not None:
                name = "." * statement.level + statement.module
                example, whole = project.tree.example(path), statement.names[0].name == "*"
                yield Absent(file=path, name=name, place=place, example=example, whole=whole)
            else:
                yield from _named(project, statement.module, place)
        elif isinstance(statement, ast.Import):
            for each in statement.names:
                yield from _named(project, each.name, Place(file, statement.lineno))
    for node in ast.walk(parsed):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str() as name), *_]) if re.search(
                r"import", ast.unparse(function).rsplit(".", maxsplit=1)[-1]
            ):
                yield from _named(project, name, Place(file, node.lineno))
            case _:
                pass


def _named(project: Project, name: str, place: Place) -> Iterator[Absent]:
    """Give a module by its whole name, if the project has an example of it and not the module."""
    if not re.fullmatch(r"\w+(\.\w+)*", name) or project.tree.module(name, project.where):
        return
    for folder in project.where:
        path = posixpath.join(folder, *name.split(".")) + ".py"
        found = project.tree.example(path)
        if found is not None:
            yield Absent(file=path, name=name, place=place, example=found)
            return


def find(project: Project) -> Iterator[Found]:
    """Give each module that there is an example of, and name the rest."""
    for each in modules(project):
        path = f"{IMAGE_ROOT}/{each.file}"
        if each.example is None:
            if each.whole:
                yield Setting(
                    path=("app", "files", path),
                    value=f"# {each.name}, which settings take over: what only this environment says\n",
                    why="settings import it, and version control does not have it",
                    place=each.place,
                )
            yield Missing(
                what=f"the module {each.name}, which settings import and version control does not have",
                do=f"its text below slipway:app.files, as {path}: docs/projects/configuration.md",
                place=each.place,
            )
            continue
        yield Setting(
            path=("app", "files", path),
            value=_text(project, each.example, each.name),
            why=f"settings import {each.name}, and version control has only {posixpath.basename(each.example)}: "
            "the rest of it is as there",
            place=each.place,
        )
    yield from _read(project)


def _read(project: Project) -> Iterator[Found]:
    for file in project.scope.files:
        for node in ast.walk(project.tree.parsed(file) or ast.Module([], [])):
            match node:
                case ast.Call(
                    func=ast.Name(id="open") | ast.Attribute(attr="read" | "open"),
                    args=[ast.Constant(value=str() as path), *_],
                ) if path.startswith("/") and not path.startswith(("/app/", "/proc", "/sys", "/dev", "/run/secrets")):
                    yield Missing(
                        what=f"the file {path}, which settings read",
                        do=f"its text below slipway:app.files, as {path}: docs/projects/configuration.md",
                        place=Place(file, node.lineno),
                    )
                case _:
                    pass


def _text(project: Project, file: str, name: str) -> str:
    """Give the text of a module, from its example."""
    stem = posixpath.basename(file).removesuffix(".py")
    importable = file.endswith(".py") and stem.isidentifier()
    whole = (
        f"from {dotted(file, project.where)} import *"
        if importable
        else fill(project.tree.text(file), lambda each: f"$${{{each}}}").replace("\r\n", "\n").strip("\n")
    )
    return "\n".join(
        [
            f'"""What {name} has to say, as {posixpath.basename(file)} does, with what this environment knows better."""'
            if importable
            else f"# As {posixpath.basename(file)}, with what this environment knows better at the end.",
            whole,
            "",
            *_known(project, file),
            "",
        ]
    )


def _known(project: Project, file: str) -> Iterator[str]:
    """Give the lines that say what this environment knows, of what the example says and what settings look for in it."""
    said = scope.read(project.tree, file, project.where)
    own = replace(project, scope=said, variables=tuple(variables.find(project.tree, [file])))
    for line, _, _ in overlay.hard(own):
        if line.partition(" ")[0] in said.names:
            yield line
    for name in said.names:
        value = said.value(name)
        if name == "DATABASE" and isinstance(value, dict) and {"NAME", "USER"} & set(value):
            yield "DATABASE = ${database.json}"
        elif isinstance(value, dict) and "REDIS" in name.upper():
            yield from _redis(name, value)
    for name, line in (
        ("CSRF_TRUSTED_ORIGINS", 'CSRF_TRUSTED_ORIGINS = "${trusted_origins}".split(",")'),
        ("MEDIA_ROOT", f'MEDIA_ROOT = "{MEDIA}"'),
    ):
        if takes(project, name):
            yield line


def _redis(name: str, value: dict[object, object]) -> Iterator[str]:
    """Give the line for addresses of Redis in parts: one, or several by name."""
    parts = '{"HOST": ${redis.host.json}, "PORT": ${redis.port}, "PASSWORD": ${redis.password.json}}'
    if value.get("HOST") in _LOCAL:
        yield f"{name} = {{**{name}, **{parts}}}"
    elif value and all(isinstance(each, dict) and each.get("HOST") in _LOCAL for each in value.values()):
        yield f"{name} = {{key: {{**each, **{parts}}} for key, each in {name}.items()}}"


def takes(project: Project, name: str) -> bool:
    """Whether settings look for a value in such a module: ``getattr(configuration, "MEDIA_ROOT", ...)``."""
    assigned = project.scope.names.get(name)
    if assigned is None or not any(each.example for each in modules(project)):
        return False
    return any(
        isinstance(each, ast.Call)
        and ast.unparse(each.func) == "getattr"
        and len(each.args) > 1
        and isinstance(each.args[1], ast.Constant)
        and each.args[1].value == name
        for each in ast.walk(assigned.node)
    )
