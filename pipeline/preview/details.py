"""Every change of every resource, property by property: for those who want to see all of it. Pure."""

from pipeline.preview import difference, objects, workload
from pipeline.preview.plan import PREFIX, Operation, Plan, is_real
from pipeline.preview.words import switched


def details(plan: Plan) -> tuple[str, ...]:
    """Give them, a line each."""
    lines = []
    for change in plan.changes:
        if not is_real(change) or change.operation is Operation.SAME:
            continue
        lines.append(f"{change.operation.value:<8}{change.type.removeprefix(PREFIX)} {change.name}")
        old, new = workload.of(change.type, change.before), workload.of(change.type, change.after)
        if old and new:
            told = switched(old, new) if change.kind == "Switch" else difference.workloads(old, new)
            lines += [f"          {each}" for each in told]
        elif change.before and change.after:
            lines += [f"          {each}" for each in objects.properties(change.before, change.after)]
    return tuple(lines)
