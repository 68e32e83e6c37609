"""A picture of an environment, as a Mermaid flowchart: what runs, on which network, what changes in colour. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.tokens import VOLUME
from pipeline.preview import value, workload
from pipeline.preview.danger import CLAIM
from pipeline.preview.plan import Change, Operation, Plan
from pipeline.preview.words import label

_COLOURS = {
    Operation.SAME: "fill:#eeeeee,stroke:#999999,color:#333333",
    Operation.CREATE: "fill:#d4f4dd,stroke:#1a7f37,color:#0b3d1a",
    Operation.UPDATE: "fill:#fff3c4,stroke:#9a6700,color:#4d3300",
    Operation.REPLACE: "fill:#ffe0c2,stroke:#bc4c00,color:#5c2500",
    Operation.DELETE: "fill:#ffd7d5,stroke:#cf222e,color:#6e0f16,stroke-dasharray:4 3",
}
_NAMES = {
    Operation.SAME: "same",
    Operation.CREATE: "new",
    Operation.UPDATE: "changed",
    Operation.REPLACE: "replaced",
    Operation.DELETE: "gone",
}
LEGEND = "Grey stays, green is new, yellow changes in place, orange is replaced, red goes."
_STORES = ("Postgres", "Redis", "Service")
_ORDER = ("Edge", "Web", "Process", "Postgres", "Redis", "Service")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A component that runs, or keeps files."""

    component: str
    """Its name in the program."""
    kind: str
    """Its kind."""
    operation: Operation
    """What becomes of it."""
    text: str
    """What is written on it."""
    networks: tuple[str, ...] = ()
    """Where it is."""
    mounts: tuple[str, ...] = ()
    """What it mounts, by name."""

    @property
    def key(self) -> str:
        """Its name in the picture."""
        return "".join(each if each.isalnum() else "_" for each in self.component)


def mermaid(plan: Plan) -> str:
    """Draw the stack; nothing where nothing runs."""
    running = sorted(_running(plan), key=lambda each: (_ORDER.index(each.kind), each.component))
    if not running:
        return ""
    places = sorted(_places(plan), key=lambda each: each.component)
    lines = ["flowchart LR", '  visitors(["visitors"])']
    groups: dict[tuple[str, ...], list[Node]] = {}
    for node in running:
        groups.setdefault(node.networks, []).append(node)
    for index, (networks, nodes) in enumerate(sorted(groups.items(), key=lambda each: _ORDER.index(each[1][0].kind))):
        lines.append(f'  subgraph area{index + 1}["{_area(plan, networks)}"]')
        lines += [f'    {node.key}["{_clean(node.text)}"]' for node in nodes]
        lines.append("  end")
    lines += [f'  {node.key}[("{_clean(node.text)}")]' for node in places]
    lines += [f"  {each}" for each in _arrows(running, places)]
    used = sorted({node.operation for node in (*running, *places)}, key=list(Operation).index)
    for operation in used:
        keys = ",".join(node.key for node in (*running, *places) if node.operation is operation)
        lines.append(f"  classDef {_NAMES[operation]} {_COLOURS[operation]}")
        lines.append(f"  class {keys} {_NAMES[operation]}")
    return "\n".join(lines)


def _area(plan: Plan, networks: Sequence[str]) -> str:
    if not networks:
        return f"namespace {_namespace(plan)}" if plan.target == "kubernetes" else "no network"
    word = "network" if len(networks) == 1 else "networks"
    return _clean(f"{word} {' and '.join(networks)}")


def _namespace(plan: Plan) -> str:
    for change in plan.changes:
        if change.type.endswith(":Namespace") and (state := change.after or change.before):
            name = value.text(value.at(dict(state.inputs), "metadata", "name"))
            if name:
                return _clean(name)
    return plan.stack


def _clean(text: str) -> str:
    """Keep what Mermaid takes in quotes."""
    return "".join(each for each in text if each.isalnum() or each in " .,:;-_/()+*")


def _running(plan: Plan) -> Iterator[Node]:
    for (component, kind), changes in _grouped(plan).items():
        if kind not in _ORDER:
            continue
        found = [(each, each.after or each.before) for each in changes]
        loads = [(each, load) for each, state in found if (load := workload.of(each.type, state)) and not load.once]
        if not loads:
            continue
        count = sum(load.count for each, load in loads if each.after) or sum(load.count for _, load in loads)
        first = loads[0][1]
        ports = sorted(port for _, load in loads for port in load.ports)
        text = label(component, kind) + (f" x {count}" if count > 1 else "")
        text += "".join(f", {port.address}:{port.number}" for port in ports)
        yield Node(
            component=component,
            kind=kind,
            operation=_whole([each for each, _ in loads]),
            text=text,
            networks=first.networks,
            mounts=tuple(sorted({each for _, load in loads for each in load.mounts.values() if each})),
        )


def _whole(changes: Sequence[Change]) -> Operation:
    done = {each.operation for each in changes}
    if len(done) == 1:
        return done.pop()
    return Operation.REPLACE if Operation.REPLACE in done else Operation.UPDATE


def _grouped(plan: Plan) -> dict[tuple[str, str], list[Change]]:
    found: dict[tuple[str, str], list[Change]] = {}
    for change in plan.changes:
        found.setdefault((change.component, change.kind), []).append(change)
    return found


def _places(plan: Plan) -> Iterator[Node]:
    for change in plan.changes:
        state = change.after or change.before
        if change.kind != "Storage" or state is None:
            continue
        if change.type == VOLUME or change.type.endswith(f":{CLAIM}"):
            name = value.text(state.inputs.get("name")) or value.text(value.at(dict(state.inputs), "metadata", "name"))
            yield Node(
                component=change.component,
                kind="Storage",
                operation=change.operation,
                text=label(change.component, "Storage"),
                mounts=(name,),
            )


def _arrows(running: Sequence[Node], places: Sequence[Node]) -> Iterator[str]:
    by_kind = {kind: [node for node in running if node.kind == kind] for kind in _ORDER}
    for edge in by_kind["Edge"]:
        yield f"visitors --> {edge.key}"
        for web in by_kind["Web"]:
            yield f"{edge.key} --> {web.key}"
    for client in (*by_kind["Web"], *by_kind["Process"]):
        for store in _STORES:
            for node in by_kind[store]:
                yield f"{client.key} --> {node.key}"
    for node in running:
        for place in places:
            if set(place.mounts) & set(node.mounts):
                yield f"{node.key} -.- {place.key}"
