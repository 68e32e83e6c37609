"""Running ``pulumi`` for one stack: its arguments, its output, its state and its lock.

It owns how the command is started, interrupted and read. What the commands mean to a user is in the module of each one,
and what an error of Pulumi means is in ``explain.py``.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from pipeline.backend import without_password
from pipeline.console import Console, is_terminal, problem
from pipeline.readable import Readable

ROOT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.05
CAPTURE_LIMIT_SECONDS = 120


class InterruptedUpdateError(Exception):
    """Somebody pressed Ctrl-C; Pulumi has ended and saved what it did."""


@dataclass(frozen=True)
class Result:
    """What a finished ``pulumi`` said."""

    code: int
    out: str
    err: str = ""

    @property
    def text(self) -> str:
        """Everything it said."""
        return self.out + self.err


@dataclass(frozen=True)
class Lock:
    """A lock file of the local backend: who holds it."""

    path: Path
    pid: int
    host: str
    since: str

    def held(self) -> bool:
        """Whether the process that made it may still be running. A process of another machine may always be."""
        return self.host != socket.gethostname() or is_pulumi(self.pid)


def is_pulumi(pid: int) -> bool:
    """Whether a running process of this machine is a Pulumi; process ids are used again after a restart."""
    if Path("/proc/self").exists():
        try:
            return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True)
class Engine:
    """The ``pulumi`` command for one stack of this repository."""

    stack: str
    console: Console
    root: Path = ROOT
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    program: str = "pulumi"

    @cached_property
    def project(self) -> str:
        """The name in ``Pulumi.yaml``."""
        return str(yaml.safe_load((self.root / "Pulumi.yaml").read_text())["name"])

    @property
    def stack_file(self) -> Path:
        """Where the settings of the stack are."""
        return self.root / "stacks" / f"Pulumi.{self.stack}.yaml"

    @property
    def log_folder(self) -> Path:
        """Where everything that Pulumi said is kept, in full."""
        return self.root / ".slipway" / "logs"

    def log_of(self, command: str) -> Path:
        """Where the last run of a long command is written down."""
        return self.log_folder / f"{self.stack}-{command}.log"

    def backend_folder(self) -> Path | None:
        """The folder of the state, when it lies in files of this machine."""
        url = urlsplit(self.environ.get("PULUMI_BACKEND_URL", ""))
        if url.scheme != "file":
            return None
        path = url.netloc + url.path
        return Path(path).expanduser() if path.startswith("~") else self.root / path

    def locks(self) -> list[Lock]:
        """The locks of the stack that lie in a local backend."""
        folder = self.backend_folder()
        if folder is None:
            return []
        found = []
        for path in sorted((folder / ".pulumi" / "locks" / "organization" / self.project / self.stack).glob("*.json")):
            try:
                data = json.loads(path.read_text())
                found.append(Lock(path, int(data["pid"]), data["hostname"], data["timestamp"]))
            except FileNotFoundError:
                continue  # let go between the listing and the reading
            except (ValueError, KeyError, TypeError):
                found.append(Lock(path, 0, socket.gethostname(), "?"))  # cut off while it was written
        return found

    def run(self, *arguments: str, stdin: str | None = None, limit: float = CAPTURE_LIMIT_SECONDS) -> Result:
        """Run a short command to its end and give back what it said; Ctrl-C waits for it."""
        with passing_interrupts() as interrupts, self._start(arguments, stdin) as process:
            try:
                out, err = process.communicate(stdin, timeout=limit)
            except subprocess.TimeoutExpired:
                process.kill()
                raise problem(
                    f"`{self.program} {' '.join(arguments)}` did not end within {limit:.0f} s",
                    mend="try it by hand; `make doctor` shows what else is wrong",
                ) from None
        if interrupts.count:
            raise InterruptedUpdateError
        return Result(process.returncode, out, err)

    def must(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a short command that has to succeed."""
        result = self.run(*arguments, stdin=stdin)
        if result.code:
            self.refuse(result, arguments)
        return result.out

    def refuse(self, result: Result, arguments: tuple[str, ...]) -> None:
        """Raise what a failed command means."""
        from pipeline.explain import explain  # noqa: PLC0415 - needed for failures alone

        known = explain(result.text, self)
        if known is not None:
            raise known
        said = (
            without_password("\n".join(Readable().all(result.text)).strip(), self.environ) or f"exit code {result.code}"
        )
        raise problem(f"`{self.program} {' '.join(arguments)}` failed: {said}")

    def stream(self, *arguments: str) -> Result:
        """Run a long command and print what it says while it says it.

        Pulumi writes into a file that is read along, not into a pipe: when this process is killed, Pulumi goes on
        to a clean end instead of dying at its next line.
        """
        self.log_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.log_of(arguments[0])
        colour = "always" if is_terminal(self.console.out) else "never"
        command = [*arguments, "--stack", self.stack, "--non-interactive", "--color", colour]
        readable = Readable()
        with passing_interrupts(self.console) as interrupts, log.open("wb") as sink:
            log.chmod(0o600)
            with self._start(command, None, sink.fileno()) as process, log.open("rb") as source:
                interrupts.process = process
                rest = b""
                while True:
                    ended = process.poll() is not None
                    *lines, rest = (rest + source.read()).split(b"\n")
                    for line in lines:
                        self._print(readable, line)
                    if ended:
                        break
                    time.sleep(POLL_SECONDS)
                self._print(readable, rest)
        if interrupts.count:
            raise InterruptedUpdateError
        return Result(process.returncode, log.read_text(errors="replace"))

    def _print(self, readable: Readable, line: bytes) -> None:
        for text in readable.feed(line.decode(errors="replace")):
            self.console.say(without_password(text, self.environ))

    def _start(
        self, arguments: tuple[str, ...] | list[str], stdin: str | None, sink: int | None = None
    ) -> "subprocess.Popen[str]":
        try:
            return subprocess.Popen(
                [self.program, *arguments],
                cwd=self.root,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE if sink is None else sink,
                stderr=subprocess.PIPE if sink is None else subprocess.STDOUT,
                text=True,
                process_group=0,  # the terminal's Ctrl-C reaches us alone; we pass it on once
            )
        except FileNotFoundError:
            raise problem(
                f"the command `{self.program}` is not on PATH",
                allowed="Pulumi 3.259.0, as tools/bootstrap brings it",
                mend="tools/bootstrap && . .slipway/env",
            ) from None

    def exported(self) -> dict[str, Any] | None:
        """The state of the stack with its secrets encrypted; None when there is no such stack."""
        result = self.run("stack", "export", "--stack", self.stack)
        if result.code == 0:
            return cast("dict[str, Any]", json.loads(result.out)).get("deployment") or {}
        if "no stack named" in result.text:
            return None
        self.refuse(result, ("stack", "export"))
        return None

    def config_set(self, path: str, value: str) -> None:
        """Write one structured setting into the file of the stack."""
        self.must("config", "set", "--path", path, value, "--stack", self.stack)


@dataclass
class Interrupts:
    """How often somebody asked to stop, and whom to tell."""

    console: Console | None
    process: "subprocess.Popen[str] | None" = None
    count: int = 0

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Pass the wish on: once is a clean stop for Pulumi, twice is a stop at once, three times is a kill."""
        self.count += 1
        if self.process is None or self.process.poll() is not None:
            return
        kill_at_once = 3
        self.process.send_signal(signal.SIGINT if self.count < kill_at_once else signal.SIGKILL)
        if self.console is not None and self.count == 1:
            self.console.say("Stopping: what is under way is finished first. Once more stops at once.")


@contextmanager
def passing_interrupts(console: Console | None = None) -> Iterator[Interrupts]:
    """Keep Ctrl-C and SIGTERM from ending this process while Pulumi runs."""
    interrupts = Interrupts(console)
    before = {number: signal.signal(number, interrupts) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
