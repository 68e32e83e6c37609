"""The settings module of a project: which one is meant for production, and the modules that it is made of."""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.init.finding import Place
from pipeline.init.tree import Tree, dotted

PRODUCTION = ("production", "prod", "live", "deploy", "deployment", "server", "docker", "heroku", "common", "base")
"""Last parts of names of settings modules, the likeliest one for production first."""

DEVELOPMENT = frozenset({"local", "dev", "devel", "develop", "development", "test", "tests", "testing", "ci", "debug"})
"""Last parts of names of those that are for a developer's machine."""

_NAMED = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*[,\]]\s*(?:=\s*)?["']([\w.]+)["']""")
_CONFIGURATION = re.compile(r"""DJANGO_CONFIGURATION["']\s*[,\]]\s*(?:=\s*)?["'](\w+)["']""")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A settings module."""

    module: str
    """Its dotted name."""
    file: str
    """Its file, inside the project's root."""
    why: str
    """Why this one, in words."""
    place: Place
    """Where it was found."""
    others: tuple[str, ...]
    """Other settings modules that there are."""
    named: bool
    """Whether some file of the project says that it is used."""


def named(tree: Tree, file: str) -> tuple[str, Place] | None:
    """Give the settings module that a file names, and where."""
    for number, line in enumerate(tree.text(file).splitlines(), 1):
        found = _NAMED.search(line)
        if found:
            return found[1], Place(file, number)
    found = _NAMED.search(tree.text(file))  # the call is on several lines
    return (found[1], tree.line(file, "DJANGO_SETTINGS_MODULE")) if found else None


def choose(tree: Tree, manage: str, where: tuple[str, ...]) -> Chosen | None:
    """Choose the settings module that is deployed; None if there is none."""
    entries = [path for name in ("wsgi.py", "asgi.py") for path in tree.named(name) if not tree.is_aside(path)]
    files = [*entries, manage]
    said = [found for each in files if (found := named(tree, each)) and tree.module(found[0], where)]
    said.sort(key=lambda each: (_last(each[0]) in DEVELOPMENT, files.index(each[1].file)))
    around = list(_modules(tree, where, said[0][0] if said else None))
    if not said and not around:
        return None
    if not said:
        best = min(around, key=_rank)
        return _made(tree, where, best, "its name", Place(_file(tree, best, where)), around, named=False)
    module, place = said[0]
    why = f"{posixpath.basename(place.file)} names it"
    better = _better(tree, module, _file(tree, module, where), around)
    if better is not None:
        why = f"the one for production beside {module}, which {place} names"
        module, place = better, Place(_file(tree, better, where))
    return _made(tree, where, module, why, place, around, named=True)


def _made(  # noqa: PLR0913, PLR0917 - what it is made of
    tree: Tree, where: tuple[str, ...], module: str, why: str, place: Place, around: list[str], *, named: bool
) -> Chosen:
    others = tuple(each for each in around if each != module)
    return Chosen(module=module, file=_file(tree, module, where), why=why, place=place, others=others, named=named)


def _file(tree: Tree, module: str, where: tuple[str, ...]) -> str:
    return tree.module(module, where) or ""


def _better(tree: Tree, module: str, file: str, around: list[str]) -> str | None:
    """Give the module for production where the named one is for developers, or only stands for one of them."""
    package = module if file.endswith("/__init__.py") else module.rpartition(".")[0]
    stands_for = file.endswith("/__init__.py") and _is_thin(tree, file)
    if _last(module) not in DEVELOPMENT and not stands_for:
        return None
    family = [each for each in around if each.rpartition(".")[0] == package and _last(each) in PRODUCTION]
    if not family:
        stem = _last(module)
        family = [each for each in around if each != module and _rank(each) < len(PRODUCTION) and stem in DEVELOPMENT]
    return min(family, key=_rank, default=None)


def _is_thin(tree: Tree, file: str) -> bool:
    """Whether a package of settings says nothing itself, or takes over those for developers."""
    parsed = tree.parsed(file)
    if parsed is None:
        return True
    imports = [each for each in ast.walk(parsed) if isinstance(each, ast.ImportFrom)]
    assigned = [each for each in parsed.body if isinstance(each, ast.Assign | ast.AnnAssign | ast.If | ast.ClassDef)]
    taken = {_last(each.module or "") for each in imports}
    return not assigned and taken <= DEVELOPMENT.union(PRODUCTION) and (not taken or bool(taken & DEVELOPMENT))


def _modules(tree: Tree, where: tuple[str, ...], said: str | None) -> Iterator[str]:
    """Name what looks like a settings module."""
    for path in tree.python:
        folder, name = posixpath.split(path)
        parent = posixpath.basename(folder)
        stem = name.removesuffix(".py")
        in_package = re.fullmatch(r"(settings|conf|config|configs)", parent) is not None
        beside = re.fullmatch(r"(\w*_)?settings(_\w+)?", stem) is not None
        whole = stem == "__init__" and parent == "settings"
        if not whole and (
            not (beside or in_package) or stem in {"__init__", "urls", "wsgi", "asgi", "celery", "celery_app"}
        ):
            continue
        module = dotted(path, where)
        if module == said or _has_settings(tree, path):
            yield module


def _has_settings(tree: Tree, path: str) -> bool:
    text = tree.text(path)
    return len(
        re.findall(
            r"^\s*(?:INSTALLED_APPS|DATABASES|ROOT_URLCONF|MIDDLEWARE|ALLOWED_HOSTS|DEBUG)\b", text, re.MULTILINE
        )
    ) > 0 or (re.search(r"^from \.+\w* import \*", text, re.MULTILINE) is not None)


def _last(module: str) -> str:
    last = module.rpartition(".")[2]
    return last.removeprefix("settings_").removesuffix("_settings")


def _rank(module: str) -> int:
    last = _last(module)
    return PRODUCTION.index(last) if last in PRODUCTION else len(PRODUCTION) + (last in DEVELOPMENT)


def is_for_developers(module: str) -> bool:
    """Whether the name of a settings module says that it is no good for production."""
    return _last(module) in DEVELOPMENT


def configuration(tree: Tree, file: str, manage: str) -> tuple[str, Place] | None:
    """Give the class of settings to use where the project keeps them in classes (django-configurations)."""
    said = [
        (found[1], tree.line(each, "DJANGO_CONFIGURATION"))
        for each in (*tree.named("wsgi.py"), manage)
        if (found := _CONFIGURATION.search(tree.text(each)))
    ]
    if not said:
        return None
    classes = [each.name for each in (tree.parsed(file) or ast.Module([], [])).body if isinstance(each, ast.ClassDef)]
    better = [each for each in classes if each.lower() in PRODUCTION[:3]]
    return (better[0], tree.line(file, f"class {better[0]}")) if better else said[0]
