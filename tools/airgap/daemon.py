"""A host process that outlives the command that started it: one pid file, one log, one lock each.

It owns starting, recognising and stopping. It knows nothing of what the processes do, and never kills one that it
cannot prove to be its own (the same pid, started at the same moment).
"""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap import Say, cache_dir

_START_TIME = 22 - 4  # the 22nd field of /proc/PID/stat; what is split here begins at the 4th
_LONGEST_LOG = 5_000_000  # bytes; looked at when it is started


@dataclass(frozen=True)
class Daemon:
    """A process to be kept running.

    Attributes:
        name: Names its files in the cache's ``run`` directory.
        command: What is started.
        ready: Whether it answers. Must return at once.
        config: Text whose change means that it must be started again.
        seconds: How long it may take to answer.
        patience: How long it may take to end before it is killed.
        folder: Where its pid file, its lock and its log lie: the cache's ``run`` directory where none is named.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    config: str = ""
    seconds: float = 30
    patience: float = 10
    folder: Path | None = None

    @property
    def log(self) -> Path:
        """What it writes."""
        return (self.folder or run_dir()) / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return (self.folder or run_dir()) / f"{self.name}.json"

    @property
    def _key(self) -> str:
        return hashlib.sha256("\0".join((*self.command, self.config)).encode()).hexdigest()

    def ensure(self, say: Say) -> bool:
        """Start it unless it runs as it should; whether it had to be started."""
        with locked(self.name, self.folder):
            running = self._running()
            if running is not None and running["key"] == self._key and self.ready():
                return False
            if running is not None:
                say(f"{self.name}: stopping the old one (pid {running['pid']})")
                self._stop(int(str(running["pid"])))
            say(f"{self.name}: starting, log {self.log}")
            self._start()
            return True

    def stop(self, say: Say) -> None:
        """Stop it if it runs."""
        with locked(self.name, self.folder):
            running = self._running()
            if running is not None:
                say(f"{self.name}: stopping (pid {running['pid']})")
                self._stop(int(str(running["pid"])))

    def _running(self) -> dict[str, object] | None:
        try:
            known: dict[str, object] = json.loads(self._pid_file.read_text())
            return known if known["started"] == _started(int(str(known["pid"]))) else None
        except (OSError, ValueError, KeyError):
            return None

    def _start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        try:
            self._pid_file.write_text(
                json.dumps({"pid": process.pid, "started": _started(process.pid), "key": self._key}),
            )
            self._wait(process)
        except BaseException:
            process.kill()
            process.wait()
            self._pid_file.unlink(missing_ok=True)
            raise

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.seconds
        while not self.ready():
            code = process.poll()
            if code is not None:
                raise problem(f"{self.name} ended at once with exit code {code}. It said:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise problem(f"{self.name} did not answer within {self.seconds:.0f} s. It said:\n{self._tail()}")
            time.sleep(0.05)
        process.returncode = 0  # it is meant to outlive us: no ResourceWarning about a process left running

    def _stop(self, pid: int) -> None:
        for number, seconds in ((signal.SIGTERM, self.patience), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and _started(pid) is not None:
                time.sleep(0.05)
            if _started(pid) is None:
                break
        self._pid_file.unlink(missing_ok=True)

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def run_dir() -> Path:
    """Pids, sockets and logs of what runs."""
    path = cache_dir() / "run"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(name: str, folder: Path | None = None) -> Iterator[None]:
    """One at a time, across processes; the lock goes with the process that holds it."""
    with ((folder or run_dir()) / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _started(pid: int) -> str | None:
    """When a process started, in the kernel's words; nothing if there is none, or only its remains."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in {"Z", "X"} else rest[_START_TIME]
