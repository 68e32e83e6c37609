"""The images of an update: which ones move, how large they are, and how much of each is new.

What a preview says is pure; sizes and layers are asked of the Docker daemon, for the images that it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import docker
import docker.errors
import requests

from components.tokens import IMAGE, KUBERNETES
from pipeline.console import PipelineError
from pipeline.host.check import daemon
from pipeline.preview import value, workload
from pipeline.preview.plan import Change, Operation, Plan
from pipeline.preview.words import label, tag

MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An image that an update changes."""

    component: str
    """What it is for."""
    before: str
    """Its name as it is; empty for a new one."""
    after: str
    """Its name as it would be; empty for one that goes."""


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """An image that the daemon has."""

    size: int
    """Its size, in bytes."""
    layers: tuple[str, ...]
    """Identities of its layers."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that an update changes, and what is known of it."""

    component: str
    """What it is for."""
    before: str
    """Its name as it is."""
    after: str
    """Its name as it would be."""
    size_before: int | None = None
    """Size in bytes; None where it is not on this machine."""
    size_after: int | None = None
    """Size in bytes; None where it is not on this machine."""
    layers: int | None = None
    """How many layers the new one has."""
    new_layers: int | None = None
    """How many of them the old one has not."""


def moved(plan: Plan) -> tuple[Moved, ...]:
    """List the images that an update changes."""
    found: dict[str, Moved] = {}
    for change in plan.changes:
        if change.operation is Operation.SAME:
            continue
        for before, after in _names(change):
            if before != after:
                name = label(change.component, change.kind).removeprefix("image of ").removeprefix("the ")
                found.setdefault(name, Moved(component=name, before=before, after=after))
    return tuple(found[name] for name in sorted(found))


def _names(change: Change) -> Iterator[tuple[str, str]]:
    if change.type == IMAGE:
        yield tag(change.before), tag(change.after)
    elif change.kind == "PulledImage":
        both = (change.before, change.after)
        old, new = (value.text(each.inputs.get("name")) if each else "" for each in both)
        yield old, new
    elif change.type.startswith(KUBERNETES):
        before, after = workload.of(change.type, change.before), workload.of(change.type, change.after)
        shown = after or before
        if shown is not None and not shown.release:  # the app's own is told where it is built
            yield (before.image if before else ""), (after.image if after else "")


def inspect(environ: Mapping[str, str], names: Sequence[str]) -> dict[str, Inspected]:
    """Ask the daemon for those images that it has; nothing where there is no daemon."""
    found = {}
    with ExitStack() as stack:
        try:
            client = stack.enter_context(daemon(environ))
        except PipelineError:
            return {}
        for name in names:
            try:
                attributes = client.images.get(name).attrs
            except (docker.errors.APIError, requests.RequestException):
                continue
            layers = tuple((attributes.get("RootFS") or {}).get("Layers") or ())
            found[name] = Inspected(size=int(attributes.get("Size") or 0), layers=layers)
    return found


def compare(moves: Sequence[Moved], known: Mapping[str, Inspected], built: Mapping[str, str]) -> tuple[Image, ...]:
    """Put both together.

    Args:
        moves: the images that an update changes.
        known: those that the daemon has, by name.
        built: the name under which an image was built only to be looked at, by the name that it would have.
    """
    return tuple(_image(each, known.get(each.before), known.get(built.get(each.after, each.after))) for each in moves)


def _image(move: Moved, old: Inspected | None, new: Inspected | None) -> Image:
    return Image(
        component=move.component,
        before=move.before,
        after=move.after,
        size_before=old.size if old else None,
        size_after=new.size if new else None,
        layers=len(new.layers) if new else None,
        new_layers=sum(layer not in old.layers for layer in new.layers) if old and new else None,
    )


def size(count: int | None) -> str:
    """Write a size for people."""
    return "?" if count is None else f"{count / MEGA:.1f} MB"


def words(image: Image) -> str:
    """Say how large it is, and how much of it is new."""
    if image.size_after is None:
        unknown = "not built yet: see --build" if image.component == "app" else "not known on this machine"
        return unknown if image.after else "used no more"
    grown = f"{size(image.size_before)} to " if image.size_before is not None else ""
    layers = f", {image.new_layers} of {image.layers} layers new" if image.new_layers is not None else ""
    return f"{grown}{size(image.size_after)}{layers}"
