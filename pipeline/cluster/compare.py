"""What of an object on a cluster is not as it was declared. Pure.

What was declared is a part of what is there: the API fills in the rest, and controllers write beside it. So each declared
field is looked up in the live object; and of what nobody declared, only that is a difference which somebody has set, who
is neither Pulumi nor Kubernetes itself. Both are told by ``managedFields``: the API server notes there who has set which
field, and by which of its fields it tells the items of a list apart. No table of kinds and fields is needed.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from components.tokens import encrypted
from pipeline.cluster.quantity import amount

Json = Mapping[str, Any]

MANAGER = "slipway"
"""The name under which healing takes fields away; where the API has a default, that is then set under this name."""
_OURS = ("pulumi-kubernetes", "pulumi-resource-kubernetes", MANAGER)
"""How the names begin under which Pulumi's plugin and healing set fields."""
PERSON = "kubectl"
"""How the names begin under which a person at a terminal sets them."""
_KUBERNETES = re.compile(r"kube-|kubelet$|cloud-controller-manager$")
RESTARTED = "kubectl.kubernetes.io/restartedAt"
_NOTES = frozenset({RESTARTED, "kubectl.kubernetes.io/last-applied-configuration"})
"""Annotations that declare nothing: when somebody had the pods started again, and what ``kubectl apply`` was given."""
_MAPS = frozenset({"annotations", "labels"})
"""Maps that several may write to: each entry for itself."""
_QUANTITIES = frozenset({"capacity", "default", "defaultRequest", "hard", "limits", "max", "min", "requests"})
"""Maps whose values are quantities, which may be spelled in several ways."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True)
class Step:
    """One step on the way to a field."""

    text: str
    """As it is written: ``.image``, ``[web]``."""
    key: str
    """As the live object has it: a key, or the index in a list."""


Path = tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field that is not as it was declared; None stands for nothing."""

    path: Path
    declared: Any
    found: Any

    @property
    def text(self) -> str:
        """The field as ``kubectl explain`` has it, with the items of lists by their names."""
        return "".join(step.text for step in self.path).removeprefix(".")

    @property
    def plain(self) -> bool:
        """Whether it is one value."""
        return not isinstance(self.found, Mapping | list)

    @property
    def pointer(self) -> str:
        """Where it is in the live object, as a JSON patch wants it."""
        return "".join("/" + step.key.replace("~", "~0").replace("/", "~1") for step in self.path)


def changes(declared: Json, live: Json, ignored: Sequence[str] = ()) -> list[Change]:
    """Compare what was declared of an object with the object.

    Args:
        declared: the inputs that Pulumi gave; what is encrypted in them is left out.
        live: what the API server gave.
        ignored: fields that are left to others, such as ``spec.replicas``.
    """
    shape: dict[str, Any] = {}
    for entry in _entries(live):
        shape = _merged(shape, entry.get("fieldsV1") or {})
    found = {each.text: each for each in _declared(declared, live, shape, ())}
    for each in _added(declared, live):
        found.setdefault(each.text, each)
    return [each for text, each in found.items() if not any(_within(text, one) for one in ignored)]


def _added(declared: Json, live: Json) -> Iterator[Change]:
    """Find what others have set and nobody declared."""
    for entry in others(live):
        fields = dict(entry.get("fieldsV1") or {})
        if not str(entry.get("manager")).startswith(PERSON):
            fields.pop("f:metadata", None)  # where controllers keep their notes
        yield from _undeclared(fields, declared, live, ())


def filled_in(change: Change, live: Json) -> bool:
    """Whether an object from which the field was taken away has the same there: then it is what the API fills in."""
    value: Any = live
    for each in change.path:
        if isinstance(value, list) and each.key.isdigit() and int(each.key) < len(value):
            value = value[int(each.key)]
        else:
            value = _at(value, each.key)
    return bool(value == change.found)


def others(live: Json) -> list[Json]:
    """Give the entries of whoever has set fields of an object and is neither Pulumi nor Kubernetes itself."""
    return [
        entry
        for entry in _entries(live)
        if not str(entry.get("manager")).startswith(_OURS) and not _KUBERNETES.match(str(entry.get("manager")))
    ]


def only_ours(live: Json) -> bool:
    """Whether nobody but Pulumi has set fields of an object."""
    return all(str(entry.get("manager")).startswith(_OURS) for entry in _entries(live))


def _entries(live: Json) -> list[Json]:
    """Give who has set what. What was set through ``status`` and ``scale`` is no part of a declaration."""
    return [each for each in (live.get("metadata") or {}).get("managedFields") or [] if not each.get("subresource")]


def _within(text: str, field: str) -> bool:
    return text == field or text.startswith((f"{field}.", f"{field}["))


def _merged(one: Json, other: Json) -> dict[str, Any]:
    return {**one, **{key: _merged(one.get(key) or {}, value) for key, value in other.items()}}


def step(name: str) -> Step:
    """Go to a key of a map."""
    return Step(f".{name}" if _PLAIN.fullmatch(name) else f"[{name}]", name)


