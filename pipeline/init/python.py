"""The version of Python that a project wants, of those that Slipway has."""

import re
from collections.abc import Iterator
from typing import get_args

from components.defaults import COMMON
from components.values import PythonVersion
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.wheels import find as wheels_of

VERSIONS: tuple[str, ...] = get_args(get_args(PythonVersion)[0])
"""What ``slipway:app.python`` may say, the oldest first."""

_NEWEST = ((2, 2, "3.10"), (4, 2, "3.11"), (5, 1, "3.12"))
"""The newest Python for versions of Django before the given one: what they use of the standard library left with the next."""

_OLDER = ("3.10", "3.9", "3.8")
"""Versions that there are still images of, on the Debian before, the newest first."""

_IMAGE = "python:{}-slim-bookworm"

_VERSION = re.compile(r"(\d+)\.(\d+)")


def _number(version: str) -> tuple[int, int]:
    found = _VERSION.search(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def fits(version: str, wanted: str) -> bool:
    """Whether a version is one that a specifier allows, such as ``>=3.11,<3.13`` or Poetry's ``^3.11``."""
    here = _number(version)
    for part in re.split(r"\s*[,|]+\s*|\s+(?=[<>=!~^])", wanted.strip()):
        found = re.match(r"(===?|!=|>=|<=|~=|>|<|\^|~)?\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?(\.\*)?", part)
        if found is None:
            continue
        sign, major, minor = found[1] or "==", int(found[2]), found[3]
        there = (major, int(minor or 0))
        allowed = {
            "==": here == there or (minor is None and here[0] == major),
            "===": here == there,
            "!=": here != there,
            ">=": here >= there,
            "<=": here <= there,
            # 3.12 is more than ">3.11.0" says, and is not less than "<3.12"
            ">": here > there or (here == there and found[4] is not None),
            "<": here < there or (here == there and (found[4] or "0") != "0"),
            "^": here[0] == major and here >= there,
            "~": here == there,
            "~=": here >= there and (here[0] == major if found[4] is None else here == there),
        }[sign]
        if not allowed:
            return False
    return True


def find(project: Project) -> Iterator[Found]:
    """Choose the version."""
    said = list(_said(project))
    limits = [each for each in said if each[2]]
    django = next(
        (limit for major, minor, limit in _NEWEST if project.django is not None and project.django < (major, minor)),
        VERSIONS[-1],
    )
    if _number(django) < _number(VERSIONS[0]):
        yield Missing(
            what=f"a Python for Django {project.packages.get('django')}: it runs on {django} or older, and Slipway has "
            f"{', '.join(VERSIONS)}",
            do="Django 2.2 or newer in the project, or slipway:build.base_image with an image of an older Python",
            place=project.of_package("django"),
        )
        return
    allowed = [
        each for each in VERSIONS if all(fits(each, text) for text, _, _ in limits) and _number(each) <= _number(django)
    ]
    if limits and not allowed:
        text, place, _ = limits[0]
        older = next((each for each in _OLDER if all(fits(each, limit) for limit, _, _ in limits)), None)
        what = f"the project wants Python {text}, and Slipway has {', '.join(VERSIONS)}"
        if older is not None:
            yield Setting(path=("build", "base_image"), value=_IMAGE.format(older), why=what, place=place)
        else:
            yield Missing(what=what, do="slipway:build.base_image with an image of that Python", place=place)
        return
    # A package without a wheel for it may still be built: no reason to take a version that nothing else allows.
    wheels = min(
        wheels_of(project.tree, project.declared, project.packages),
        key=lambda limit: _number(limit.newest),
        default=None,
    )
    built = [each for each in allowed if wheels is not None and _number(each) <= _number(wheels.newest)]
    exact = [(text, place) for text, place, is_limit in said if not is_limit and text in allowed]
    usual = COMMON["app"]["python"]
    if exact:
        yield Setting(
            path=("app", "python"), value=exact[0][0], why="the version that the project names", place=exact[0][1]
        )
    elif built and wheels is not None and usual not in built and built[-1] != allowed[-1]:
        name, _, version = wheels.package.partition(" ")
        yield Setting(
            path=("app", "python"),
            value=built[-1],
            why=f"the newest that {name} {version} has wheels for",
            place=project.of_package(name),
        )
    elif allowed and usual not in allowed:
        why = (
            f"the newest that Django {project.packages.get('django')} runs on"
            if _number(usual) > _number(django)
            else "the newest that the project allows"
        )
        where = project.of_package("django") if _number(usual) > _number(django) else limits[0][1] if limits else None
        yield Setting(path=("app", "python"), value=allowed[-1], why=why, place=where)


def _said(project: Project) -> Iterator[tuple[str, Place, bool]]:
    """Give what files say: a version or what limits it, where, and which of the two it is."""
    tree = project.tree
    around = dict.fromkeys(["", project.directory])
    for folder in around:
        start = f"{folder}/" if folder else ""
        for name in (".python-version", "runtime.txt"):
            found = re.search(r"3\.\d+", tree.text(f"{start}{name}")) if tree.has(f"{start}{name}") else None
            if found:
                yield found[0], Place(f"{start}{name}", 1), False
        pyproject = f"{start}pyproject.toml"
        content = tree.toml(pyproject) if tree.has(pyproject) else {}
        wanted = content.get("project", {}).get("requires-python")
        poetry = content.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python")
        for text, key in ((wanted, "requires-python"), (poetry, "python =")):
            if isinstance(text, str):
                yield text, tree.line(pyproject, key), True
        pipfile = tree.toml(f"{start}Pipfile") if tree.has(f"{start}Pipfile") else {}
        version = pipfile.get("requires", {}).get("python_version")
        if version:
            yield version, tree.line(f"{start}Pipfile", "python_version"), True
        for file in (f"{start}Dockerfile",):
            image = re.search(r"^FROM\s+\S*python:(3\.\d+)", tree.text(file), re.MULTILINE) if tree.has(file) else None
            if image:
                yield image[1], tree.line(file, image[0]), False
