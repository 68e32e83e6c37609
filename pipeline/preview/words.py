"""What changes, in plain words: one line for each component, what its containers do first. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.environment import EXPORTED
from components.labels import process_name
from components.tokens import CONTAINER, IMAGE
from pipeline.console import counted
from pipeline.preview import difference, objects, value, workload
from pipeline.preview.plan import Change, Operation, Plan, State, is_real
from pipeline.preview.workload import Workload
from pipeline.reference import without_digest

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
        return f"image of {component.removesuffix('-image').removeprefix('service-')}"
    if kind == "Namespace":
        return "namespace"
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
    elif not (running and _whole(changes) in {Operation.CREATE, Operation.DELETE}):  # else it comes or goes with them
        if any(each.type.endswith(":ConfigMap") for each in other):
            facts = [each for each in facts if each != "gets changed configuration"]  # what changes in it follows
        facts += objects.facts(component, kind, other)
    left = len(facts) - MOST_FACTS
    return [*facts[:MOST_FACTS], f"and {left} more"] if left > 0 else facts


def _running(changes: Sequence[Change]) -> Iterator[str]:
    """Tell what becomes of containers."""
    moved = [each for each in changes if each.operation in {Operation.REPLACE, Operation.UPDATE}]
    before, after = (_count(changes, before=each) for each in (True, False))
    come_or_go = [each for each in changes if each.operation in {Operation.CREATE, Operation.DELETE}]
    if moved:
        yield _happens(moved, after)
    if come_or_go and before and after:
        yield (
            f"replicas {before} to {after}"
            if moved
            else f"scales from {before} to {_containers(after, changes[0].type)}"
        )
    elif come_or_go:
        operation = come_or_go[0].operation
        done = "created" if operation is Operation.CREATE else "deleted"
        count = _count(come_or_go, before=operation is Operation.DELETE)
        yield f"{_containers(count, come_or_go[0].type)} {_be(count)} {done}{_clock(come_or_go[0])}"
    told: dict[str, None] = {}
    for each in moved:
        old, new = workload.of(each.type, each.before), workload.of(each.type, each.after)
        if old and new:
            told |= dict.fromkeys(difference.workloads(old, new) if each.kind != "Switch" else switched(old, new))
    yield from (fact for fact in told if not (fact.startswith("replicas ") and not any(each.rolls for each in moved)))


def _count(changes: Sequence[Change], *, before: bool) -> int:
    states = (workload.of(each.type, each.before if before else each.after) for each in changes)
    return sum(each.count for each in states if each)


def _clock(change: Change) -> str:
    """Say when something runs that runs by the clock."""
    schedule = value.text(value.at(dict(change.after.inputs), "spec", "schedule")) if change.after else ""
    return f", runs at {schedule}" if schedule else ""


def switched(old: Workload, new: Workload) -> Iterator[str]:
    """Tell what the edge is told: its configuration. Who serves changes each time."""
    before, after = old.environment.get(_SITE), new.environment.get(_SITE)
    if before != after and before is not None and after is not None:
        yield f"configuration of nginx {difference.pair(before, after)}"


def _happens(changes: Sequence[Change], count: int) -> str:
    what = _containers(count, changes[0].type)
    old, new = (workload.of(changes[0].type, each) for each in (changes[0].before, changes[0].after))
    if new and new.once:
        release = f" for release {new.release}" if new.release else ""
        return f"runs again{release}"
    roll = "rolls" if count == 1 else "roll"
    if old and new and old.release != new.release:
        return f"{what} {roll} to release {new.release}"
    if changes[0].operation is Operation.UPDATE:
        return _updated(changes[0], what, count)
    return f"{what} {_be(count)} replaced, the old one first" if changes[0].gap else f"{what} {roll}"


def _updated(change: Change, what: str, count: int) -> str:
    """Say what becomes of containers whose object stays."""
    if change.type == CONTAINER:
        return f"{what} {'changes' if count == 1 else 'change'} in place"
    if not change.rolls:
        before = _count([change], before=True)
        return f"scales from {before} to {what}" if before != count else f"{what} {'stays' if count == 1 else 'stay'}"
    if change.type.endswith(":StatefulSet"):
        return f"{what} {_be(count)} restarted"
    does = "roll" if change.type.endswith(":Deployment") else "change"
    return f"{what} {does}{'s' if count == 1 else ''}"


def _containers(count: int, kind: str) -> str:
    word = "container" if kind == CONTAINER else "pod"
    return counted(count, word)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _secrets(changes: Sequence[Change], files: Sequence[str]) -> Iterator[str]:
    """Name the secret files that differ. No value is known here."""
    whole = _whole(changes)
    if whole in {Operation.CREATE, Operation.DELETE}:
        yield "made" if whole is Operation.CREATE else "deleted"
        return
    names: dict[str, set[str]] = {}
    gone: set[str] = set()
    for change in changes:
        for path, how in change.differs.items():
            done = _HOW.get(how, "changes")
            index = re.match(r"uploads\[(\d+)\]", path)
            named = _PATTERN.match(path)
            if index and done == "goes":  # its place is in the old list, and the names are of the new one
                gone.add(path)
            elif index and int(index[1]) < len(files):
                names.setdefault(done, set()).add(_secret(files[int(index[1])]))
            elif named:
                names.setdefault(done, set()).add(_secret(named[1]))
    said = [
        f"{', '.join(sorted(some))} {how if len(some) == 1 else _SEVERAL[how]}" for how, some in sorted(names.items())
    ]
    if gone:
        said.append(f"{len(gone)} {'goes' if len(gone) == 1 else 'go'}")
    yield f"{', '.join(said) or 'contents change'} (values are not shown)"


_HOW = {"add": "is new", "add-replace": "is new", "delete": "goes", "delete-replace": "goes"}
"""What the plugin calls it, and what people do."""


_SEVERAL = {"is new": "are new", "goes": "go", "changes": "change"}


def _secret(file: str) -> str:
    """Name a secret as the file of the stack does."""
    return "the file of variables with secrets" if file == EXPORTED else file.removeprefix("secrets.")


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
            yield (f"{without_digest(new)} is pulled" if new else f"{without_digest(old)} is no longer needed")
