"""The images of a review environment's releases: which there are, and which of them nobody else has."""

from collections.abc import Iterable
from dataclasses import replace

from pipeline.engine import Engine
from pipeline.env import record
from pipeline.host import tidy
from pipeline.target import State, Target


def of(state: State) -> list[str]:
    """Name the images of a state, with those that an update is building."""
    pending = [each["resource"] for each in state.get("pending_operations") or [] if each.get("resource")]
    return list(dict.fromkeys(tidy.images({"resources": [*(state.get("resources") or []), *pending]})))


def remove(engine: Engine, target: Target, tags: Iterable[str]) -> list[str]:
    """Remove images that no other stack has, and name those that stay, each with the reason."""
    wanted = list(dict.fromkeys(tags))
    if not wanted:
        return []
    users: dict[str, str] = {}
    for listed in record.stacks(engine):
        if listed.stack != engine.stack:
            other = replace(engine, stack=listed.stack)
            users |= dict.fromkeys(of(other.exported() or {}), listed.stack)
    stays = [f"the image {tag}: stack {users[tag]} has it too" for tag in wanted if tag in users]
    return [*stays, *target.images(engine, [tag for tag in wanted if tag not in users])]
