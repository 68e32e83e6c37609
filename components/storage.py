"""What a project keeps in files that outlive every release, and who mounts which of it. Pure.

This module owns the names of these places, which never change: another name is another, empty one. How a place is made is
in each target's ``storage.py``; the datastores have places of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.keys import Path_
from components.model import Media, ServeStatic, Settings, Static

WEB = "web"
"""Stands for the web processes where settings name who has a volume."""

COLLECTED = "collected"
"""The place that static files are collected into at each release, where the project writes to it too."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place for files in a process."""

    role: str
    """What it holds: the last part of its name, for ever."""
    path: str
    """Where it is in the process."""
    writable: bool
    """Whether the process may write."""


def volume_role(name: str) -> str:
    """Name the role of a volume that settings name."""
    return f"volume-{name}"


def places(settings: Settings, process: str) -> list[Place]:
    """List what a process mounts beside the uploads: ``web``, or the name of a process in the settings."""
    collected = settings.static.root if settings.static.serve is ServeStatic.VOLUME else None
    return [
        *([Place(role=COLLECTED, path=collected, writable=True)] if collected else []),
        *(
            Place(role=volume_role(name), path=volume.path, writable=not volume.read_only)
            for name, volume in settings.volumes.items()
            if process in volume.processes or not volume.processes
        ),
    ]


def folders(settings: Settings) -> list[str]:
    """List the folders that the app's user owns in the image, so that a new volume there is his."""
    return [path for _, path in paths_of({name: getattr(settings, name) for name in ("media", "static", "volumes")})]


def paths_of(parts: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Give every path of files that outlive a release, with the setting that says it.

    Args:
        parts: groups of the settings by name, as far as they are valid.
    """
    media, static = parts.get("media"), parts.get("static")
    if isinstance(media, Media):
        yield ("media", "root"), media.root
    if isinstance(static, Static) and static.serve is ServeStatic.VOLUME and static.root:
        yield ("static", "root"), static.root
    yield from ((("volumes", name, "path"), volume.path) for name, volume in parts.get("volumes", {}).items())
