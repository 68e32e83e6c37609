"""Which settings go into an image, and where two stacks differ in them. Pure."""

from collections.abc import Iterator

from components import storage
from components.keys import KEYS, NAME
from components.model import Settings
from components.problems import full_key, show
from pipeline.console import Problem

GROUPS = ("dependencies", "build", "assets")
"""Everything of these, but for what only says how to download."""

SINGLE = (
    ("app", "directory"),
    ("app", "python_path"),
    ("app", "python"),
    ("app", "dockerfile"),
    ("static", "serve"),
    ("web", "server"),
    ("web", "worker_class"),
    ("web", "command"),
)
DOWNLOAD = (("build", "ca_bundle"), ("dependencies", "netrc"))

WHILE_BUILT = (("app", "settings_module"), ("app", "environment"), ("app", "files"))
"""What the project sees while its static files are collected. It runs with what its own stack says."""


def differences(one: Settings, other: Settings, names: tuple[str, str]) -> list[Problem]:
    """Find the settings of the image in which two stacks differ."""
    problems = [
        Problem(
            f"{full_key(path)}: {names[0]} says {_shown(_at(one, path))}, {names[1]} says {_shown(_at(other, path))}",
            allowed="the same in both: it goes into the image",
            mend=f"edit stacks/Pulumi.{names[1]}.yaml, or stacks/Pulumi.{names[0]}.yaml and bring that stack up first",
        )
        for path in into_the_image()
        if _at(one, path) != _at(other, path)
    ]
    folders = storage.folders(one), storage.folders(other)
    if folders[0] != folders[1]:
        problems.append(
            Problem(
                f"folders of uploads and volumes: {names[0]} has {', '.join(folders[0])}, {names[1]} has {', '.join(folders[1])}",
                allowed="the same in both: the image has them, with their owner",
                mend=f"edit slipway:media.root and slipway:volumes in stacks/Pulumi.{names[1]}.yaml",
            )
        )
    return problems


def notes(one: Settings, other: Settings, names: tuple[str, str]) -> list[str]:
    """Say in what the stacks differ that the project saw while the image was built, and that nothing else of it holds."""
    differing = [full_key(path) for path in WHILE_BUILT if _at(one, path) != _at(other, path)]
    if not differing:
        return []
    return [
        f"{', '.join(differing)}: those of {names[0]} were there while static files were collected; {names[1]} runs with its own"
    ]


def into_the_image() -> Iterator[tuple[str, ...]]:
    """Give the settings that go into an image."""
    yield from SINGLE
    for path, key in KEYS.items():
        if path[0] in GROUPS and key.single and NAME not in path and path not in DOWNLOAD:
            yield path


def _at(settings: Settings, path: tuple[str, ...]) -> object:
    value: object = settings
    for part in path:
        value = getattr(value, part)
    return value


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in sorted(value.items())) or "nothing"
    return show(value)
