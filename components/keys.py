"""The keys of the model, for errors and for everything that is generated."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components.model import Settings
from components.problems import full_key
from components.values import Words

Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Key:
    """One key of the settings."""

    path: Path_
    info: FieldInfo
    group: type[BaseModel] | None
    """The model below this key; None for a single value."""
    entry: type[BaseModel] | None = None
    """The model below each name below this key, where the stack's file chooses the names."""

    @property
    def name(self) -> str:
        """The full path, as the commands of Pulumi take it."""
        return full_key(self.path)

    @property
    def single(self) -> bool:
        """Whether it is a single value, and no group of them."""
        return self.group is None and self.entry is None

    @property
    def example(self) -> object:
        """A value that is allowed."""
        return (self.info.examples or [None])[0]

    @property
    def choices(self) -> list[str]:
        """The values of a closed set; empty for any other kind of value."""
        annotation = self.info.annotation
        if get_origin(annotation) is Literal:
            return [str(choice) for choice in get_args(annotation)]
        return [*annotation] if isinstance(annotation, type) and issubclass(annotation, StrEnum) else []

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.group is not None:
            return "values below this key: " + ", ".join(self.group.model_fields)
        if self.entry is not None:
            names = next(m.text for m in get_args(get_args(self.info.annotation)[0]) if isinstance(m, Words))
            return f"any names of {names}, and below each: {', '.join(self.entry.model_fields)}"
        if self.info.annotation is not None and get_origin(self.info.annotation) is dict:
            return next(m.text for m in self.info.metadata if isinstance(m, Words))
        if self.choices:
            return f"one of {', '.join(self.choices)}" if len(self.choices) > 1 else self.choices[0]
        bounds = {k: getattr(m, k) for m in self.info.metadata for k in ("ge", "le") if hasattr(m, k)}
        if bounds:
            noun = "a whole number" if self.info.annotation is int else "a number"
            return f"{noun} from {bounds['ge']} to {bounds['le']}"
        return next(m.text for m in _metadata(self.info) if isinstance(m, Words))


NAME = "NAME"
"""Stands for a name that the stack's file chooses, in the path of a key. No such name has capital letters."""


def keys(model: type[BaseModel] = Settings, above: Path_ = ()) -> Iterator[Key]:
    """Every key of the model, a group before what is below it."""
    for name, info in model.model_fields.items():
        annotation = info.annotation
        group = _model(annotation)
        entry = _model(get_args(annotation)[1]) if get_origin(annotation) is dict else None
        path = (*above, name)
        yield Key(path, info, group, entry)
        if group is not None:
            yield from keys(group, path)
        if entry is not None:
            yield Key((*path, NAME), info, entry)
            yield from keys(entry, (*path, NAME))


def _model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _metadata(info: FieldInfo) -> list[Any]:
    """Everything that is said about a value, also where it may be null."""
    if NoneType in get_args(info.annotation):
        return [m for part in get_args(info.annotation) for m in getattr(part, "__metadata__", ())]
    return info.metadata


KEYS: dict[Path_, Key] = {key.path: key for key in keys()}


def key_at(path: Path_) -> Key | None:
    """Find the key of the model that a path of a stack's file is about."""
    known: Path_ = ()
    for part in path:
        key = KEYS.get(known)
        known = (*known, NAME if key is not None and key.entry is not None else part)
    return KEYS.get(known)
