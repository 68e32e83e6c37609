"""Locks between commands on one machine, whichever clone they run in: for what is counted first and then made.

Pulumi itself locks each stack. What is said of several stacks together, it does not know.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.console import problem

WAIT_SECONDS = 120
PAUSE_SECONDS = 0.2


def file(what: str, environ: Mapping[str, str]) -> Path:
    """Name the file of a lock: one for each backend, since that is what names are counted in."""
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    backend = hashlib.sha256(environ.get("PULUMI_BACKEND_URL", "").encode()).hexdigest()[:12]
    return Path(home) / "slipway" / "locks" / f"{what}-{backend}"


@contextmanager
def taken(what: str, environ: Mapping[str, str], wait: float = WAIT_SECONDS) -> Iterator[bool]:
    """Take a lock for as long as the block runs; False where another command had it all the time that was waited.

    A process that ends lets go of it, however it ends.
    """
    path = file(what, environ)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield _take(handle, wait)
    finally:
        os.close(handle)


def _take(handle: int, wait: float) -> bool:
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(PAUSE_SECONDS)
        else:
            return True


@contextmanager
def held(what: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Take a lock, or raise where another command does not let go of it."""
    with taken(what, environ) as ours:
        if not ours:
            raise problem(
                f"another command has been making or removing environments for {WAIT_SECONDS} s",
                mend=f"the same command again; who it is: fuser {file(what, environ)}",
            )
        yield
