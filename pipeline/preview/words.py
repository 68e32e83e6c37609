"""What changes, in plain words: one line for each component, what its containers do first. Pure."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.labels import DECLARED, process_name
from components.tokens import CONTAINER, IMAGE, NETWORK, REMOTE_IMAGE, VOLUME
from pipeline.console import counted
from pipeline.preview import value, workload
from pipeline.preview.plan import PREFIX, Change, Operation, Plan, State, is_real
from pipeline.preview.value import Mark, Value
from pipeline.preview.workload import Workload, shown

_DEPTH = 3
LONG = 60
"""How long a value may be to be written in full twice, in characters."""

MOST_FACTS = 12
"""How many facts a line holds; the rest is counted."""

_ORDER = ("Web", "Process", "Edge", "Migration", "StaticFiles", "CollectedStatic", "Switch", "Postgres", "Redis")
"""In which order components are told: what visitors see first, the rest by kind and name."""
_SITE = "SLIPWAY_SITE"
_STEPS = {"Migration", "StaticFiles", "CollectedStatic"}
_NAMES = {
    "app": "image of the app",
    "static-files": "static files",
    "collected-static": "static files",
}
_PLAIN = {
    VOLUME: "volume",
    NETWORK: "network",
    REMOTE_IMAGE: "image",
    IMAGE: "image",
    "pulumi:index:Stash": "contents",
}
_PATTERN = re.compile(r'data(?:\.|\[")([^"\]]+)')


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component, and what becomes of it."""

    name: str
    """Its name for people."""
    component: str
    """Its name in the program."""
    kind: str
    """Its kind."""
    operation: Operation
    """What becomes of it as a whole."""
    facts: tuple[str, ...]
    """What changes, in words; the first says what happens."""


def label(component: str, kind: str) -> str:
    """Name a component for people."""
    if kind == "Process":
        return process_name(component) or component
    if kind == "Storage":
        return f"volume {component.removesuffix('-storage').removeprefix('volume-')}"
    if kind == "SecretFiles":
        return f"secrets of {component.removesuffix('-secrets')}"
    if kind == "PulledImage":
        return f"image of {component.removesuffix('-image')}"
    return _NAMES.get(component, component.removeprefix("service-"))


