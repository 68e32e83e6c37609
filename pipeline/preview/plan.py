"""What Pulumi plans: reads the events of ``pulumi preview --json`` into typed changes. Pure.

The events are those of the Automation API, one a line. Only they tell in which order a resource is replaced and which
policies it violates. Nothing of another shape goes past this module.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.preview import value
from pipeline.preview.value import Json, Value

EVENTS = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "1"}
"""The environment in which ``pulumi preview --json`` gives events."""

STACK = "pulumi:pulumi:Stack"
PREFIX = "slipway:"
"""Begins the types of our components."""


class Operation(StrEnum):
    """What becomes of a resource."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


_OPERATIONS = {
    "same": Operation.SAME,
    "refresh": Operation.SAME,
    "read": Operation.SAME,
    "create": Operation.CREATE,
    "import": Operation.CREATE,
    "update": Operation.UPDATE,
    "replace": Operation.REPLACE,
    "create-replacement": Operation.REPLACE,
    "import-replacement": Operation.REPLACE,
    "delete": Operation.DELETE,
    "discard": Operation.DELETE,
}
_KINDS = {"ManagedPostgres": "Postgres"}
"""Components that are the same to a reader."""
_DELETE_REPLACED, _CREATE_REPLACEMENT = "delete-replaced", "create-replacement"


@dataclass(frozen=True, kw_only=True)
class State:
    """A resource as it is, or as it would be."""

    inputs: Mapping[str, Value]
    """Its properties."""
    outputs: Mapping[str, Value] = field(default_factory=dict)
    """What it tells, for the stack alone."""
    protect: bool = False
    """Whether Pulumi refuses to delete it."""
    retain: bool = False
    """Whether it outlives its resource."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one resource."""

    urn: str
    """Its identity."""
    type: str
    """Its type, such as ``docker:index/container:Container``."""
    name: str
    """Its name in the program."""
    component: str
    """The component that it belongs to, by its name in the program."""
    kind: str
    """The kind of that component, such as ``Web``."""
    operation: Operation
    """What becomes of it."""
    before: State | None
    """As it is; None for a new one."""
    after: State | None
    """As it would be; None for one that goes."""
    differs: Mapping[str, str] = field(default_factory=dict)
    """Paths of the properties that differ, and how, as the plugin tells them: ``update``, ``add``, ``delete-replace``."""
    gap: bool = False
    """Whether it is replaced, and is gone before its successor is there."""

    @property
    def rolls(self) -> bool:
        """Whether an update makes the pods anew, as far as the plugin tells: more of the same are not."""
        return any("template" in path.lower() for path in self.differs) or not self.differs


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A policy that a resource violates."""

    policy: str
    """Name of the pack and of the policy."""
    mandatory: bool
    """Whether it stops an update."""
    urn: str
    """The resource; empty for the stack as a whole."""
    message: str
    """What the policy says."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole preview."""

    stack: str
    """Name of the stack."""
    changes: tuple[Change, ...]
    """Every resource, in an order that no run changes."""
    violations: tuple[Violation, ...] = ()
    """Violated policies."""
    errors: tuple[str, ...] = ()
    """What Pulumi said that it failed for."""
    finished: bool = True
    """Whether Pulumi came to its end."""
    before: Mapping[str, Value] = field(default_factory=dict)
    """Outputs of the stack as it is."""

    def count(self, operation: Operation) -> int:
        """Count the resources that something becomes of. Components are no resources."""
        return sum(each.operation is operation for each in self.changes if is_real(each))

    @property
    def target(self) -> str:
        """Name the target; empty where nothing of ours is there."""
        found = (each.type.split(":")[1] for each in self.changes if each.type.startswith(PREFIX))
        return next(found, "")


def is_real(change: Change) -> bool:
    """Whether a resource is one that somebody runs or keeps, and neither a component nor a plugin."""
    return not change.type.startswith((PREFIX, "pulumi:providers:", STACK))


