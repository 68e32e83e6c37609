"""What a property of a resource may be in a preview. Pure.

Pulumi marks what it cannot know yet with fixed identities and what is secret with a signature; here both are marks.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""What JSON can say."""


class Mark(Enum):
    """What stands for a value that is not shown."""

    UNKNOWN = "(known once it is done)"
    SECRET = "[secret]"  # noqa: S105 - a mark


Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | Mark | None"
"""A property."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of every object that Pulumi has marked."""

SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark
"""What stands under it for a secret."""

_UNKNOWN = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What stands for a text, a number and so on that is not known before the update."""


def of(said: Json) -> Value:
    """Read a property. What is secret is gone after this, whether Pulumi has blinded it or not."""
    if isinstance(said, dict):
        if SIGNATURE in said:
            return Mark.SECRET
        return {key: of(each) for key, each in said.items()}
    if isinstance(said, list):
        return [of(each) for each in said]
    if isinstance(said, str) and said in _UNKNOWN:
        return Mark.UNKNOWN
    return Mark.SECRET if said == Mark.SECRET.value else said


def mapping(value: Value) -> Mapping[str, Value]:
    """Give an object; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def items(value: Value) -> list[Value]:
    """Give a list; an empty one where there is none."""
    return value if isinstance(value, list) else []


def at(value: Value, *path: str) -> Value:
    """Give what is found at a path of keys; None where there is nothing."""
    for key in path:
        value = mapping(value).get(key)
    return value


def text(value: Value) -> str:
    """Give a text; an empty one where there is none."""
    return value if isinstance(value, str) else ""


def number(value: Value) -> float:
    """Give a number; 0 where there is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def leaves(value: Value, path: str = "") -> Iterator[tuple[str, Value]]:
    """Give every single value with its path, such as ``spec.ports[0].port``."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from leaves(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{index}]")
    else:
        yield path, value