def parts(plan: Plan, secret_files: Mapping[str, Sequence[str]]) -> tuple[Part, ...]:
    """Give every component that changes.

    Args:
        plan: the preview.
        secret_files: names of the secret files of each component of secrets, in the order of the plugin's list.
    """
    grouped: dict[tuple[str, str], list[Change]] = {}
    for change in plan.changes:
        if is_real(change):
            grouped.setdefault((change.component, change.kind), []).append(change)
    web = grouped.get(("web", "Web"), [])
    known = set(_running(web)) if web else set()
    found = []
    for (component, kind), changes in grouped.items():
        operation = _whole(changes)
        if operation is Operation.SAME:
            continue
        facts = _facts(component, kind, changes, secret_files.get(component, ()))
        if kind in _STEPS:
            facts = [each for each in facts if each not in known]  # they run with what web has
        found.append(
            Part(
                name=label(component, kind) if component else changes[0].name,
                component=component,
                kind=kind,
                operation=operation,
                facts=tuple(facts),
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(part: Part) -> tuple[int, str, str]:
    place = _ORDER.index(part.kind) if part.kind in _ORDER else len(_ORDER)
    return place, part.kind, part.name


def _whole(changes: Sequence[Change]) -> Operation:
    """Say what becomes of a component whose resources change like this."""
    done = {each.operation for each in changes}
    if len(done) == 1:
        return done.pop()
    if done <= {Operation.SAME, Operation.CREATE, Operation.DELETE, Operation.UPDATE}:
        return Operation.UPDATE
    return Operation.REPLACE


def _facts(component: str, kind: str, changes: Sequence[Change], files: Sequence[str]) -> list[str]:
    if kind == "SecretFiles":
        return list(_secrets(changes, files))
    running = [each for each in changes if workload.of(each.type, each.after or each.before)]
    other = [each for each in changes if each not in running and each.operation is not Operation.SAME]
    facts = list(_running(running))
    if kind == "AppImage":
        facts += _built(other)
    elif kind == "PulledImage":
        facts += _pulled(other)
    else:
        facts += _others(component, other)
    left = len(facts) - MOST_FACTS
    return [*facts[:MOST_FACTS], f"and {left} more"] if left > 0 else facts


def _running(changes: Sequence[Change]) -> Iterator[str]:
    """Tell what becomes of containers."""
    moved = [each for each in changes if each.operation in {Operation.REPLACE, Operation.UPDATE}]
    told: dict[str, None] = {}
    for operation in (Operation.CREATE, Operation.DELETE):
        some = [each for each in changes if each.operation is operation]
        if some:
            states = [workload.of(each.type, each.after or each.before) for each in some]
            count = sum(each.count for each in states if each)
            what = _containers(count, some[0].type)
            yield f"{what} {_be(count)} {'created' if operation is Operation.CREATE else 'deleted'}"
    for each in moved:
        old, new = workload.of(each.type, each.before), workload.of(each.type, each.after)
        if old and new:
            told |= dict.fromkeys(_differences(old, new) if each.kind != "Switch" else _switched(old, new))
    if moved:
        yield _happens(moved)
    yield from told


def _switched(old: Workload, new: Workload) -> Iterator[str]:
    """Tell what the edge is told: its configuration. Who serves changes each time."""
    before, after = old.environment.get(_SITE), new.environment.get(_SITE)
    if before != after and before is not None and after is not None:
        yield f"configuration of nginx {pair(before, after)}"


def _happens(changes: Sequence[Change]) -> str:
    states = [(workload.of(each.type, each.before), workload.of(each.type, each.after)) for each in changes]
    count = sum(new.count for _, new in states if new)
    what = _containers(count, changes[0].type)
    old, new = states[0]
    if new and new.once:
        release = f" for release {new.release}" if new.release else ""
        return f"runs again{release}"
    if old and new and old.release != new.release:
        return f"{what} {'rolls' if count == 1 else 'roll'} to release {new.release}"
    if changes[0].operation is Operation.UPDATE:
        if changes[0].type == CONTAINER:
            return f"{what} {'changes' if count == 1 else 'change'} in place"
        if changes[0].type.endswith(":StatefulSet"):
            return f"{what} {_be(count)} restarted"
        does = "roll" if changes[0].type.endswith(":Deployment") else "change"
        return f"{what} {does}{'s' if count == 1 else ''}"
    gap = ", the old one first" if changes[0].gap else ""
    return f"{what} {_be(count)} replaced{gap}"


def _containers(count: int, kind: str) -> str:
    word = "container" if kind == CONTAINER else "pod"
    return counted(count, word)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _differences(old: Workload, new: Workload) -> Iterator[str]:
    """Tell what is not as it was. The hash of a declaration says it once more: it is told where nothing else is."""
    told = list(_said_of(old, new))
    yield from told
    if not told and old.release == new.release:
        yield from _between("label", old.labels, new.labels)


def _said_of(old: Workload, new: Workload) -> Iterator[str]:
    if old.count != new.count:
        yield f"replicas {old.count} to {new.count}"
    if old.image != new.image and old.image and new.image and not new.release:
        yield f"image {without_digest(old.image)} to {without_digest(new.image)}"
    yield from _between("environment", old.environment, new.environment, skip={"SLIPWAY_RELEASE"})
    if old.command != new.command:
        yield f"command {pair(_command(old.command), _command(new.command))}"
    yield from _surroundings(old, new)
    for path in sorted({*old.named} & {*new.named}):
        if old.named[path] != new.named[path]:
            yield f"reads other {'secrets' if 'secrets' in path else 'configuration'}"
    yield from _between("mount", old.mounts, new.mounts)
    yield from _between("label", old.labels, new.labels, skip={DECLARED})
    yield from _between("", old.rest, new.rest)


def _surroundings(old: Workload, new: Workload) -> Iterator[str]:
    """Tell what a container may use, and who reaches it."""
    if old.memory_mb != new.memory_mb:
        yield f"memory {old.memory_mb} to {new.memory_mb} MB"
    if old.cpus != new.cpus:
        yield f"CPU {old.cpus:g} to {new.cpus:g}"
    for port in sorted(new.ports - old.ports):
        yield f"publishes {port.address}:{port.number}"
    for port in sorted(old.ports - new.ports):
        yield f"publishes {port.address}:{port.number} no more"
    for name in sorted({*new.networks} - {*old.networks}):
        yield f"joins network {name}"
    for name in sorted({*old.networks} - {*new.networks}):
        yield f"leaves network {name}"


def without_digest(name: str) -> str:
    """Leave out the digest: the tag says enough."""
    return name.partition("@")[0]


def _command(said: Value) -> str:
    return " ".join(shown(each) for each in value.items(said)) or "the image's own"


def _between(
    what: str, old: Mapping[str, Value], new: Mapping[str, Value], skip: set[str] | None = None
) -> Iterator[str]:
    word = f"{what} " if what else ""
    if not what:
        yield from _whole_branches(old, new)
    for name in sorted({*old, *new} - (skip or set())):
        before, after = old.get(name), new.get(name)
        if before == after or (after is Mark.UNKNOWN and before is not None and what != "environment"):
            continue  # what it is made of differs, which is told where it is made
        if not what and (name not in new or name not in old):
            continue
        if name not in new:
            yield f"{word}{name} goes"
        elif name not in old:
            yield f"{word}{name} is new: {shown(after)}" if after not in ("", None) else f"{word}{name} is new"
        elif before is Mark.SECRET or after is Mark.SECRET:
            yield f"{word}{name} changes (secret)"
        else:
            yield f"{word}{name} {pair(before, after)}"


def _whole_branches(old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[str]:
    """Tell of properties that come or go, with their values where they are few."""
    for one, other, done in ((new, old, "is new"), (old, new, "goes")):
        found: dict[str, list[str]] = {}
        for path in sorted({*one} - {*other}):
            if one[path] is not Mark.UNKNOWN:
                found.setdefault(".".join(path.split(".")[:_DEPTH]), []).append(path)
        for branch, paths in found.items():
            single = paths == [branch] and done == "is new" and one[branch] not in ("", None)
            yield f"{branch} {done}{f': {shown(one[branch])}' if single else ''}"


def pair(before: Value, after: Value) -> str:
    """Write what a value was and is. Of long ones, what differs alone."""
    old, new = (each if isinstance(each, str) else shown(each) for each in (before, after))
    if "\n" in old or "\n" in new:
        count = sum(line[:2] in {"+ ", "- "} for line in difflib.ndiff(old.splitlines(), new.splitlines()))
        return f"changes in {counted(count, 'line')}"
    if max(len(old), len(new)) > LONG:
        were, are = (re.split(r"[,\s]+", each) for each in (old, new))
        gone = " ".join(each for each in were if each not in are)
        come = " ".join(each for each in are if each not in were)
        if gone or come:
            return " and ".join(
                [*([f"loses {shown(gone)}"] if gone else []), *([f"gains {shown(come)}"] if come else [])]
            )
    return f"{_quoted(before)} to {_quoted(after)}"


def _quoted(said: Value) -> str:
    """Write a value so that it is seen where it ends."""
    text = shown(said)
    return f'"{text}"' if " " in text and isinstance(said, str) else text


def _secrets(changes: Sequence[Change], files: Sequence[str]) -> Iterator[str]:
    """Name the secret files that differ. No value is known here."""
    done = _whole(changes)
    if done in {Operation.CREATE, Operation.DELETE}:
        yield "made" if done is Operation.CREATE else "deleted"
        return
    names: dict[str, None] = {}
    for change in changes:
        for path in change.differs:
            index = re.match(r"uploads\[(\d+)\]", path)
            named = _PATTERN.match(path)
            if index and int(index[1]) < len(files):
                names[files[int(index[1])]] = None
            elif named:
                names[named[1]] = None
    if names:
        yield f"{', '.join(sorted(names))} {'changes' if len(names) == 1 else 'change'} (values are not shown)"
    else:
        yield "contents change (values are not shown)"


def _built(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if change.type != IMAGE:
            continue
        old, new = (tag(state) for state in (change.before, change.after))
        if new and old != new:
            yield f"{new} is built" + (f", instead of {old}" if old else "")
        elif change.operation is Operation.DELETE:
            yield f"{old} is no longer managed"
        else:
            yield f"{new} is built again"


def tag(state: State | None) -> str:
    """Give the name of an image that is built."""
    return value.text(next(iter(value.items(state.inputs.get("tags"))), None)) if state else ""


def _pulled(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        old, new = (value.text(state.inputs.get("name")) if state else "" for state in (change.before, change.after))
        if old and new:
            yield f"{without_digest(old)} to {without_digest(new)}"
        else:
            yield f"{without_digest(new)} is pulled" if new else f"{without_digest(old)} is no longer needed"


_DONE = {
    Operation.CREATE: "is created",
    Operation.DELETE: "is deleted",
    Operation.REPLACE: "is replaced",
    Operation.UPDATE: "changes",
}


def _others(component: str, changes: Sequence[Change]) -> Iterator[str]:
    """Tell of what runs nothing: networks, volumes, objects of a cluster."""
    grouped: dict[tuple[str, Operation], list[Change]] = {}
    for change in changes:
        grouped.setdefault((change.type, change.operation), []).append(change)
    for (kind, operation), some in sorted(grouped.items()):
        word = _PLAIN.get(kind, kind.rpartition(":")[2])
        shown_names = {_named(each, component) for each in some}
        names = ", ".join(sorted(each for each in shown_names if each and not word.lower().endswith(each)))
        done = _DONE[operation].replace("is ", "are ") if len(some) > 1 else _DONE[operation]
        done = "change" if len(some) > 1 and operation is Operation.UPDATE else done
        word = word if len(some) == 1 else _plural(word)
        yield f"{word}{f' {names}' if names else ''} {done}"
        for each in some:
            if operation in {Operation.UPDATE, Operation.REPLACE} and each.before and each.after:
                yield from _properties(each.before, each.after)


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _named(change: Change, component: str) -> str:
    return change.name.removeprefix(f"{component}-").removeprefix("networks-")


def _properties(old: State, new: State) -> Iterator[str]:
    before, after = (dict(value.leaves(_shown(state.inputs))) for state in (old, new))
    yield from _between("", before, after)


def _shown(inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out what Pulumi made up."""
    metadata = dict(value.mapping(inputs.get("metadata")))
    if value.at(metadata, "annotations", "pulumi.com/autonamed") == "true":
        metadata.pop("name", None)
    given = [value.text(each) for each in value.items(inputs.get("__defaults"))]
    rest = {key: each for key, each in inputs.items() if not key.startswith("__") and key not in given}
    return {**rest, "metadata": metadata} if metadata else rest


def details(plan: Plan) -> tuple[str, ...]:
    """Give every change of every resource, property by property: for those who want to see all of it."""
    lines = []
    for change in plan.changes:
        if not is_real(change) or change.operation is Operation.SAME:
            continue
        lines.append(f"{change.operation.value:<8}{change.type.removeprefix(PREFIX)} {change.name}")
        old, new = workload.of(change.type, change.before), workload.of(change.type, change.after)
        if old and new:
            told = _switched(old, new) if change.kind == "Switch" else _differences(old, new)
            lines += [f"          {each}" for each in told]
        elif change.before and change.after:
            lines += [f"          {each}" for each in _properties(change.before, change.after)]
    return tuple(lines)
