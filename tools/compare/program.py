"""Brings ``docker compose``: the one on PATH if there is one, else built from Go modules into the cache."""

import shutil
import subprocess
from collections.abc import Mapping

from tools.bootstrapping import golang
from tools.bootstrapping.report import Report

COMPOSE = golang.Tool(
    "compose",
    ("github.com/docker/compose/v2/cmd",),
    ("github.com/docker/compose/v2/internal.Version", "v2.40.3"),
)
"""Not one of ``golang.TOOLS``, which the bootstrap builds."""

OLDEST = (2, 20)
"""The first that waits for one-shot services and health checks as the compose file says, and builds with BuildKit."""


def usable(version: str) -> bool:
    """Whether that version, as ``version --short`` prints it, is new enough."""
    return golang.parts(version) >= OLDEST


def on_path(environ: Mapping[str, str]) -> list[str] | None:
    """Look for a ``docker compose`` or ``docker-compose`` on PATH; its words on a command line."""
    for words in (["docker", "compose"], ["docker-compose"]):
        program = shutil.which(words[0], path=environ.get("PATH"))
        if program and usable(version_of([program, *words[1:]], environ)):
            return [program, *words[1:]]
    return None


def version_of(command: list[str], environ: Mapping[str, str]) -> str:
    """Ask a compose for its version; nothing if it is none."""
    try:
        done = subprocess.run(
            [*command, "version", "--short"], env=environ, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def bring(environ: Mapping[str, str], report: Report) -> list[str]:
    """Give the words that start compose on a command line."""
    with report.step("docker compose") as step:
        found = on_path(environ)
        if found is None:
            there = golang.built(COMPOSE)
            found = [str((there or golang.build(COMPOSE, report)) / "cmd")]
            if there is None:
                step.did("built")
        step.detail = version_of(found, environ)
    return found
