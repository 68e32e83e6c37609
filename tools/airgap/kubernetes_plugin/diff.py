"""Diff: how checked inputs differ from the recorded object, and whether that needs a new one. Pure.

What counts is the recorded live object cut down to what the program said the last time: what the API or somebody else
filled in beside it is no difference.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tools.airgap.kubernetes_plugin.check import is_autonamed, prepared
from tools.airgap.kubernetes_plugin.kinds import Kind, Listed, replaced_by
from tools.airgap.plugin.wire import UNKNOWN

INPUTS: Final = "__inputs"
"""Where a state keeps the inputs of the last time."""

Path = tuple[str | int, ...]


class Change(StrEnum):
    """What happens to one property."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that Diff answers."""

    changes: Mapping[str, Change] = field(default_factory=dict)
    replaces: Sequence[str] = ()
    """The paths of those changes that need a new object."""
    delete_first: bool = False


def diff(  # noqa: PLR0913 - what a difference depends on
    kind: Kind,
    state: Mapping[str, Any],
    news: Mapping[str, Any],
    *,
    namespaced: bool,
    ignored: Sequence[str] = (),
    mutable: frozenset[str] = frozenset(),
) -> Difference:
    """Compare the recorded state with checked inputs."""
    old_inputs, live = old_and_live(kind, state)
    new = _comparable(prepared(kind, news), namespaced=namespaced)
    before = _comparable(pruned(live, _comparable(old_inputs, namespaced=namespaced)), namespaced=namespaced)
    live_metadata, new_metadata = _metadata(live), _metadata(new)
    if new_metadata.get("name") and "name" in live_metadata:
        before = {**before, "metadata": {**_metadata(before), "name": live_metadata["name"]}}
    listed = replaced_by(kind, new, mutable=mutable)
    skipped = [parsed(path) for path in ignored]
    changes, replaces = {}, []
    for path, change, value in _changes(before, new):
        if any(_covers(skip, path) for skip in skipped):
            continue
        text = written(path)
        changes[text] = change
        if (path == ("metadata",) and change is Change.DELETE) or any(_touches(path, value, entry) for entry in listed):
            replaces.append(text)
    delete_first = bool(replaces) and keeps_its_name(live, new, namespaced=namespaced)
    return Difference(changes=changes, replaces=sorted(replaces), delete_first=delete_first)


def keeps_its_name(live: Mapping[str, Any], news: Mapping[str, Any], *, namespaced: bool) -> bool:
    """Say whether the old object is in the way of a new one: the program names both, and gives the same name."""
    old, new = _metadata(live), _metadata(news)
    named = bool(new.get("name")) and not is_autonamed(new)
    return named and _place(new, namespaced=namespaced) == _place(old, namespaced=namespaced)


def old_and_live(kind: Kind, state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs of the last time and the live object that a state holds, both normalised."""
    if set(state) == {"inputs", "live"}:
        inputs, live = state["inputs"], state["live"]
    else:
        inputs, live = state.get(INPUTS) or {}, state
    return prepared(kind, inputs), prepared(kind, live)


def pruned(live: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    """Cut an object down to the shape of another."""
    return {key: _pruned(live[key], wanted) for key, wanted in shape.items() if key in live}


def _pruned(live: Any, shape: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(live, dict) and isinstance(shape, dict):
        return pruned(live, shape)
    if isinstance(live, list) and isinstance(shape, list):
        if not live or not shape:
            return []
        if type(live[0]) is not type(shape[0]):
            return live
        return [_pruned(element, wanted) for element, wanted in zip(live, shape, strict=False)]
    return live


def written(path: Path) -> str:
    """Write a path as Pulumi does: `spec.containers[0].image`, `metadata.labels["a.b/c"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.search(r'[."\[\]]', part):
            text += f"[{json.dumps(part)}]"
        else:
            text += f".{part}" if text else part
    return text


def _comparable(values: Mapping[str, Any], *, namespaced: bool) -> dict[str, Any]:
    metadata = values.get("metadata")
    if not isinstance(metadata, dict):
        return dict(values)
    kept = {key: value for key, value in metadata.items() if key not in {"resourceVersion", "namespace"}}
    if namespaced:
        kept["namespace"] = metadata.get("namespace") or "default"
    return {**values, "metadata": kept}


def _metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    metadata = values.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _place(metadata: Mapping[str, Any], *, namespaced: bool) -> tuple[Any, Any]:
    return metadata.get("name"), (metadata.get("namespace") or "default") if namespaced else None


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Path, Change, Any]]:
    """Walk through two objects; give each change with what it changes to (None for nothing)."""
    yield from _in_maps((), old, new)


def _in_maps(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Path, Change, Any]]:
    for key in [*new, *(key for key in old if key not in new)]:
        yield from _in_values((*path, key), old.get(key), new.get(key))


def _in_values(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Change, Any]]:  # noqa: ANN401 - any JSON value
    if new is UNKNOWN:
        yield path, Change.ADD if old is None else Change.UPDATE, new
    elif _equal(old, new):
        return
    elif new is None:
        yield path, Change.DELETE, None
    elif old is None:
        yield path, Change.ADD, new
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _in_maps(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _in_values((*path, index), before, after)
    else:
        yield path, Change.UPDATE, new


def _equal(old: Any, new: Any) -> bool:  # noqa: ANN401 - any JSON value
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _touches(path: Path, value: Any, listed: Listed) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether a change at a path is one of a listed path: at it, below it, or above it with it inside."""
    for part, wanted in zip(path, listed, strict=False):
        if isinstance(part, int) != (wanted == "*") or wanted not in {"*", part}:
            return False
    return len(path) >= len(listed) or _holds(value, listed[len(path) :])


def _holds(value: Any, rest: Listed) -> bool:  # noqa: ANN401 - any JSON value
    if not rest:
        return True
    if rest[0] == "*":
        return isinstance(value, list) and any(_holds(element, rest[1:]) for element in value)
    return isinstance(value, dict) and rest[0] in value and _holds(value[rest[0]], rest[1:])


def parsed(path: str) -> Path:
    """Read a path as Pulumi writes it."""
    parts: list[str | int] = []
    for quoted, index, plain in re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)', path):
        parts.append(
            json.loads(f'"{quoted}"') if quoted else (int(index) if index.isdigit() else index) if index else plain
        )
    return tuple(parts)


def _covers(ignored: Path, path: Path) -> bool:
    return len(path) >= len(ignored) and all(wanted in {"*", part} for wanted, part in zip(ignored, path, strict=False))
