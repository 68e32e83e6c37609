"""The switch of a cluster, run for real with programs that answer what a cluster would."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from components import nginx

ENVIRONMENT = {
    "SLIPWAY_RELEASE": "release",
    "SLIPWAY_ALL": "everything",
    "SLIPWAY_REPLICAS": "2",
    "SLIPWAY_PORT": "8000",
    "SLIPWAY_EDGE": "edge:80",
    "SLIPWAY_PATH": "/healthz",
    "SLIPWAY_STATUS": "200-399",
    "SLIPWAY_HOST": "shop.example.org",
    "SLIPWAY_TIMEOUT": "0",
}
TWO = "10.0.0.1 10.0.0.2"


class Cluster:
    """Programs that answer as a cluster would, and note what they were asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        self._bad: dict[str, str] = {}

    def name(self, name: str, addresses: str) -> "Cluster":
        """Give a name addresses."""
        self._names[name] = addresses
        return self

    def bad(self, url: str, answer: str = "500") -> "Cluster":
        """Let a page answer with a status, or not answer for a reason."""
        self._bad[url] = answer
        return self

    def run(self, environment: Mapping[str, str] = ENVIRONMENT) -> subprocess.CompletedProcess[str]:
        """Run the switch."""
        names = "\n".join(
            f'{name}) for one in {addresses}; do echo "$one STREAM {name}"; echo "$one DGRAM"; done; exit 0 ;;'
            for name, addresses in self._names.items()
            if addresses
        )
        bad = "\n".join(f'*"{url}"*) printf %s "{answer}"; exit 0 ;;' for url, answer in self._bad.items())
        self._program("getent", f'case "$2" in\n{names}\nesac\nexit 2\n')
        self._program("curl", f'echo "$@" >>{self._folder}/asked\ncase "$*" in\n{bad}\nesac\nprintf 200\n')
        return subprocess.run(
            nginx.verify_command(),
            env={"PATH": f"{self._folder}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        """What was asked over HTTP, a line for each."""
        return (self._folder / "asked").read_text().splitlines()

    def _program(self, name: str, text: str) -> None:
        file = self._folder / name
        file.write_text(f"#!/bin/sh\n{text}")
        file.chmod(0o755)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Give a cluster on which nothing runs."""
    return Cluster(tmp_path)


def test_a_release_that_serves(cluster: Cluster) -> None:
    """Each process of the release and the edge are asked for the health page, as a visitor behind TLS."""
    done = cluster.name("release", TWO).name("everything", TWO).run()

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.rsplit(" ", 1)[1] for line in cluster.asked] == [
        "http://10.0.0.1:8000/healthz",
        "http://10.0.0.2:8000/healthz",
        "http://edge:80/healthz",
    ]
    assert all("Host: shop.example.org" in line and "X-Forwarded-Proto: https" in line for line in cluster.asked)


def test_too_few(cluster: Cluster) -> None:
    """Fewer processes than there should be are not enough."""
    done = cluster.name("release", "10.0.0.1").name("everything", "10.0.0.1").run()

    assert done.returncode == 1
    assert "within 0 s: 1 of 2 processes of the release can serve" in done.stderr


def test_none_at_all(cluster: Cluster) -> None:
    """A name without addresses is no process."""
    assert "0 of 2 processes" in cluster.run().stderr


def test_one_that_does_not_answer(cluster: Cluster) -> None:
    """Each of them has to answer, and who does not is named, with the reason."""
    done = cluster.name("release", TWO).name("everything", TWO).bad("http://10.0.0.2:8000/").run()

    assert done.returncode == 1
    assert "10.0.0.2 does not answer: status 500, where 200-399 is good" in done.stderr


def test_another_release_that_still_serves(cluster: Cluster) -> None:
    """As long as others get requests too, the release is not the one that serves."""
    done = cluster.name("release", TWO).name("everything", f"{TWO} 10.0.0.9").run()

    assert done.returncode == 1
    assert "processes of another release still get requests" in done.stderr


def test_an_edge_that_does_not_answer(cluster: Cluster) -> None:
    """The way through the edge counts too."""
    done = cluster.name("release", TWO).name("everything", TWO).bad("http://edge:80/").run()

    assert done.returncode == 1
    assert "the edge does not answer at http://edge:80: status 500, where 200-399 is good" in done.stderr


def test_addresses_of_the_other_kind(cluster: Cluster) -> None:
    """An IPv6 address is written as a URL wants it."""
    done = cluster.name("release", "fd00::1 fd00::2").name("everything", "fd00::1 fd00::2").run()

    assert done.returncode == 0
    assert cluster.asked[0].endswith("http://[fd00::1]:8000/healthz")


def test_what_is_missing_is_said_once(cluster: Cluster) -> None:
    """Whoever follows the log reads each reason once, however often it is found."""
    done = cluster.run({**ENVIRONMENT, "SLIPWAY_TIMEOUT": "2"})

    assert done.stdout.count("0 of 2 processes") == 1


def test_other_statuses_can_be_good(cluster: Cluster) -> None:
    """What settings call good is good, and nothing else."""
    cluster.name("release", TWO).name("everything", TWO).bad("http://10.0.0.1:8000/", "401")

    assert cluster.run({**ENVIRONMENT, "SLIPWAY_STATUS": "200,401"}).returncode == 0
    assert "status 401, where 200-299 is good" in cluster.run({**ENVIRONMENT, "SLIPWAY_STATUS": "200-299"}).stderr


def test_no_answer_is_said_with_its_reason(cluster: Cluster) -> None:
    """What the program says is what is shown."""
    done = cluster.name("release", TWO).name("everything", TWO).bad("http://edge:80/", "curl: (7) refused").run()

    assert "the edge does not answer at http://edge:80: curl: (7) refused" in done.stderr
