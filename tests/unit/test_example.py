"""The example is a project of its own: its tests pass with its own pins, and it needs nothing of Slipway."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "guestbook"
REQUIREMENTS = EXAMPLE / "requirements.txt"


def run(arguments: list[str], *, limit: int, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a program within a limit of seconds, and show what it printed when it fails."""
    finished = subprocess.run(
        arguments,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if finished.returncode:
        pytest.fail(f"{' '.join(arguments)} ended with {finished.returncode}:\n{finished.stdout}\n{finished.stderr}")


@pytest.fixture(scope="module")
def python() -> Path:
    """Return the Python of a virtual environment with the example's requirements, kept in the cache by their hash."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"
    cache = Path(os.environ.get("SLIPWAY_CACHE") or default) / "example"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(version.encode() + REQUIREMENTS.read_bytes()).hexdigest()[:16]
    venv = cache / f"{version}-{key}"
    if not venv.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            new = Path(folder) / "venv"
            uv = [sys.executable, "-m", "uv", "--quiet"]
            run([*uv, "venv", "--relocatable", "--python", sys.executable, str(new)], limit=60)
            install = [*uv, "pip", "install", "--python", str(new / "bin" / "python"), "-r", str(REQUIREMENTS)]
            run(install, limit=300)
            new.rename(venv)
    return venv / "bin" / "python"


def test_the_example_passes_its_own_tests(python: Path, tmp_path: Path) -> None:
    """A copy of the example, alone with its requirements, passes its tests with warnings as errors."""
    project = tmp_path / "guestbook"
    shutil.copytree(
        EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", "db.sqlite3", "media", "staticfiles")
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    run([str(python), "-W", "error", "manage.py", "test"], limit=120, cwd=project, env=environment)


def test_the_requirements_are_pinned() -> None:
    """Every requirement names one version."""
    lines = [
        line for line in REQUIREMENTS.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)] == []


def test_the_example_knows_nothing_of_slipway() -> None:
    """Its code names Slipway only where it shows the release that is deployed."""
    named = [
        match
        for path in EXAMPLE.rglob("*.py")
        for match in re.findall(r"\S*slipway\S*", path.read_text(), flags=re.IGNORECASE)
        if "SLIPWAY_RELEASE" not in match
    ]
    assert named == []


def test_the_version_is_one_line() -> None:
    """The version that a deployment shows is changed in one line of one file."""
    lines = (EXAMPLE / "config" / "version.py").read_text().splitlines()
    assert [line for line in lines if re.fullmatch(r'VERSION = "[0-9.]+"', line)] != []
