"""Stopping an ``up`` at several moments, and killing it: the next one completes."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site

pytestmark = pytest.mark.docker


@pytest.fixture
def site(make_site: Callable[..., Site], request: pytest.FixtureRequest) -> Iterator[Site]:
    """A stack for one test."""
    number = abs(hash(request.node.name)) % 1000
    site = make_site(f"cut{number}").secrets()
    yield site
    site.close()


class Output:
    """Collects what a process says, so that a test can act at a certain line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.text = ""
        self._process = process
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.text += line

    def wait_for(self, text: str, limit: float = 120) -> None:
        """Wait until something was said."""
        end = time.monotonic() + limit
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} was not said within {limit} s:\n{self.text}"
            assert self._process.poll() is None, f"ended before it said {text!r}:\n{self.text}"
            time.sleep(0.01)

    def end(self, limit: float = 120) -> int:
        """Wait for the end."""
        code = self._process.wait(limit)
        self._thread.join(10)
        print(self.text)
        return code


def completes(site: Site) -> None:
    """The next ``up`` goes through, and nothing of the one before is left over."""
    site.up().good()
    assert site.ask().status == 200
    assert len(site.containers("web")) == 1
    assert len({each.name for each in site.containers()}) == len({site_key(each.labels) for each in site.containers()})
    unchanged = site.up().good().text
    assert "unchanged" in unchanged
    site.down().good()
    assert site.things() == []


def site_key(labels: dict[str, str]) -> str:
    """What there may be one of, with one replica."""
    return labels["slipway.component"]


@pytest.mark.parametrize(
    "moment",
    ["==> Check the machine", "app-build | [build", "docker:index:Container postgres-server creating"],
)
def test_ctrl_c(site: Site, moment: str) -> None:
    """The whole foreground group gets the signal, as from a terminal; what is under way is finished, then it ends."""
    with subprocess.Popen(
        ["python", "-m", "pipeline", "up", site.stack],
        cwd=site.root,
        env=site.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        output = Output(process)
        output.wait_for(moment)
        os.killpg(process.pid, signal.SIGINT)
        code = output.end()

    assert code == 130
    assert "Traceback" not in output.text
    assert "Stopped. The same command again goes on from here." in output.text
    assert not list((site.state / ".pulumi/locks").rglob("*.json"))
    completes(site)


def test_kill_of_everything(site: Site) -> None:
    """Power goes off in the middle of a container's start: its lock and its half-made containers are mended."""
    with site.start("python", "-m", "pipeline", "up", site.stack) as process:
        output = Output(process)
        output.wait_for("docker:index:Container postgres-server creating")
        for pid in [process.pid, *children(process.pid)]:
            os.kill(pid, signal.SIGKILL)
        output.end()

    assert list((site.state / ".pulumi/locks").rglob("*.json"))
    completes(site)


def test_kill_of_the_command_alone(site: Site) -> None:
    """Pulumi goes on by itself; the next ``up`` waits for it."""
    with site.start("python", "-m", "pipeline", "up", site.stack) as process:
        output = Output(process)
        output.wait_for("docker:index:Container postgres-server creating")
        process.kill()
        output.end()

    completes(site)


def children(pid: int) -> list[int]:
    """Every process below one."""
    below: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended meanwhile
            below.setdefault(parent, []).append(int(folder.name))
    found = []
    ahead = [pid]
    while ahead:
        ahead = [child for parent in ahead for child in below.get(parent, [])]
        found += ahead
    return found
