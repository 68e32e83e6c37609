"""Measures one side after the other, step by step, and writes the table of docs/numbers.md.

Both sides get the same project, one web container and the limits of dev. Each is brought up and taken down once before
anything is measured, so that what both build on is there. Compose builds too (``up --build``), with the builder that
Slipway uses and the Dockerfile that Slipway writes: Slipway goes first, and a change of dependencies, for which a
company's CA may be needed, is not measured. A changed line is another one on each side, so that nobody takes a layer
that the other one has built. A line is live when its first answer is there. With nothing changed, compose looks for a
change of the image as Slipway does, and runs its one-shot services again, as it always does.
"""

import contextlib
import http.client
import json
import os
import secrets
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import docker
import docker.errors

from pipeline.console import problem
from tests.e2e.load import Load
from tests.e2e.site import ROOT, RUN, Site, free_port

FOLDER = Path(__file__).parent
FILE = FOLDER / "compose.yaml"
LIMIT_SECONDS = 420
"""The longest that one command may take."""
ANSWER_SECONDS = 60
"""How long after its command a side may take to answer, and to answer with a new line."""
LOOK_SECONDS = 0.05
ROUNDS, RELEASES = 5, 3
REQUESTS = 100
"""So many are answered before a release under load begins, and again after it."""
BEFORE = "1.0.0"
"""The version that both begin with."""
LABEL = "slipway.compare"


class Side(Protocol):
    """One of the two that are compared."""

    name: str
    port: int
    command: str
    """What brings it up, as a person types it."""

    def up(self) -> None:
        """Bring it up, or up to date."""

    def down(self) -> None:
        """Take it down with its data."""

    def set_version(self, version: str) -> None:
        """Change a line of the project."""


