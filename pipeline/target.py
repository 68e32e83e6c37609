"""What each target has to tell the commands: one row for each, as ``components/deployment.py`` has it for components.

The commands own the order in which this is asked, and ask for no target by name; a row owns how its platform is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.model import Settings
from pipeline.console import PipelineError
from pipeline.drift.difference import Difference, Look
from pipeline.engine import Engine
from pipeline.page import Page

State = Mapping[str, Any]
"""What Pulumi knows of a stack, as it exports it."""

OK, NOTE, BROKEN = "ok", "note", "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor has looked at."""

    name: str
    state: str
    detail: str
    mend: str | None = None


@dataclass(frozen=True, kw_only=True)
class Served:
    """How a stack is reached from here, and what it answered."""

    page: Page
    notes: tuple[str, ...] = ()
    """What else to know, such as the command that opens a way to it."""
    log: str = ""
    """The command that shows why it does not answer."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What surrounds ``pulumi up`` on one kind of platform."""

    check: Callable[[Engine, Settings, State], list[str]]
    """Before an update: raises every problem of the platform, changes nothing, and names what should run and does not."""
    doubts: Callable[[Engine, Settings, State], list[str]]
    """Before a preview: what an update would stumble over. It raises nothing."""
    reasons: Callable[[Engine, Settings, str], PipelineError | None]
    """After a failed update: prints what a person needs, and gives the error where it knows the reason."""
    remove_half_made: Callable[[Engine, State], None]
    """After an update that was killed: removes what the state names as half made and the next update would trip over."""
    settle: Callable[[Engine, Sequence[str]], None]
    """After an update that made again what did not run, by the names of ``check``: has the rest find it."""
    serve: Callable[[Engine, Settings], Served]
    """After an update: asks the page."""
    reach: Callable[[Engine, State], None]
    """Before a destroy: raises when the platform does not answer."""
    free: Callable[[Engine, State], bool]
    """After a destroy that failed: lets go of what the platform still holds for nobody. True when that was something."""
    tidy: Callable[[Engine, State, bool], list[str]]
    """After a destroy, of everything or of all but the data: removes what Pulumi has left, and names what stays."""
    sweep: Callable[[Engine, State, str], None]
    """After that: removes what carries the names of the project and of the stack and is in no state."""
    left: Callable[[Engine, State, str], list[str]]
    """Then: names what there still is with those names."""
    images: Callable[[Engine, list[str]], list[str]]
    """Removes images that nothing uses, and names those that stay, each with the reason."""
    gone: str
    """What a destroy takes away, in words."""
    platform: Callable[[Engine, Settings | None], Iterator[Finding]]
    """For the doctor: the platform."""
    running: Callable[[Engine, Settings | None], Iterator[Finding]]
    """For the doctor: what runs of the stack."""
    served: Callable[[Engine, Settings], Iterator[Finding]]
    """For the doctor: what the stack serves."""
    look: Callable[[Engine, State], Look]
    """For drift: compares what runs with what the state declares. Raises when the platform cannot tell."""
    clear: Callable[[Engine, Sequence[Difference], bool], None]
    """For healing: removes what nobody declared; True for what has to go before Pulumi heals, False for the rest."""