def read(text: str, stack: str) -> Plan:
    """Read what ``pulumi preview --json`` said. Lines that are no events are passed over."""
    events = [event for line in text.splitlines() if (event := _event(line))]
    steps = [
        _mapping(_mapping(event["resourcePreEvent"]).get("metadata")) for event in events if "resourcePreEvent" in event
    ]
    said = [_mapping(event["diagnosticEvent"]) for event in events if "diagnosticEvent" in event]
    stacks = [_mapping(step.get("old")) for step in steps if step.get("type") == STACK]
    return Plan(
        stack=stack,
        changes=tuple(sorted(_changes(steps), key=lambda each: (each.component, each.type, each.name, each.urn))),
        violations=tuple(
            sorted(
                {_violation(_mapping(event["policyEvent"])) for event in events if "policyEvent" in event},
                key=lambda each: (not each.mandatory, each.policy, each.urn, each.message),
            )
        ),
        errors=tuple(
            _text(each, "message").strip().removeprefix("error: ") for each in said if each.get("severity") == "error"
        ),
        finished=any(
            _mapping(event["summaryEvent"]).get("result") != "failed" for event in events if "summaryEvent" in event
        ),
        before=value.mapping(value.of(stacks[0].get("outputs"))) if stacks else {},
    )


def _event(line: str) -> dict[str, Json]:
    if not line.startswith("{"):
        return {}
    try:
        return _mapping(json.loads(line))
    except ValueError:
        return {}


def _mapping(said: Json) -> dict[str, Json]:
    return said if isinstance(said, dict) else {}


def _text(said: Mapping[str, Json], key: str) -> str:
    found = said.get(key)
    return found if isinstance(found, str) else ""


def _changes(steps: list[dict[str, Json]]) -> Iterable[Change]:
    """Give one change for each resource, of the one or three steps that it takes."""
    found: dict[str, list[dict[str, Json]]] = {}
    for step in steps:
        found.setdefault(_text(step, "urn"), []).append(step)
    for urn, each in found.items():
        said = [_text(step, "op") for step in each]
        known = [step for step in each if _text(step, "op") in _OPERATIONS]
        if known:
            yield _change(urn, known, gap=_gap(said))


def _gap(said: list[str]) -> bool:
    """Whether the old one goes first."""
    both = _DELETE_REPLACED in said and _CREATE_REPLACEMENT in said
    return both and said.index(_DELETE_REPLACED) < said.index(_CREATE_REPLACEMENT)


def _change(urn: str, steps: list[dict[str, Json]], *, gap: bool) -> Change:
    operation = next(
        (each for step in steps if (each := _OPERATIONS[_text(step, "op")]) is not Operation.SAME), Operation.SAME
    )
    old = next((step["old"] for step in steps if step.get("old")), None)
    new = next((step["new"] for step in steps if step.get("new")), None)
    if operation is Operation.SAME:
        old = old or new
    parent = _text(_mapping(new or old), "parent")
    own, owner = _of_urn(urn), _of_urn(parent)
    if own[0].startswith(PREFIX):
        owner = own
    differs = {
        key: _text(_mapping(each), "diffKind")
        for step in steps
        for key, each in _mapping(step.get("detailedDiff")).items()
    }
    differs = differs or {key: "update" for step in steps for key in _strings(step.get("diffs"))}
    return Change(
        urn=urn,
        type=own[0],
        name=own[1],
        component=owner[1] if owner[0].startswith(PREFIX) else "",
        kind=_KINDS.get(kind := owner[0].rpartition(":")[2], kind) if owner[0].startswith(PREFIX) else "",
        operation=operation,
        before=_state(old) if operation is not Operation.CREATE else None,
        after=_state(new or old) if operation is not Operation.DELETE else None,
        differs=dict(sorted(differs.items())),
        gap=gap,
    )


def _strings(said: Json) -> list[str]:
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


def _of_urn(urn: str) -> tuple[str, str]:
    """Give type and name."""
    parts = urn.split("::")
    if len(parts) < 4:  # noqa: PLR2004 - urn:pulumi:STACK::PROJECT::TYPES::NAME
        return "", ""
    return parts[2].rpartition("$")[2], "::".join(parts[3:])


def _state(said: Json) -> State | None:
    if not isinstance(said, dict):
        return None
    return State(
        inputs=value.mapping(value.of(said.get("inputs"))),
        outputs=value.mapping(value.of(said.get("outputs"))) if said.get("type") == STACK else {},
        protect=said.get("protect") is True,
        retain=said.get("retainOnDelete") is True,
    )


def _violation(said: Mapping[str, Json]) -> Violation:
    return Violation(
        policy=f"{_text(said, 'policyPackName')}/{_text(said, 'policyName')}",
        mandatory=said.get("enforcementLevel") == "mandatory",
        urn=_text(said, "resourceUrn"),
        message=_text(said, "message").strip(),
    )
