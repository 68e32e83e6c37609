"""The one table of the pipeline: which target is asked how.

No command asks for a target by name; each takes the row of its stack.
"""

import re
from collections.abc import Mapping

from components.model import Settings
from components.model import Target as Name
from pipeline import cluster, host, settings
from pipeline.console import problem
from pipeline.engine import Engine
from pipeline.target import State, Target

TARGETS: Mapping[Name, Target] = {
    Name.DOCKER: host.TARGET,
    Name.KUBERNETES: cluster.TARGET,
}
_COMPONENT = re.compile(rf"slipway:({'|'.join(TARGETS)}):")


def of(loaded: Settings) -> Target:
    """The row of a stack by its settings."""
    return TARGETS[loaded.target]


def of_file(engine: Engine) -> tuple[Name, Target]:
    """The row of a stack by what its file says, be the rest of it right or not; Docker's where it says nothing."""
    said = settings.said(engine.stack, engine.root).get("target") if engine.stack_file.exists() else None
    name = next((each for each in TARGETS if each == said), Name.DOCKER)
    return name, TARGETS[name]


def where(state: State) -> Name | None:
    """The target that a stack runs on by its state; None where nothing of it runs."""
    for each in state.get("resources") or []:
        found = _COMPONENT.match(str(each.get("type")))
        if found:
            return Name(found[1])
    return None


def of_state(engine: Engine, state: State) -> Target:
    """The row of what runs of a stack, whatever its file says now."""
    name = where(state)
    return of_file(engine)[1] if name is None else TARGETS[name]


def refuse_move(engine: Engine, loaded: Settings, state: State) -> None:
    """Raise when a stack would turn to another target: Pulumi would delete everything on the first, with its data."""
    name = where(state)
    if name in (None, loaded.target):
        return
    raise problem(
        f'slipway:target: found "{loaded.target}", but stack {engine.stack} runs on {name} with its data; '
        "nothing was changed",
        allowed=f'"{name}", or "{loaded.target}" in a stack of its own',
        mend=f"pulumi config set slipway:target {name} --stack {engine.stack}\n"
        "# or copy its file to a stack of another name, bring that up, and move the data",
    )
