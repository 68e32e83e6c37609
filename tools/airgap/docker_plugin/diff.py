"""Diff: which inputs differ from the recorded state, and what that means. Pure; the daemon is not asked.

As in the official plugin the state is what counts, not the inputs of the last time: what Docker filled in for an input
that has no say in it (`computed`) is no change, what it filled in for any other is.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.airgap.docker_plugin.check import DEFAULTS
from tools.airgap.docker_plugin.schema import CONTAINER, IMAGE, Kind, Property, ResourceType
from tools.airgap.plugin.wire import UNKNOWN, Unknown


class Change(StrEnum):
    """What happens to one property."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that Diff answers."""

    changes: Mapping[str, Change]
    """Property path -> what happens to it."""
    replaces: Sequence[str]
    """The inputs (not paths) whose change makes a new resource."""
    delete_first: bool


def diff(
    resource: ResourceType, state: Mapping[str, Any], news: Mapping[str, Any], ignored: Sequence[str]
) -> Difference:
    """Compare the recorded state with checked inputs."""
    changes: dict[str, Change] = {}
    replaces = []
    for key, spec in resource.inputs.items():
        if key in ignored:
            continue
        found = dict(_compare(spec, key, state.get(key), news.get(key, spec.default)))
        changes.update(found)
        if found and spec.replaces:
            replaces.append(key)
    named = resource is not IMAGE and "name" not in news.get(DEFAULTS, [])
    return Difference(
        changes=changes,
        replaces=sorted(replaces),
        delete_first=bool(replaces) and (resource is CONTAINER or named),
    )


def same(spec: Property, old: Any, new: Any) -> bool:  # noqa: ANN401 - values of any type
    """Say whether two values of an input mean the same to Docker."""
    return not any(_compare(spec, "", old, new))


def _compare(spec: Property, path: str, old: Any, new: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401 - the same
    if spec.computed and (new is None or new == ""):
        return
    if new is UNKNOWN:
        yield path, Change.ADD if old is None else Change.UPDATE
    elif _identity(spec, old) == _identity(spec, new):
        return
    elif old is None:
        yield path, Change.ADD
    elif new is None:
        yield path, Change.DELETE
    else:
        yield from _compare_inside(spec, path, old, new)


def _compare_inside(spec: Property, path: str, old: Any, new: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401 - the same
    if spec.kind is Kind.OBJECT:
        for key, field in (spec.fields or {}).items():
            yield from _compare(field, f"{path}.{key}", old.get(key), new.get(key, field.default))
    elif spec.kind is Kind.MAP:
        yield from _compare_maps(path, old, new)
    elif spec.kind is Kind.SET and spec.fields and spec.computed:
        yield path, Change.UPDATE  # Docker fills in fields of each element, so elements have no identity
    elif spec.kind is Kind.SET:
        yield from _compare_sets(spec, path, old, new)
    elif spec.kind is Kind.LIST:
        yield from _compare_lists(spec, path, old, new)
    else:
        yield path, Change.UPDATE


def _compare_maps(path: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, Change]]:
    for key in sorted({*old, *new} - {DEFAULTS}):
        at = f"{path}.{key}" if re.fullmatch(r"\w+", key) else f"{path}[{json.dumps(key)}]"
        if key not in old:
            yield at, Change.ADD
        elif key not in new:
            yield at, Change.DELETE
        elif old[key] != new[key]:
            yield at, Change.UPDATE


def _compare_sets(spec: Property, path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Change]]:
    before = [_element_identity(spec, element) for element in old]
    after = [_element_identity(spec, element) for element in new]
    gone = {index for index, element in enumerate(before) if element not in after}
    come = {index for index, element in enumerate(after) if element not in before}
    for index in sorted(gone | come):
        change = Change.UPDATE if index in gone and index in come else Change.DELETE if index in gone else Change.ADD
        yield f"{path}[{index}]", change


def _compare_lists(spec: Property, path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Change]]:
    if spec.fields is not None and _as_bag(spec, old, new):
        return
    for index in range(max(len(old), len(new))):
        at = f"{path}[{index}]"
        if index >= len(old):
            yield at, Change.ADD
        elif index >= len(new):
            yield at, Change.DELETE
        elif spec.fields is not None:
            yield from _compare(Property(kind=Kind.OBJECT, fields=spec.fields), at, old[index], new[index])
        elif old[index] != new[index]:
            yield at, Change.UPDATE


def _as_bag(spec: Property, old: list[Any], new: list[Any]) -> bool:
    """Say whether two lists of objects (ports) differ in nothing but their order."""
    element = Property(kind=Kind.OBJECT, fields=spec.fields)
    rest = list(old)
    for wanted in new:
        match = next((item for item in rest if same(element, item, wanted)), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest


def _element_identity(spec: Property, value: Any) -> str:  # noqa: ANN401 - values of any type
    kind = Property(kind=Kind.OBJECT, fields=spec.fields) if spec.fields is not None else Property(kind=Kind.STRING)
    return _identity(kind, value)


def _identity(spec: Property, value: Any) -> str:  # noqa: ANN401 - values of any type
    """Return one text for all values that mean the same: defaults filled in, nothing and "empty" alike."""
    return json.dumps(_normal(spec, value), sort_keys=True, default=_identity_of_unknown)


def _normal(spec: Property, value: Any) -> Any:  # noqa: ANN401 - values of any type
    if value is None or value is UNKNOWN:
        return value
    if spec.kind is Kind.OBJECT:
        fields = {key: _normal(field, value.get(key, field.default)) for key, field in (spec.fields or {}).items()}
        return {key: item for key, item in fields.items() if item is not None} or None
    if spec.kind in {Kind.LIST, Kind.SET}:
        element = Property(kind=Kind.OBJECT, fields=spec.fields) if spec.fields is not None else None
        items = [_normal(element, item) if element else item for item in value]
        if spec.kind is Kind.SET:
            items = sorted(items, key=lambda item: json.dumps(item, sort_keys=True, default=_identity_of_unknown))
        return items or None
    if spec.kind is Kind.MAP:
        return {key: item for key, item in value.items() if key != DEFAULTS} or None
    return value or None


def _identity_of_unknown(value: object) -> dict[str, bool]:
    """Give an unknown value an identity that no known one has."""
    if isinstance(value, Unknown):
        return {"unknown": True}
    raise TypeError(type(value).__name__)
