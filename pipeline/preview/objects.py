"""What changes of what runs nothing: networks, volumes, limits and objects of a cluster, in plain words. Pure.

What only follows from something else is not told: budgets of disruptions, names that Pulumi makes up, identities.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from components.labels import process_name
from components.tokens import IMAGE, NETWORK, REMOTE_IMAGE, VOLUME
from pipeline.console import counted
from pipeline.preview import difference, value, workload
from pipeline.preview.plan import Change, Operation, State
from pipeline.preview.value import Value

_PLAIN = {
    VOLUME: "volume",
    NETWORK: "network",
    REMOTE_IMAGE: "image",
    IMAGE: "image",
    "pulumi:index:Stash": "contents",
    "PersistentVolumeClaim": "volume",
}
_DONE = {
    Operation.CREATE: "is created",
    Operation.DELETE: "is deleted",
    Operation.REPLACE: "is replaced",
    Operation.UPDATE: "changes",
}
_CONNECTION = re.compile(r"(?P<client>.+?)-to-(?P<server>.+?)(?:-(?P<port>\d+))?-(?:in|out)")
"""How a rule of the network is named that lets one component talk to another."""
_MOST = 4
"""How many connections are told; of more, how many there are."""
_IDENTITY = "data.status.conf"
"""A file of the edge's configuration that holds nothing but the identity of the rest."""


def facts(component: str, kind: str, changes: Sequence[Change]) -> Iterator[str]:
    """Tell what becomes of a component's objects."""
    left = []
    told: dict[str, list[Change]] = {}
    for change in changes:
        name = change.type.rpartition(":")[2]
        if name in _TOLD and (name != "NetworkPolicy" or _connection(change, component)):
            told.setdefault(name, []).append(change)
        elif name != "PodDisruptionBudget" and not _is_switch(kind, change) and not _is_told(kind, change):
            left.append(change)
    for name, some in sorted(told.items()):
        yield from _TOLD[name](some, component)
    yield from _others(component, left)


def _is_switch(kind: str, change: Change) -> bool:
    """Whether this is how the switch does its work: visitors are led to another release."""
    return kind == "Switch" and change.operation in {Operation.UPDATE, Operation.REPLACE}


def _is_told(kind: str, change: Change) -> bool:
    """Whether this is a volume that comes or goes, which is all that its component is."""
    return kind == "Storage" and change.operation in {Operation.CREATE, Operation.DELETE}


# What has words of its own --------------------------------------------------------------------------------------------


def _quota(changes: Sequence[Change], _component: str) -> Iterator[str]:
    """Tell how much everything in the namespace may take."""
    for change in changes:
        old, new = (
            value.mapping(value.at(dict(state.inputs), "spec", "hard")) if state else {}
            for state in (change.before, change.after)
        )
        said = [
            f"{words} {write(old[key])} to {write(new[key])}{unit}"
            for key, words, write, unit in _LIMITS
            if key in old and key in new and old[key] != new[key]
        ]
        if said:
            yield f"limits follow: {', '.join(said)}"
        elif change.operation is not Operation.UPDATE:
            yield f"quota {_DONE[change.operation]}"


def _cores(each: Value) -> str:
    return f"{workload.cores(each):g}"


def _megabytes(each: Value) -> str:
    return f"{workload.megabytes(each):g}"


def _gigabytes(each: Value) -> str:
    return f"{workload.megabytes(each) / 1024:g}"


def _number(each: Value) -> str:
    return str(each)


_LIMITS: tuple[tuple[str, str, Callable[[Value], str], str], ...] = (
    ("limits.cpu", "CPU", _cores, " cores"),
    ("limits.memory", "memory", _megabytes, " MB"),
    ("pods", "pods", _number, ""),
    ("requests.storage", "storage", _gigabytes, " GB"),
)
"""Limits of a namespace that say something: what is asked for goes with what may be taken."""


def _connection(change: Change, component: str) -> tuple[str, str] | None:
    """Give who may talk to whom by a rule that comes or goes."""
    found = _CONNECTION.fullmatch(_named(change, component))
    if found is None or change.operation not in {Operation.CREATE, Operation.DELETE}:
        return None
    return _talker(found["client"]), _talker(found["server"])


def _talker(component: str) -> str:
    return process_name(component) or component.removeprefix("service-")


