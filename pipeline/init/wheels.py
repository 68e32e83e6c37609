"""The newest Python that fixed versions of packages have wheels for.

A lock of uv or Poetry names the wheels. For files of requirements there is a table of what is often fixed and is compiled,
as the index of packages has it: without a wheel a build needs a compiler and libraries, or fails.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.init.tree import Tree

NEWEST: Mapping[str, Sequence[tuple[str, str]]] = {
    "aiohttp": (("3.9", "3.11"), ("3.10", "3.12")),
    "cffi": (("1.15.1", "3.10"), ("1.16", "3.11"), ("1.17", "3.12")),
    "greenlet": (("3.0", "3.11"), ("3.1", "3.12")),
    "hiredis": (("2.3", "3.11"), ("3.1", "3.12")),
    "lxml": (("4.9.3", "3.11"), ("5.3", "3.12"), ("6.0.1", "3.13")),
    "numpy": (("1.23.2", "3.10"), ("1.26", "3.11"), ("2.1", "3.12"), ("2.3.2", "3.13")),
    "pandas": (("1.5", "3.10"), ("2.1.1", "3.11"), ("2.2.3", "3.12"), ("2.3.3", "3.13")),
    "pillow": (("9.2", "3.10"), ("10.0.1", "3.11"), ("10.4", "3.12"), ("11.3", "3.13")),
    "psycopg-binary": (("3.1.12", "3.11"), ("3.2.2", "3.12"), ("3.2.10", "3.13")),
    "psycopg2-binary": (("2.9.5", "3.10"), ("2.9.8", "3.11"), ("2.9.10", "3.12"), ("2.9.11", "3.13")),
    "pydantic-core": (("2.20", "3.12"),),
    "pyyaml": (("6.0", "3.10"), ("6.0.1", "3.11"), ("6.0.2", "3.12"), ("6.0.3", "3.13")),
    "reportlab": (("4.0", "3.11"),),
}
"""Of each package: before this version, no wheel for Linux is for a newer Python than this one."""

_WHEEL = re.compile(r"-(?P<python>[^-/]+)-(?P<abi>[^-/]+)-(?P<platform>[^-/]+)\.whl")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a package says about the newest Python."""

    package: str
    """Its name and version, as ``pillow 9.5.0``."""
    newest: str
    """The newest Python that it has a wheel for."""


def find(tree: Tree, declared: Sequence[str], packages: Mapping[str, str | None]) -> Iterator[Limit]:
    """Give the limits of a project's packages.

    Args:
        tree: the project.
        declared: the files that say what it depends on.
        packages: the packages that these name, with their versions.
    """
    locks = [file for file in declared if file.endswith(("uv.lock", "poetry.lock"))]
    for file in locks:
        for package in tree.toml(file).get("package", []):
            files = [str(each.get("url") or each.get("file") or "") for each in package.get("wheels", [])]
            files += [str(each.get("file", "")) for each in package.get("files", [])]
            newest = _newest_of(files)
            if newest is not None:
                yield Limit(package=f"{package.get('name')} {package.get('version')}", newest=newest)
    if not locks:
        yield from of_table(packages)


def of_table(packages: Mapping[str, str | None]) -> Iterator[Limit]:
    """Give the limits of packages by their names and versions, as the table has them."""
    for name, version in packages.items():
        newest = next(
            (newest for below, newest in NEWEST.get(name, ()) if version and _is_before(version, below)), None
        )
        if newest is not None:
            yield Limit(package=f"{name} {version}", newest=newest)


def _newest_of(files: Sequence[str]) -> str | None:
    """Give the newest Python of some wheels for Linux; None where some are for any, or there are none."""
    found = [each for file in files if (each := _WHEEL.search(file)) and _is_linux(each["platform"])]
    if not found or any(each["abi"] in {"abi3", "none"} for each in found):
        return None
    numbers = [int(one) for each in found for one in re.findall(r"cp3(\d+)", each["python"])]
    return f"3.{max(numbers)}" if numbers else None


def _is_linux(platform: str) -> bool:
    return platform == "any" or "linux" in platform


def _is_before(version: str, below: str) -> bool:
    return _numbers(version) < _numbers(below)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])
