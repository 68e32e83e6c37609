"""How commands are run inside the processes of a stack, whatever they run on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

IDLE_SECONDS = 3600
"""How long nothing at all may be said. A database builds the index of a big table in silence."""

TOLD = 8000
"""How many characters of what a command complains about are kept."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: bytes
    """What it printed, unless something else took that."""
    err: str
    """The end of what it complained about."""

    @property
    def reason(self) -> str:
        """Why it failed, in its own words."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        errors = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower()]
        return (errors or lines or [f"exit code {self.code}"])[0 if errors else -1]


class Processes(Protocol):
    """The processes of one stack."""

    @property
    def release(self) -> str:
        """The release that runs."""
        ...

    @property
    def image(self) -> str:
        """The image that runs: its identity on a Docker host, its name with its digest on a cluster."""
        ...

    def run(
        self,
        component: str,
        command: Sequence[str],
        *,
        feed: Iterable[bytes] = (),
        sink: Callable[[bytes], None] | None = None,
    ) -> Done:
        """Run a command beside a process of a component, give it an input, and take its output piece by piece."""
        ...

    def restart(self, limit: float) -> list[str]:
        """Start every process of the app again, wait until they serve, and name those that do not."""
        ...


class Output:
    """Takes what a command prints, on both of its outputs."""

    def __init__(self, sink: Callable[[bytes], None] | None) -> None:
        self._pieces: list[bytes] = []
        self._sink = sink or self._pieces.append
        self._told = b""

    def out(self, piece: bytes) -> None:
        """Take a piece of the output."""
        self._sink(piece)

    def err(self, piece: bytes) -> None:
        """Take a piece of what it complains about."""
        self._told = (self._told + piece)[-TOLD:]

    def done(self, code: int) -> Done:
        """The command that ended."""
        return Done(code, b"".join(self._pieces), self._told.decode(errors="replace"))
