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
