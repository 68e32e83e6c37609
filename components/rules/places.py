"""What places for files ask of each other. Pure."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from components import storage
from components.model import NOT_SERVED, Media, ServeStatic, Static
from components.problems import Problem, config_set, full_key, show
from components.rules.needed import required

if TYPE_CHECKING:
    from components.keys import Path_


def between(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong with where static files, uploads and volumes lie, and with who has them."""
    yield from _places(parts, stack)
    yield from _members(parts, stack)
    yield from _served(parts, stack)


def _places(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find places for files that are inside one another, and the one that is missing."""
    static = parts.get("static")
    if isinstance(static, Static) and static.serve is ServeStatic.VOLUME and static.root is None:
        yield required(("static", "root"), "slipway:static.serve is volume", stack)
    before: list[tuple[Path_, str]] = []
    for path, place in storage.paths_of(parts):
        for other, taken in before:
            if f"{place}/".startswith(f"{taken}/") or f"{taken}/".startswith(f"{place}/"):
                yield Problem(
                    key=full_key(path),
                    found=f"{show(place)}, which shares files with {full_key(other)} ({taken})",
                    allowed="a path that is in no other of them, and that no other of them is in",
                    mend=config_set(path, f"/srv/{path[1] if path[0] == 'volumes' else path[0]}-files", stack),
                )
                break
        before.append((path, place))


def _members(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find volumes of processes that are not there."""
    if not {"volumes", "processes"} <= set(parts):
        return
    known = [storage.WEB, *parts["processes"]]
    for name, volume in parts["volumes"].items():
        for each in volume.processes:
            if each not in known:
                path: Path_ = ("volumes", name, "processes")
                yield Problem(
                    key=full_key(path),
                    found=f"{show(each)}, which is no process",
                    allowed=f"of {', '.join(known)}; nothing for all",
                    mend=config_set(
                        path, " ".join(other for other in volume.processes if other in known) or storage.WEB, stack
                    ),
                )


def _served(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find uploads that would be served, but for an address."""
    media = parts.get("media")
    if isinstance(media, Media) and media.internal and media.url == NOT_SERVED:
        yield Problem(
            key=full_key(("media", "url")),
            found=show(media.url),
            allowed="an address, since slipway:media.internal is true: `X-Accel-Redirect` names it",
            mend=config_set(("media", "url"), "/media/", stack),
        )
