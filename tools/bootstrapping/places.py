"""Where things lie: in this clone, in the cache that all clones share; and putting files there in one piece.

It decides nothing about what lies there.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.console import problem
from tools.airgap import Say, cache_dir

REPOSITORY = Path(__file__).resolve().parents[2]
LOCAL = REPOSITORY / ".slipway"
BIN = LOCAL / "bin"
LOGS = LOCAL / "logs"
ENV = LOCAL / "env"
PULUMI_HOME = LOCAL / "pulumi"
VENV = REPOSITORY / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
UNFINISHED = ".unfinished-"
LOCK_SECONDS = 3600.0

__all__ = ["BIN", "ENV", "LOCAL", "LOGS", "PULUMI_HOME", "REPOSITORY", "VENV", "VENV_PYTHON", "cache_dir"]


def write(path: Path, text: str, mode: int = 0o644) -> bool:
    """Write a small file in one piece; whether it changed."""
    with contextlib.suppress(OSError):
        if path.read_text() == text and path.stat().st_mode & 0o777 == mode:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=UNFINISHED, delete=False) as file:
        try:
            file.write(text)
            file.flush()
            Path(file.name).chmod(mode)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return True


def same(one: Path, other: Path) -> bool:
    """Whether a file is a link to, or a copy of, another."""
    try:
        a, b = one.stat(), other.stat()
    except OSError:
        return False
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino) or (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)


def place(source: Path, target: Path) -> bool:
    """Put a file of the cache into the clone, by a hard link where the file system allows it; whether it changed."""
    if same(source, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{UNFINISHED}{target.name}")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copy2(source, part)
    part.replace(target)
    return True


@contextmanager
def folder_in_one_piece(target: Path) -> Iterator[Path]:
    """Fill a folder that appears under its name only when it is complete. Remains of interrupted runs go."""
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{UNFINISHED}{target.name}-"
    for old in target.parent.glob(f"{prefix}*"):
        remove(old)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
    part.chmod(0o755)
    try:
        yield part
        part.rename(target)
    finally:
        if part.exists():
            remove(part)


def remove(folder: Path) -> None:
    """Remove a folder, also one with files that may not be written, as Go's modules are."""
    for root, folders, _ in os.walk(folder):
        for name in folders:
            with contextlib.suppress(OSError):
                Path(root, name).chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def lock(path: Path, say: Say) -> Iterator[None]:
    """Keep two bootstraps from running into each other. The lock ends with the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pass
            if not told:
                say(f"another tools/bootstrap is at work (lock {path}); waiting for it")
                told = True
            if time.monotonic() > deadline:
                raise problem(
                    f"another tools/bootstrap has held {path} for an hour",
                    mend=f"fuser -v {path}   # shows the process; end it if it hangs, then run the same command again",
                )
            time.sleep(0.2)
        yield