def _connections(changes: Sequence[Change], component: str) -> Iterator[str]:
    """Tell who may talk to whom, and who may no more."""
    for operation, words in ((Operation.CREATE, "opens"), (Operation.DELETE, "closes")):
        some = [each for each in changes if each.operation is operation]
        clients: dict[str, list[str]] = {}
        for pair in sorted({pair for each in some if (pair := _connection(each, component))}):
            clients.setdefault(pair[1], []).append(pair[0])
        count = sum(len(each) for each in clients.values())
        by_client: dict[str, list[str]] = {}
        for server, each in clients.items():
            by_client.setdefault(listed(each), []).append(server)
        if len(by_client) > _MOST:
            yield f"{words} {counted(count, 'connection')} between components"
        else:
            yield from (f"{words} {client} to {listed(servers)}" for client, servers in sorted(by_client.items()))


def listed(names: Sequence[str]) -> str:
    """Write several names as people do."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _scaler(changes: Sequence[Change], _component: str) -> Iterator[str]:
    """Tell between which numbers the load decides."""
    for change in changes:
        spec = value.mapping(change.after.inputs.get("spec")) if change.after else {}
        least, most = (int(value.number(spec.get(key))) for key in ("minReplicas", "maxReplicas"))
        yield f"scales by itself, {least} to {most} pods" if change.after else "scales by itself no more"


def _claims(changes: Sequence[Change], _component: str) -> Iterator[str]:
    """Tell how a volume's size changes."""
    for change in changes:
        sizes = claim_sizes(change)
        if change.operation is Operation.UPDATE and sizes is not None:
            yield f"{'grows' if sizes[1] > sizes[0] else 'shrinks'} from {sizes[0]:g} to {sizes[1]:g} GB"
        elif not _is_told(change.kind, change):
            yield from _others("", [change])


def claim_sizes(change: Change) -> tuple[float, float] | None:
    """Give the sizes of a claim before and after, in GiB; None where they are the same."""
    old, new = (
        workload.megabytes(value.at(dict(state.inputs), "spec", "resources", "requests", "storage")) / 1024
        if state
        else 0
        for state in (change.before, change.after)
    )
    return (old, new) if old and new and old != new else None


_TOLD: Mapping[str, Callable[[Sequence[Change], str], Iterator[str]]] = {
    "ResourceQuota": _quota,
    "NetworkPolicy": _connections,
    "HorizontalPodAutoscaler": _scaler,
    "PersistentVolumeClaim": _claims,
}
"""Who tells of what."""


# The rest -------------------------------------------------------------------------------------------------------------


def _others(component: str, changes: Sequence[Change]) -> Iterator[str]:
    grouped: dict[tuple[str, Operation], list[Change]] = {}
    for change in changes:
        grouped.setdefault((change.type, change.operation), []).append(change)
    for (kind, operation), some in sorted(grouped.items()):
        if _is_configuration(some):
            yield from (fact for each in some for fact in _files(each))
            continue
        word = _PLAIN.get(kind, _PLAIN.get(kind.rpartition(":")[2], kind.rpartition(":")[2]))
        called = {_named(each, component) for each in some}
        said = ", ".join(sorted(each for each in called if each and not word.lower().endswith(each)))
        done = _DONE[operation].replace("is ", "are ") if len(some) > 1 else _DONE[operation]
        done = "change" if len(some) > 1 and operation is Operation.UPDATE else done
        word = word if len(some) == 1 else _plural(word)
        yield f"{word}{f' {said}' if said else ''} {done}"
        for each in some:
            if operation in {Operation.UPDATE, Operation.REPLACE} and each.before and each.after:
                yield from properties(each.before, each.after)


def _is_configuration(changes: Sequence[Change]) -> bool:
    """Whether these are files of a configuration that stay, with another content."""
    return all(each.type.endswith(":ConfigMap") and each.before and each.after for each in changes)


def _files(change: Change) -> Iterator[str]:
    if change.before and change.after:
        for each in properties(change.before, change.after):
            if not each.startswith(_IDENTITY):
                yield each.removeprefix("data.")


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _named(change: Change, component: str) -> str:
    return change.name.removeprefix(f"{component}-").removeprefix("networks-")


def properties(old: State, new: State) -> Iterator[str]:
    """Tell which properties of an object differ."""
    before, after = (dict(value.leaves(_shown(state.inputs))) for state in (old, new))
    yield from difference.between("", before, after)


def _shown(inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out what Pulumi made up."""
    metadata = dict(value.mapping(inputs.get("metadata")))
    if value.at(metadata, "annotations", "pulumi.com/autonamed") == "true":
        metadata.pop("name", None)
    given = [value.text(each) for each in value.items(inputs.get("__defaults"))]
    rest = {key: each for key, each in inputs.items() if not key.startswith("__") and key not in given}
    return {**rest, "metadata": metadata} if metadata else rest