@dataclass
class Slipway:
    """A stack of its own, as in the e2e tests."""

    folder: Path
    name: str = "Slipway"
    command: str = "python -m pipeline up STACK"

    def __post_init__(self) -> None:
        """Write the stack's file and its secrets."""
        self.site = Site(self.folder, "compare").make(app={"name": f"compare-{RUN}"}).secrets()
        self.port = self.site.port
        self.set_version = self.site.set_version

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile that Slipway has written."""
        return self.site.root / ".slipway/build" / self.site.stack / "Dockerfile"

    def up(self) -> None:
        """Bring the stack up."""
        self.site.up().good()

    def down(self) -> None:
        """Destroy the stack."""
        self.site.down().good()

    def close(self) -> None:
        """Leave nothing, no image either."""
        daemon = docker.from_env()
        try:
            self.site.close()
            for image in daemon.images.list():
                for tag in image.tags:
                    if tag.startswith(f"compare-{RUN}:"):
                        daemon.images.remove(tag)
        finally:
            daemon.close()


@dataclass
class Compose:
    """A compose project of its own, over a copy of the same Django project."""

    program: Sequence[str]
    site: Site
    """Whose environment and Django project it takes."""
    dockerfile: Path
    name: str = "Compose"
    command: str = "docker compose up -d --build"
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Make secrets, which a plain compose file takes from the environment."""
        self.project = f"compare-{RUN}-compose"
        self.environ = {
            **self.site.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_BAKE": "false",  # that needs another program, and a build of one image gains nothing
            "APP_SOURCE": str(self.site.app),
            "APP_DOCKERFILE": str(self.dockerfile),
            "PORT": str(self.port),
            **{name: secrets.token_urlsafe(32) for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")},
        }
        self.set_version = self.site.set_version

    def run(self, *arguments: str) -> None:
        """Run compose."""
        done = subprocess.run(
            [*self.program, "--file", str(FILE), "--progress", "plain", *arguments],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        words = f"docker compose {' '.join(arguments)}"
        print(f"$ {words}\n{done.stdout}")
        if done.returncode:
            raise problem(f"{words} ended with exit code {done.returncode}:\n{done.stdout}")

    def up(self) -> None:
        """Bring the project up."""
        self.run("up", "--detach", "--build")

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "20")

    def close(self) -> None:
        """Leave nothing, no image either."""
        daemon = docker.from_env()
        try:
            self.down()
        finally:
            for image in daemon.images.list(all=True, filters={"label": f"{LABEL}={self.project}"}):
                with contextlib.suppress(docker.errors.ImageNotFound):
                    daemon.images.remove(str(image.id), force=True)
            daemon.close()


Answers = Sequence[tuple[float, str | None]]
"""When an answer came, and the version in it; None where there was none."""


def first(answers: Answers, version: str) -> float | None:
    """When a version answered for the first time."""
    return next((when for when, found in answers if found == version), None)


def longest_gap(answers: Answers) -> float:
    """How long nothing answered, at most: from the first question without an answer to the next answer."""
    longest, since = 0.0, None
    for when, found in answers:
        if found is None:
            since = when if since is None else since
            longest = max(longest, when - since)
        elif since is not None:
            longest, since = max(longest, when - since), None
    return longest


def version_at(port: int) -> str | None:
    """Ask which version is served."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/version")
        answer = connection.getresponse()
        body = answer.read()
        return str(json.loads(body)["version"]) if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


class Watch:
    """Asks for the version all the time; use it as a context."""

    def __init__(self, port: int) -> None:
        self.answers: list[tuple[float, str | None]] = []
        self._port = port
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._end.is_set():
            begun = time.monotonic()
            found = version_at(self._port)
            self.answers.append((time.monotonic() if found else begun, found))
            self._end.wait(LOOK_SECONDS)

    def wait_for(self, version: str) -> float:
        """Wait until a version has answered; when that was."""
        end = time.monotonic() + ANSWER_SECONDS
        while (when := first(self.answers, version)) is None:
            if time.monotonic() > end:
                raise problem(f"version {version} did not answer within {ANSWER_SECONDS} s after its command had ended")
            time.sleep(LOOK_SECONDS)
        return when

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._end.set()
        self._thread.join(10)


def timed(act: Callable[[], None]) -> float:
    """Time a command."""
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    cells: tuple[str, str]
    command: str
    ratio: str = ""

    def __str__(self) -> str:
        """As a row of a Markdown table."""
        slipway, compose = self.cells
        return f"| {self.what} | {slipway} | {compose} | {self.ratio} | {self.command} |"


def duration_row(what: str, seconds: tuple[float, float], command: str) -> Row:
    """Compare two durations; below 1, Slipway is the faster."""
    ours, theirs = seconds
    return Row(what, (f"{ours:.1f} s", f"{theirs:.1f} s"), command, f"{ours / theirs:.2f}")


def medians(both: tuple[list[float], list[float]]) -> tuple[float, float]:
    """Take the median of each side."""
    return statistics.median(both[0]), statistics.median(both[1])


def measure(sides: tuple[Side, Side]) -> Iterator[Row]:
    """Go through the life of both."""
    both = " / ".join(f"`{side.command}`" for side in sides)
    for side in sides:
        side.set_version(BEFORE)
        side.up()
        side.down()

    ups = []
    for side in sides:
        begun = time.monotonic()
        with Watch(side.port) as watch:
            side.up()
            watch.wait_for(BEFORE)
        ups.append(time.monotonic() - begun)
    yield duration_row("from nothing to a served page, images and layers there", (ups[0], ups[1]), both)

    empty: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for times, side in zip(empty, sides, strict=True):
            times.append(timed(side.up))
    yield duration_row(f"nothing changed, median of {ROUNDS}", medians(empty), both)

    lives: tuple[list[float], list[float]] = ([], [])
    ends: tuple[list[float], list[float]] = ([], [])
    for number in range(RELEASES):
        for index, side in enumerate(sides):
            live, end = release(side, f"2.{number}.{index}")
            lives[index].append(live)
            ends[index].append(end)
    change = f"change `VERSION` in `config/version.py`, then {both}"
    yield duration_row(f"a changed line of code to its first answer, median of {RELEASES}", medians(lives), change)
    yield duration_row("the same, to the end of the command", medians(ends), change)
    cells, gaps = [], []
    for side, version in zip(sides, ("3.0.0", "3.0.1"), strict=True):
        side.set_version(version)
        with Load(side.port) as load, Watch(side.port) as watch:
            load.wait_for(REQUESTS)
            side.up()
            watch.wait_for(version)
            load.wait_for(REQUESTS)
        print(load.summary())
        cells.append(f"{len(load.failures)} of {load.requests}")
        gaps.append(f"{longest_gap(watch.answers):.1f} s")
    under = f"the same under the load of `tests/e2e/load.py`, until {REQUESTS} more requests were answered"
    yield Row("failed requests during that release", (cells[0], cells[1]), under)
    yield Row("how long nothing was served", (gaps[0], gaps[1]), under)


def release(side: Side, version: str) -> tuple[float, float]:
    """Make a release in quiet: seconds to its first answer, and to the end of its command."""
    side.set_version(version)
    begun = time.monotonic()
    with Watch(side.port) as watch:
        side.up()
        ended = time.monotonic()
        return watch.wait_for(version) - begun, ended - begun


def busy() -> str:
    """How busy the machine is, for whoever compares two runs."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
