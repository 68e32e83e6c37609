"""The virtual environment of this clone and the pinned packages in it.

A mark inside the environment says which lock it was filled from; without the mark it is filled again.
"""

import hashlib
import importlib.util
import re
import subprocess
import sys

from tools.bootstrapping import debian, places
from tools.bootstrapping.report import Report

LOCK = places.REPOSITORY / "requirements-dev.txt"
MARK = places.VENV / ".slipway-requirements"
BEGUN = places.VENV / ".slipway-unfinished"
OLDEST, NEWEST = (3, 11), (3, 13)
PIP_SECONDS = 1800.0
INDEX = "pip config list   # must name a package registry that this machine reaches: export PIP_INDEX_URL=https://..."


def version() -> tuple[int, int] | None:
    """Read which Python the environment was made with."""
    try:
        found = re.search(
            r"^version(?:_info)? *= *(\d+)\.(\d+)", (places.VENV / "pyvenv.cfg").read_text(), re.MULTILINE
        )
    except OSError:
        return None
    return (int(found[1]), int(found[2])) if found else None


def works() -> bool:
    """Whether the environment can be filled: its Python runs, is one that is allowed, and has pip."""
    found = version()
    if found is None or not OLDEST <= found <= NEWEST or BEGUN.exists():
        return False
    command = [str(places.VENV_PYTHON), "-c", "import pip"]
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def wanted() -> str:
    """What the mark says when everything is installed."""
    return f"{version()} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n"


def complete() -> bool:
    """Whether the packages of the lock are there. Looks at small files alone."""
    return MARK.is_file() and MARK.read_text() == wanted() and places.VENV_PYTHON.exists()


def ensure(report: Report) -> None:
    """Bring the environment and its packages."""
    with report.step("environment") as step:
        if not complete() and not works():
            create(report)
            step.did("created")
        step.detail = ".venv with Python {}.{}".format(*version() or ("?", "?"))
    with report.step("packages") as step:
        step.detail = LOCK.name
        if not complete():
            install(report)
            step.did("installed")


def create(report: Report) -> None:
    """Make the environment; on Debian the module for it is a package of its own."""
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        debian.install(
            report, [package], why="Python cannot make virtual environments: its module ensurepip is missing"
        )
    report.run(
        [sys.executable, "-m", "venv", "--clear", str(places.VENV)],
        name="venv",
        limit=300,
        mend="rm -rf .venv && tools/bootstrap",
    )


def install(report: Report) -> None:
    """Install the lock; each file is checked against the hash that the lock holds.

    The lock is complete, so pip resolves nothing (``--no-deps``): for ``coverage[toml]`` an older pip does not take the
    pin of ``coverage``, looks for the newest one, and refuses it from the day when that is not the pinned one.
    """
    report.say(f"installing {LOCK.name}")
    MARK.unlink(missing_ok=True)
    BEGUN.touch()  # pip takes a package that was half written for one that is there
    report.run(
        [
            *(str(places.VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"),
            *("--no-deps", "--require-hashes", "-r", str(LOCK)),
        ],
        name="packages",
        limit=PIP_SECONDS,
        server="the package registry that pip uses",
        mend=INDEX,
    )
    BEGUN.unlink()
    places.write(MARK, wanted())
