"""What is remembered of a review environment: in a tag of its stack, which every backend keeps beside the state.

A clone that is made for one job of CI finds it there, and another time to live touches nothing that runs.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.engine import Engine
from pipeline.env import name

TAG = "slipway:review"
IMAGES = "slipway:images"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One review environment."""

    name: str
    """Its name."""
    project: str
    """The project that it shows: the first part of the names of what runs."""
    created: datetime
    """When it was made."""
    expires: datetime
    """When it is due to go."""
    memory_mb: int
    """The memory limits of what runs, together, in MiB."""
    url: str | None = None
    """Where it is served; None until it was, once."""
    release: str | None = None
    """The release that serves; None until one does."""
    seeded: bool = False
    """Whether it has the data that it starts with."""
    images: tuple[str, ...] = ()
    """The images of its releases."""

    @property
    def stack(self) -> str:
        """The name of its stack."""
        return name.stack(self.name)

    def due(self, now: datetime) -> bool:
        """Whether it should go."""
        return self.expires <= now


_RECORD = TypeAdapter(Record)


def now() -> datetime:
    """Give the time."""
    return datetime.now(UTC).replace(microsecond=0)


def text(record: Record) -> str:
    """Write a record as the tag holds it. The images are in a tag of their own, since there may be many."""
    return _RECORD.dump_json(record, exclude={"images"}).decode()


def parse(tags: dict[str, Any], stack: str) -> Record | None:
    """Read what the tags of a stack say; None where it is no review environment."""
    try:
        found = _RECORD.validate_json(tags.get(TAG, ""))
    except ValidationError:
        return None
    found = replace(found, images=tuple(filter(None, tags.get(IMAGES, "").split(","))))
    return found if found.stack == stack else None


def of(engine: Engine) -> Record | None:
    """Read the record of a stack; None where it has none or is not there."""
    done = engine.run("stack", "tag", "ls", "--json", "--stack", engine.stack)
    if done.code:
        if "no stack named" in done.text:
            return None
        engine.refuse(done, ("stack", "tag", "ls"))
    return parse(json.loads(done.out or "{}") or {}, engine.stack)


def save(engine: Engine, record: Record, before: Record | None = None) -> Record:
    """Write what differs from before."""
    for tag, value, old in (
        (TAG, text(record), before and text(before)),
        (IMAGES, ",".join(record.images), before and ",".join(before.images)),
    ):
        if value != (old or ""):
            engine.must("stack", "tag", "set", tag, value, "--stack", engine.stack)
    return record


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A stack of the project, as the backend lists it."""

    stack: str
    """Its name."""
    resources: int
    """How many resources it has."""


def stacks(engine: Engine) -> list[Listed]:
    """List the stacks of the project."""
    found = json.loads(engine.must("stack", "ls", "--json"))
    return sorted(
        (
            Listed(stack=str(each["name"]).rpartition("/")[2], resources=int(each.get("resourceCount") or 0))
            for each in found
        ),
        key=lambda each: each.stack,
    )


def every(engine: Engine) -> Iterator[tuple[Record, Listed]]:
    """Read the records of all review environments, in the order of their names."""
    for listed in stacks(engine):
        if listed.stack.startswith(name.PREFIX):
            found = of(replace(engine, stack=listed.stack))
            if found is not None:
                yield found, listed
