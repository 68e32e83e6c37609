"""What the bootstrap prints, and the long-running programs whose progress it prints.

It owns no decision: parts say what they did, this module shows it with the time it took.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.console import BOLD, GREEN, RED, Console, PipelineError, problem, seconds

HEARTBEAT_SECONDS = 15.0
STOP_SECONDS = 10.0
TAIL = 15
LONGEST = 400
FULL_DISK = ("no space left on device", "disk quota exceeded")
NO_NETWORK = (
    *("connection refused", "no such host", "name resolution", "name or service not known", "could not resolve"),
    *("timed out", "i/o timeout", "network is unreachable", "no route to host", "goproxy=off", "403 forbidden"),
    *("tls handshake", "certificate verify failed", "certificate signed by unknown authority", "temporary failure"),
)


@dataclass
class Step:
    """One part being brought; who brings it says what was done."""

    name: str
    done: str = "reused"
    detail: str = ""

    def did(self, done: str, detail: str = "") -> None:
        """Say how the part came to be here: reused, built, downloaded, installed, started."""
        self.done, self.detail = done, detail or self.detail


@dataclass
class Report:
    """Prints steps as they end, and a sign of life while they last."""

    logs: Path
    console: Console = field(default_factory=Console)
    heartbeat: float = HEARTBEAT_SECONDS
    _now: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Bring one part."""
        step = Step(name)
        start = time.monotonic()
        ended = threading.Event()
        threading.Thread(target=self._beat, args=(name, start, ended), daemon=True).start()
        try:
            yield step
        except BaseException:
            took = seconds(time.monotonic() - start)
            self.console.say(f"  {name:<16} {self.console.paint('stopped    ', RED)} {took:>12}")
            raise
        finally:
            ended.set()
            self._now = ""
        took = seconds(time.monotonic() - start)
        fresh = step.done not in ("reused", "not needed")
        done = self.console.paint(f"{step.done:<11}", GREEN if fresh else BOLD)
        self.console.say(f"  {name:<16} {done} {took:>12}   {step.detail}".rstrip())

    def say(self, text: str) -> None:
        """Print one line about what happens inside a step."""
        self._now = text
        self.console.say(f"    {text}")

    def _beat(self, name: str, start: float, ended: threading.Event) -> None:
        while not ended.wait(self.heartbeat):
            self.console.say(f"    {self._now or name}: {time.monotonic() - start:.0f} s so far")

    def run(  # noqa: PLR0913 - a program, where and how it runs, and what its failure means
        self,
        command: list[str],
        *,
        name: str,
        limit: float,
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
        server: str = "",
        mend: str | None = None,
    ) -> None:
        """Run a program that may take long. Its output goes to a log, of which a failure shows the end.

        ``server`` is what it needs to reach; ``mend`` what helps when it cannot, or fails otherwise.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(variables) if variables is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that the whole of it can be ended at once
            )
            try:
                code = process.wait(limit)
            except BaseException as error:
                end(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise problem(
                        f"{name} took longer than {seconds(limit)} and was ended; its log is {log}", mend=mend
                    ) from None
                raise
        if code:
            text = log.read_text(errors="replace")
            if any(sign in text.lower() for sign in FULL_DISK):
                raise full_disk(text)
            cause = first_line(text, NO_NETWORK) if server else None
            if cause:
                raise problem(f"{server} cannot be reached: {cause} (all that {name} said: {log})", mend=mend)
            last = "\n  ".join(text.strip().splitlines()[-TAIL:])
            raise problem(f"{name} failed with exit code {code} (all of it: {log}):\n  {last}", mend=mend)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


def first_line(said: str, signs: tuple[str, ...]) -> str | None:
    """Find the line that names a known cause, without what repeats in it."""
    for row in said.splitlines():
        if any(sign in row.lower() for sign in signs):
            return row.strip().removeprefix("WARNING: ")[:LONGEST]
    return None


def full_disk(said: str) -> PipelineError:
    """Make the error for a disk without room."""
    return problem(
        f"the disk is full: {first_line(said, FULL_DISK) or said}",
        allowed="10 GB free for a first run that builds everything",
        mend="df -h   # make room where it shows 100 %, then run the same command again: it goes on where it stopped",
    )
