"""What differs between two workloads or two sets of properties, in words. Pure.

Of long values it tells what differs alone, and of values that Pulumi makes up nothing.
"""

import difflib
import re
from collections.abc import Iterator, Mapping

from components.labels import DECLARED
from pipeline.console import counted
from pipeline.preview import value
from pipeline.preview.value import Mark, Value
from pipeline.preview.workload import Workload, shown
from pipeline.reference import without_digest

_DEPTH = 3
LONG = 60
"""How long a value may be to be written in full twice, in characters."""

_MOST_WORDS = 4
"""How many changed words of a command line are told; the rest is counted."""

_PROBE = re.compile(r"container\.(?:startup|readiness|liveness)Probe\.|healthcheck\.tests")


def workloads(old: Workload, new: Workload) -> Iterator[str]:
    """Tell in what containers differ. The hash of a declaration says it once more: it is told where nothing else is."""
    told = list(_workloads(old, new))
    yield from told
    if not told and old.release == new.release:
        yield from between("label", old.labels, new.labels)


def _workloads(old: Workload, new: Workload) -> Iterator[str]:
    if old.count != new.count:
        yield f"replicas {old.count} to {new.count}"
    if old.image != new.image and old.image and new.image and not new.release:
        yield f"image {without_digest(old.image)} to {without_digest(new.image)}"
    yield from between("environment", old.environment, new.environment, skip={"SLIPWAY_RELEASE"})
    if old.command != new.command:
        yield from _commands(old.command, new.command)
    yield from _surroundings(old, new)
    for path in sorted({*old.named} & {*new.named}):
        if old.named[path] != new.named[path]:
            yield "gets changed secrets" if "secrets" in path else "gets changed configuration"
    yield from between("mount", old.mounts, new.mounts)
    yield from between("label", old.labels, new.labels, skip={DECLARED})
    yield from between("", old.rest, new.rest)


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


def _commands(old: Value, new: Value) -> Iterator[str]:
    """Tell which words of a command line differ: `--workers=1 to 2`."""
    were, are = (value.items(each) for each in (old, new))
    before, after = ([part for word in each for part in shown(word).split(" ")] for each in (were, are))
    if not before or not after or len(before) != len(after):
        yield f"command {pair(' '.join(before) or _OWN, ' '.join(after) or _OWN)}"
        return
    said = []
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        if one == other:
            continue
        name, is_option, rest = other.partition("=")
        flag = before[index - 1] if index and before[index - 1].startswith("-") else ""
        if is_option and one.startswith(f"{name}="):
            said.append(f"{name} {one.partition('=')[2]} to {rest}")
        else:
            said.append(f"{flag} {one} to {other}".strip())
    left = len(said) - _MOST_WORDS
    yield from (f"command {each}" for each in said[:_MOST_WORDS])
    if left > 0:
        yield f"and {left} more words of the command"


_OWN = "the image's own"


def between(
    what: str, old: Mapping[str, Value], new: Mapping[str, Value], skip: set[str] | None = None
) -> Iterator[str]:
    """Tell in what two sets of properties differ; ``what`` they are, nothing for properties of objects."""
    word = f"{what} " if what else ""
    if not what:
        yield from _whole_branches(old, new)
        old, new = _probes(old, new)
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
            yield f"{word}{_CALLED.get(name, name)} {pair(before, after)}"


_CALLED = {"shmSize": "shared memory in MB"}
"""Properties that have a name of their own for people."""


def _probes(old: Mapping[str, Value], new: Mapping[str, Value]) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    """Put what three probes of a pod say alike into one: they ask the same page."""
    both = []
    for one, other in ((old, new), (new, old)):
        found: dict[str, Value] = {}
        for path, each in one.items():
            differs = path in other and other[path] != each
            name = _PROBE.sub("", path) if differs else path
            found["health check" if differs and name != path else path] = each
        both.append(found)
    return both[0], both[1]


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
        signs = [line[:2] for line in difflib.ndiff(old.splitlines(), new.splitlines())]
        return f"changes in {counted(max(signs.count('+ '), signs.count('- ')), 'line')}"
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