# ---------------------------------------------------------------------------------------------------------------------
# What was declared, looked up in what is there.


def _declared(one: Any, other: Any, shape: Json, path: Path) -> Iterator[Change]:  # noqa: ANN401 - any JSON
    if one is None or encrypted(one):
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key, value in one.items():
            yield from _declared(value, other.get(key), shape.get(f"f:{key}") or {}, (*path, step(key)))
    elif isinstance(one, list) and isinstance(other, list):
        yield from _lists(one, other, shape, path)
    elif not (other is None and one in ({}, [])) and not _same(one, other, path):
        yield Change(path=path, declared=one, found=other)


def _lists(one: Sequence[Any], other: Sequence[Any], shape: Json, path: Path) -> Iterator[Change]:
    keys = [key for key in shape if key.startswith("k:")]
    if keys:
        names = list(json.loads(keys[0][2:]))
        for item in one:
            wanted = {name: item[name] for name in names if name in item}
            key = next((each for each in keys if _fits(json.loads(each[2:]), wanted)), "")
            index = next((number for number, each in enumerate(other) if _fits(each, wanted)), None)
            there = None if index is None else other[index]
            yield from _declared(item, there, shape.get(key) or {}, (*path, _item(wanted, index)))
    elif any(key.startswith("v:") for key in shape):
        missing = [each for each in one if each not in other]
        yield from (Change(path=(*path, Step(f"[{each}]", "-")), declared=each, found=None) for each in missing)
    elif any(not isinstance(each, Mapping) for each in [*one, *other]):
        if list(one) != list(other):
            yield Change(path=path, declared=one, found=other)
    else:
        for index, (item, there) in enumerate(zip_longest(one, other)):
            at = (*path, Step(f"[{index}]", str(index)))
            if item is None:
                yield Change(path=at, declared=None, found=there)
            else:
                yield from _declared(item, there, {}, at)


def _fits(item: Json, wanted: Json) -> bool:
    return all(item.get(name) == value for name, value in wanted.items())


def _item(wanted: Json, index: int | None) -> Step:
    return Step(f"[{'/'.join(str(value) for value in wanted.values())}]", "-" if index is None else str(index))


def _same(one: Any, other: Any, path: Path) -> bool:  # noqa: ANN401 - any JSON
    if isinstance(one, bool) or isinstance(other, bool) or other is None:
        return one is other
    if len(path) > 1 and path[-2].key in _QUANTITIES:
        try:
            return amount(one) == amount(other)
        except ValueError:
            return bool(one == other)
    return bool(one == other)


# ---------------------------------------------------------------------------------------------------------------------
# What somebody has set, looked up in what was declared.


def _undeclared(fields: Json, one: Any, other: Any, path: Path) -> Iterator[Change]:  # noqa: ANN401 - any JSON
    for name, below in fields.items():
        at, wanted, there = _looked_up(name, one, other)
        if at is None or there is None or at.key in _NOTES or encrypted(wanted):
            continue
        here = (*path, at)
        inner = {key: value for key, value in below.items() if key != "."}
        each_for_itself = at.key in _MAPS or any(not key.startswith("f:") for key in inner)
        if wanted is None and (not inner or ("." in below and not each_for_itself)):
            yield Change(path=here, declared=None, found=there)
        elif inner:
            yield from _undeclared(inner, wanted, there, here)
        else:  # one value to the API, however much is in it
            yield from _more(wanted, there, here)


def _looked_up(name: str, one: Any, other: Any) -> tuple[Step | None, Any, Any]:  # noqa: ANN401 - any JSON
    """Give the step that an entry of managedFields names, with what was declared there and what is."""
    kind, _, rest = name.partition(":")
    if kind == "f":
        return step(rest), _at(one, rest), _at(other, rest)
    if not isinstance(other, list) or kind not in ("k", "v"):
        return None, None, None
    key = json.loads(rest)
    if kind == "v":
        index = other.index(key) if key in other else None
        known = isinstance(one, list) and key in one
        return Step(f"[{key}]", str(index)), key if known else None, key if index is not None else None
    index = next((number for number, each in enumerate(other) if _fits(each, key)), None)
    wanted = next(
        (each for each in one or [] if all(each.get(part, value) == value for part, value in key.items())), None
    )
    return _item(key, index), wanted, None if index is None else other[index]


def _at(value: Any, key: str) -> Any:  # noqa: ANN401 - any JSON
    return value.get(key) if isinstance(value, Mapping) else None


def _more(one: Any, other: Any, path: Path) -> Iterator[Change]:  # noqa: ANN401 - any JSON
    """Find what is in a value beside what was declared of it."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key, value in other.items():
            at = (*path, step(key))
            if one.get(key) is None:
                yield Change(path=at, declared=None, found=value)
            else:
                yield from _more(one[key], value, at)
    elif isinstance(one, list) and isinstance(other, list):
        for index, (item, there) in enumerate(zip(one, other, strict=False)):
            yield from _more(item, there, (*path, Step(f"[{index}]", str(index))))
