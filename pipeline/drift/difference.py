"""What differs between what was declared and what runs, and how it is written for people and for programs.

It compares nothing itself: each target looks at its own platform. What was found may be somebody's secret, so whatever
looks like one is not shown.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.console import counted
from pipeline.init.meaning import NOT_SECRET, SECRET

HIDDEN = "[not shown]"
SHOWN = 120
"""Characters of a value that are shown."""

_IN_ADDRESS = re.compile(r"(://[^:@/\s]*:)[^@\s]+@")
_IN_TEXT = re.compile(
    r"(?i)((?:password|passwd|requirepass|masterauth|secret|token|api_?key|authorization|bearer)[\w-]*[\"']?\s*[=: ]\s*)\S+"
)


class Remedy(StrEnum):
    """How healing puts something right."""

    REFRESH = "made again"
    """It is gone: Pulumi looks at what is there, misses it, and makes it."""
    UPDATE = "updated"
    """The plugin sees it, and changes it back."""
    REPLACE = "replaced"
    """The plugin does not see it: another one takes its place."""
    REMOVE = "removed"
    """Nobody declared it."""
    TAG = "tagged again"
    """A tag names the image that was declared."""
    NONE = "not healed"
    """Only a person can."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as it was declared."""

    component: str
    """The component, by its name: ``web``, ``postgres``, ``process-worker``."""
    name: str
    """What it is called on the platform."""
    what: str
    """The property; ``state`` for whether it is there and runs."""
    declared: str
    found: str
    remedy: Remedy
    urns: tuple[str, ...] = ()
    """The resources that healing replaces."""
    id: str = ""
    """Identity on the platform of what healing removes, or of the image that it tags."""
    first: bool = False
    """Whether its successor needs what it holds, such as its name, so that it is removed before."""
    data: bool = False
    """Whether it held data that Pulumi cannot make again."""
    mend: str = ""
    """The command for what only a person can put right."""

    def line(self) -> str:
        """Write it for people."""
        return f"{self.component} ({self.name}): {self.what}: declared {self.declared}, found {self.found}"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at a stack has found."""

    containers: int
    """How many were declared and looked at."""
    noun: str = "containers"
    """What they are."""
    differences: Sequence[Difference] = field(default_factory=tuple)


def safe(name: str, value: str, *, declared: bool = True) -> str:
    """Write a value that was found or declared: no secret, and not too long.

    Args:
        name: the property.
        value: its value.
        declared: whether somebody declared this property; what nobody declared may hold anything.
    """
    kind, _, variable = name.partition(" ")
    if kind == "environment" and (not declared or secret_name(variable)):
        return HIDDEN
    text = _IN_TEXT.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1{HIDDEN}@", value)).replace("\n", "\\n")
    return f'"{text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"}"'


def secret_name(variable: str) -> bool:
    """Whether a variable of this name probably holds a secret."""
    upper = variable.upper()
    return SECRET.search(upper) is not None and NOT_SECRET.search(upper) is None


def parted(declared: str, found: str) -> tuple[str, str]:
    """Cut two long texts to where they begin to differ: the line, or the words around it."""
    lines = list(zip(declared.splitlines(), found.splitlines(), strict=False))
    for one, other in lines:
        if one != other:
            return one.strip(), other.strip()
    rest = declared.splitlines()[len(lines) :], found.splitlines()[len(lines) :]
    one, other = (each[0].strip() if each else "nothing more" for each in rest)
    return one, other


def text(stack: str, look: Look) -> list[str]:
    """Write what was found for people."""
    if not look.differences:
        return [f"No drift: {look.containers} {look.noun} of stack {stack} are as they were declared."]
    components = {each.component for each in look.differences}
    return [
        *(each.line() for each in look.differences),
        f"Drift: {counted(len(look.differences), 'difference')} in {counted(len(components), 'component')} of stack {stack}.",
    ]


def document(stack: str, look: Look, healed: Sequence[Difference] = ()) -> str:
    """Write what was found for programs."""
    return json.dumps(
        {
            "stack": stack,
            "drift": bool(look.differences),
            look.noun: look.containers,
            "differences": [_entry(each) for each in look.differences],
            "healed": [_entry(each) for each in healed],
        },
        indent=2,
        ensure_ascii=False,
    )


def _entry(each: Difference) -> dict[str, str]:
    return {
        "component": each.component,
        "name": each.name,
        "property": each.what,
        "declared": each.declared.strip('"'),
        "found": each.found.strip('"'),
        "heal": str(each.remedy),
    }
