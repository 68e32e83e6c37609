"""What a stack takes: containers, memory, CPU and disk, as it is, as it would be, and while it changes. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from components.tokens import VOLUME
from pipeline.console import counted
from pipeline.preview import value, workload
from pipeline.preview.danger import CLAIM
from pipeline.preview.plan import Change, Operation, Plan, State
from pipeline.preview.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What is taken at one moment."""

    containers: int
    """Containers or pods that run."""
    memory_mb: int
    """Sum of their limits, in MiB."""
    cpus: float
    """Sum of their limits, in cores."""
    volumes: int
    """Places for files."""
    disk_gb: int
    """What they may hold together, in GiB; 0 where nothing limits them, as on a Docker host."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a stack takes."""

    before: Cost
    """As it is."""
    after: Cost
    """As it would be."""
    during: Cost
    """At most, while it changes: old and new run beside each other, and steps run once."""


def costs(plan: Plan) -> Costs:
    """Add up what the plan says."""
    return Costs(
        before=_cost(plan, lambda change: [change.before]),
        after=_cost(plan, lambda change: [change.after]),
        during=_cost(plan, _both, once=True),
    )


def _both(change: Change) -> list[State | None]:
    """Give what there is of a resource at once while it changes."""
    beside = change.operation is Operation.REPLACE and not change.gap
    rolls = change.operation is Operation.UPDATE and change.type.endswith(":Deployment") and change.rolls
    if beside or rolls:
        running = workload.of(change.type, change.before)
        if running is not None and running.once:
            return [change.after]  # the old one has ended long ago
        return [change.before, change.after]
    return [change.after or change.before]


def _cost(plan: Plan, states: Callable[[Change], list[State | None]], *, once: bool = False) -> Cost:
    most = {change.component: _most(states(change)) for change in plan.changes if change.type.endswith(_SCALER)}
    running = [
        replace(found, count=max(found.count, most.get(change.component, 0)))
        for change in plan.changes
        for state in states(change)
        if (found := workload.of(change.type, state)) and (not found.once or (once and _runs(change, found)))
    ]
    places = [(change, state) for change in plan.changes for state in states(change) if state and _is_place(change)]
    return Cost(
        containers=sum(each.count for each in running),
        memory_mb=sum(each.count * each.memory_mb for each in running),
        cpus=round(sum(each.count * each.cpus for each in running), 3),
        volumes=len(places),
        disk_gb=round(sum(_gigabytes(state) for _, state in places)),
    )


_SCALER = ":HorizontalPodAutoscaler"


def _most(states: list[State | None]) -> int:
    """How many pods there may be where the load decides it."""
    return max(
        (int(value.number(value.at(dict(each.inputs), "spec", "maxReplicas"))) for each in states if each), default=0
    )


def _runs(change: Change, found: Workload) -> bool:
    """Whether a step runs in this update; what only holds files never does."""
    return change.operation in {Operation.CREATE, Operation.REPLACE} and change.kind != "SecretFiles" and found.once


def _is_place(change: Change) -> bool:
    if change.type.endswith(f":{workload.CLUSTER}"):
        return True
    return change.kind == "Storage" and (change.type == VOLUME or change.type.endswith(f":{CLAIM}"))


def _gigabytes(state: State) -> float:
    spec = state.inputs.get("spec")
    size = value.at(spec, "resources", "requests", "storage")
    managed = value.at(spec, "storage", "size")
    if managed is not None:
        return workload.megabytes(managed) / 1024 * value.number(value.at(spec, "instances"))
    return workload.megabytes(size) / 1024


def rows(found: Costs) -> Iterator[tuple[str, str, str, str]]:
    """Give what is shown: what it is, before, after, at most while it changes."""
    three = (found.before, found.after, found.during)
    yield "containers, at most", *_three(*(str(each.containers) for each in three))
    yield "memory, at most", *_three(*(f"{each.memory_mb} MB" for each in three))
    yield "CPU, at most", *_three(*(f"{each.cpus:g} cores" for each in three))
    disk = any(each.disk_gb for each in three)
    sizes = (f"{each.disk_gb} GB in {_volumes(each)}" if disk else f"{_volumes(each)}, no limit" for each in three)
    yield "disk", *_three(*sizes)


def _three(*texts: str) -> tuple[str, str, str]:
    first, second, third = texts
    return first, second, third


def _volumes(cost: Cost) -> str:
    return counted(cost.volumes, "volume")
