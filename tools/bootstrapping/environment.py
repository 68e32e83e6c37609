"""The virtual environment of this clone and the pinned packages in it.

A mark inside the environment says which lock it was filled from; without the mark it is filled again.
"""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from pipeline.console import problem
from tools.bootstrapping import debian, places
from tools.bootstrapping.report import Report

LOCK = places.REPOSITORY / "requirements-dev.txt"
MARK = places.VENV / ".slipway-requirements"
PIP_SECONDS = 1800.0
INDEX = "pip config list   # must name a package registry that this machine reaches: export PIP_INDEX_URL=https://..."


def works(python: Path = places.VENV_PYTHON) -> bool:
    """Whether the environment's Python runs, is one that is allowed, and has pip."""
    check = f"import sys, pip; sys.exit(not (sys.version_info[:2] == {sys.version_info[:2]!r}))"
    try:
        return subprocess.run([str(python), "-c", check], check=False, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def wanted() -> str:
    """What the mark says when everything is installed."""
    return f"{sys.version_info.major}.{sys.version_info.minor} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n"


def complete() -> bool:
    """Whether the packages of the lock are there. Looks at one small file."""
    return MARK.is_file() and MARK.read_text() == wanted() and places.VENV_PYTHON.exists()


def ensure(report: Report) -> None:
    """Bring the environment and its packages."""
    with report.step("environment") as step:
        step.detail = f".venv with Python {sys.version_info.major}.{sys.version_info.minor}"
        if not complete() and not works():
            create(report)
            step.did("created")
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
    MARK.unlink(missing_ok=True)
    report.run(
        [sys.executable, "-m", "venv", "--clear", str(places.VENV)],
        name="venv",
        limit=300,
        mend="rm -rf .venv && tools/bootstrap",
    )


def install(report: Report) -> None:
    """Install the lock; each file is checked against the hash that the lock holds."""
    report.say(f"installing {LOCK.name}")
    report.run(
        [
            *(str(places.VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"),
            *("--require-hashes", "-r", str(LOCK)),
        ],
        name="packages",
        limit=PIP_SECONDS,
        mend=INDEX,
    )
    if not works():
        raise problem("the virtual environment does not run", mend="rm -rf .venv && tools/bootstrap")
    places.write(MARK, wanted())
