"""What a reviewer must not overlook: data that goes, downtime, opened ports, violated policies, other major versions. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from components.storage import COLLECTED
from components.tokens import CONTAINER, VOLUME
from pipeline.preview import value, workload
from pipeline.preview.migration import Migration
from pipeline.preview.objects import claim_sizes, listed
from pipeline.preview.plan import Change, Operation, Plan, State
from pipeline.preview.words import label
from pipeline.preview.workload import Port
from pipeline.reference import major, repository, without_digest


class Kind(StrEnum):
    """What the danger is, the worst first."""

    DATA = "data"
    PROTECTED = "protected"
    DOWNTIME = "downtime"
    PORT = "port"
    POLICY = "policy"
    VERSION = "version"


TITLES = {
    Kind.DATA: "Data",
    Kind.PROTECTED: "Protected",
    Kind.DOWNTIME: "Downtime",
    Kind.PORT: "Open to others",
    Kind.POLICY: "Policy",
    Kind.VERSION: "Major version",
}
"""What people read."""


@dataclass(frozen=True, kw_only=True)
class Danger:
    """One of them."""

    kind: Kind
    """What it is."""
    component: str
    """Where, for people."""
    text: str
    """What happens, and what that means."""


_GOES = {Operation.DELETE, Operation.REPLACE}
_NO_DATA = {"static-storage", f"{COLLECTED}-storage", "edge-storage"}
"""Places that each release fills anew."""

CLAIM = "PersistentVolumeClaim"
_HOLDS = {
    "Namespace": "everything in it goes too",
    "Cluster": "the database goes with its volumes",
    CLAIM: "what it holds goes too",
    VOLUME: "what it holds goes too",
}
_AWAY = {
    "Edge": "nobody reaches the site until the new one serves; open connections break",
    "Postgres": "pages that need the database fail until the new one answers",
    "Redis": "pages that need the cache fail until the new one answers",
    "Service": "whoever needs it fails until the new one answers",
    "Process": "it does nothing until the new one runs",
    "Web": "no page is served until the new ones run",
    "Networks": "everything on it stops first",
}


def dangers(plan: Plan, migrations: Sequence[Migration] = ()) -> tuple[Danger, ...]:
    """List every danger, the worst first."""
    found = [*_of_migrations(migrations), *_of_policies(plan)]
    for change in plan.changes:
        found += [*_of_data(change), *_of_downtime(change), *_of_ports(change)]
    versions = [*_of_versions(plan)]
    stuck = {each.component for each in versions if each.kind is Kind.DATA}  # none of them is back in a moment
    found = [each for each in found if each.kind is not Kind.DOWNTIME or each.component not in stuck]
    found += [*_of_protection(plan), *versions]
    order = list(Kind)
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (order.index(each.kind), each.component, each.text)))


def _where(change: Change) -> str:
    return label(change.component, change.kind)


def _called(change: Change, state: State | None) -> str:
    """Give the physical name where it is fixed."""
    inputs = state.inputs if state else {}
    return value.text(inputs.get("name")) or value.text(value.at(dict(inputs), "metadata", "name")) or change.name


def _thing(change: Change, state: State | None) -> str:
    """Say what it is, and how it is called where it is."""
    kind = change.type.rpartition(":")[2]
    word = {CLAIM: "claim", "Cluster": "database"}.get(kind, kind.lower())
    return f"the {word} {_called(change, state)}"


def _of_data(change: Change) -> Iterator[Danger]:
    before = change.before
    if before is None:
        return
    holds = change.type if change.type == VOLUME else change.type.rpartition(":")[2]
    data = (
        holds in _HOLDS and (change.kind in {"Storage", "Namespace", "Postgres"}) and change.component not in _NO_DATA
    )
    name = _thing(change, before)
    if change.operation in _GOES:
        done = "deleted" if change.operation is Operation.DELETE else "replaced by an empty one"
        if before.protect:
            yield Danger(
                kind=Kind.PROTECTED,
                component=_where(change),
                text=f"{name} is protected and would be {done}: Pulumi refuses the update as long as it is",
            )
        elif data and before.retain:
            yield Danger(
                kind=Kind.DATA,
                component=_where(change),
                text=f"{name} stays where it is with its data, but no longer belongs to the stack",
            )
        elif data:
            yield Danger(kind=Kind.DATA, component=_where(change), text=f"{name} is {done}: {_HOLDS[holds]}")
        elif change.type.endswith(":StatefulSet") and value.at(dict(before.inputs), "spec", "volumeClaimTemplates"):
            yield Danger(
                kind=Kind.DATA, component=_where(change), text=f"{name} is {done}, and gets new, empty volumes"
            )
    elif change.operation is Operation.UPDATE and (sizes := claim_sizes(change)):
        yield from _of_size(change, name, *sizes)
    elif change.operation is Operation.UPDATE and before.protect:
        yield Danger(kind=Kind.PROTECTED, component=_where(change), text=f"{name} is protected, and changes in place")


def _of_size(change: Change, name: str, old: float, new: float) -> Iterator[Danger]:
    if new < old:
        yield Danger(
            kind=Kind.DATA,
            component=_where(change),
            text=f"{name} is to shrink from {old:g} to {new:g} GB, which no storage can: the update fails",
        )
    elif change.before and change.before.protect:
        yield Danger(
            kind=Kind.PROTECTED,
            component=_where(change),
            text=f"{name} grows from {old:g} to {new:g} GB, which cannot be taken back",
        )


def _of_protection(plan: Plan) -> Iterator[Danger]:
    """Tell once of everything that loses its protection: it is one setting."""
    loose = sorted(
        _thing(each, each.before)
        for each in plan.changes
        if each.before and each.before.protect and each.after and not each.after.protect
    )
    if loose:
        yield Danger(
            kind=Kind.PROTECTED,
            component="data",
            text=f"{listed(loose)} {'is' if len(loose) == 1 else 'are'} protected no more: the update after this one may delete "
            "what is in there",
        )


def _of_downtime(change: Change) -> Iterator[Danger]:
    old, new = workload.of(change.type, change.before), workload.of(change.type, change.after)
    away = _AWAY.get(change.kind)
    if change.kind == "Networks" and change.operation in _GOES and change.type.endswith(":Network"):
        what = "deleted" if change.operation is Operation.DELETE else "replaced"
        yield _down(change, f"the network {_called(change, change.before)} is {what}: {away}")
    if change.operation is Operation.DELETE and change.type.endswith((":Ingress", ":HTTPRoute")):
        yield _down(change, f"the {change.type.rpartition(':')[2]} is deleted: visitors no longer come in by it")
    if old is None or old.once or away is None:
        return
    if new is None:
        if change.kind != "Process" and (change.kind != "Web" or change.type != CONTAINER):
            yield _down(change, "it is deleted, and nothing takes its place")
    elif change.operation is Operation.REPLACE and change.gap:
        yield _down(change, f"the old container goes before the new one is made: {away}")
    elif change.operation is Operation.UPDATE and change.type.endswith(":StatefulSet") and change.rolls:
        yield _down(change, f"its pod is restarted: {away}")
    elif old.count and not new.count:
        yield _down(change, "nothing of it runs any more")


def _down(change: Change, text: str) -> Danger:
    return Danger(kind=Kind.DOWNTIME, component=_where(change), text=text)


def _of_ports(change: Change) -> Iterator[Danger]:
    if change.after is None or change.operation is Operation.SAME:
        return
    for text in sorted(_open(change, change.after) - _open(change, change.before)):
        yield Danger(kind=Kind.PORT, component=_where(change), text=text)


def _open(change: Change, state: State | None) -> set[str]:
    """Say how others reach what this describes."""
    if state is None:
        return set()
    running = workload.of(change.type, state)
    found = {_port(each) for each in (running.ports if running else ()) if not each.local}
    inputs = dict(state.inputs)
    kind = change.type.rpartition(":")[2]
    if kind == "Service" and value.at(inputs, "spec", "type") in {"LoadBalancer", "NodePort"}:
        ports = value.items(value.at(inputs, "spec", "ports"))
        numbers = sorted(int(value.number(value.at(each, "port"))) for each in ports)
        how = "a load balancer" if value.at(inputs, "spec", "type") == "LoadBalancer" else "every node"
        found |= {f"port {number} is opened by {how}" for number in numbers}
    if kind == "Ingress":
        names = [value.text(value.at(each, "host")) for each in value.items(value.at(inputs, "spec", "rules"))]
        found |= {f"the ingress serves {name or 'every name'}" for name in names}
    if kind == "HTTPRoute":
        found |= {
            f"the gateway serves {value.text(name)}" for name in value.items(value.at(inputs, "spec", "hostnames"))
        }
    return found


def _port(port: Port) -> str:
    everywhere = port.address in {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    at = "on every address of the host" if everywhere else f"on {port.address}"
    return f"port {port.number} is opened {at}"


def _of_policies(plan: Plan) -> Iterator[Danger]:
    owners = {change.urn: _where(change) for change in plan.changes if change.component}
    for each in plan.violations:
        stops = "mandatory, stops an update" if each.mandatory else "advisory"
        yield Danger(
            kind=Kind.POLICY,
            component=owners.get(each.urn, plan.stack),
            text=f"{each.policy} ({stops}): {' '.join(each.message.split())}",
        )


def _of_versions(plan: Plan) -> Iterator[Danger]:
    for change in plan.changes:
        for old, new in _images(change):
            if _is_other(old, new):
                component = _where(change).removeprefix("image of ")
                moves = f"{without_digest(old)} becomes {without_digest(new)}"
                if component == "postgres" and not change.type.endswith(
                    f":{workload.CLUSTER}"
                ):  # CloudNativePG upgrades
                    yield Danger(kind=Kind.DATA, component=component, text=f"{moves}: {_UNREADABLE}")
                else:
                    yield Danger(kind=Kind.VERSION, component=component, text=moves)


_UNREADABLE = (
    "a server of one major version does not read the data of another, so it does not start, and pages that need the "
    "database fail; dump before, and restore into a new volume (docs/data.md)"
)


def _is_other(old: str, new: str) -> bool:
    """Whether an image moves to another major version."""
    one, other = major(old), major(new)
    return repository(old) == repository(new) and bool(one and other) and one != other


def _images(change: Change) -> Iterator[tuple[str, str]]:
    """Give the image before and after, where both are somebody else's."""
    if change.before is None or change.after is None or change.operation is Operation.SAME:
        return
    if change.kind == "PulledImage":
        yield value.text(change.before.inputs.get("name")), value.text(change.after.inputs.get("name"))
    old, new = workload.of(change.type, change.before), workload.of(change.type, change.after)
    if old and new and not new.release and old.image != new.image:
        yield old.image, new.image


def _of_migrations(migrations: Sequence[Migration]) -> Iterator[Danger]:
    for each in migrations:
        for statement in each.destroys:
            yield Danger(kind=Kind.DATA, component="migration", text=f"{each.name}: {statement}")
