"""Who owns which field of an object: what our creation and kubectl own goes to the manager of the update. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_OURS: Final = ("kubectl", "before-first-apply", "pulumi-kubernetes", "pulumi-resource-kubernetes")


def taken_over(entries: Sequence[Mapping[str, Any]], manager: str) -> list[dict[str, Any]] | None:
    """Return an object's managedFields with what others of us own given to one manager; None if nothing changes."""
    ours = [entry for entry in entries if _is_ours(entry, manager)]
    if not ours:
        return None
    rest = [dict(entry) for entry in entries if entry not in ours]
    mine = next((entry for entry in rest if _is(entry, manager)), None)
    if mine is None:
        mine = {**ours[0], "manager": manager, "operation": "Apply"}
        rest.append(mine)
    for entry in ours:
        mine["fieldsV1"] = _union(mine.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    return rest


def left_alone(
    inputs: Mapping[str, Any], live: Mapping[str, Any], manager: str, ignored: Sequence[tuple[str | int, ...]]
) -> dict[str, Any]:
    """Return inputs whose ignored fields change nothing: as they are where they are ours, absent where they are not.

    What is inside a list is not looked at, nor is a path with a wildcard.
    """
    entries = live.get("metadata", {}).get("managedFields") or []
    ours = [each.get("fieldsV1") or {} for each in entries if _is(each, manager) or _is_ours(each, manager)]
    result = dict(inputs)
    for path in ignored:
        names = [part for part in path if isinstance(part, str) and part != "*"]
        if len(names) == len(path):
            owned = any(_at(fields, [f"f:{name}" for name in names]) is not None for fields in ours)
            result = _with(result, names, _at(live, names) if owned else None)
    return result


def _at(tree: Mapping[str, Any], names: Sequence[str]) -> object:
    value: object = tree
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _with(tree: Mapping[str, Any], names: Sequence[str], value: object) -> dict[str, Any]:
    """Return a tree with a value at a place, or without one there if it is None. What is no mapping stays."""
    name, *below = names
    rest = {key: each for key, each in tree.items() if key != name}
    if not below:
        return rest if value is None else {**rest, name: value}
    inside = tree.get(name, {})
    if not isinstance(inside, Mapping) or (value is None and name not in tree):
        return dict(tree)
    return {**rest, name: _with(inside, below, value)}


def _is(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")


def _is_ours(entry: Mapping[str, Any], manager: str) -> bool:
    name = str(entry.get("manager"))
    if entry.get("subresource") or (name == manager and entry.get("operation") == "Apply"):
        return False
    return name.startswith("kubectl") or (name.startswith(_OURS) and entry.get("operation") == "Update")


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        before = result.get(key)
        result[key] = _union(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result
