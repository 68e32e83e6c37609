"""The health check of a web container, run for real against a small server."""

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from components import health
from components.health import HealthCheck
from components.model import Check
from tests.sample import settings


class _App(BaseHTTPRequestHandler):
    """Answers as its path says, and remembers what it was asked."""

    seen: ClassVar[list[tuple[str, str | None, str | None]]] = []

    def do_GET(self) -> None:
        """Answer /<status>; a redirect points at a page that must not be asked for."""
        self.seen.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
        status = int(self.path.strip("/"))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/500")
        self.end_headers()
        self.wfile.write(b"database: connection refused" if status >= 500 else b"fine")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Keep the tests' output clean."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Start the app on a free port that the health check then asks."""
    _App.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _App) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(health, "PORT", server.server_port)
        yield server.server_port
        server.shutdown()
        thread.join(timeout=5)


def page(path: str, **other: Any) -> HealthCheck:  # noqa: ANN401 - fields are of many types
    """Give a check of a page."""
    return HealthCheck(**{"kind": Check.PAGE, "path": path, "host": "shop.example.org", **other})


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.usefixtures("port")
@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (301, 0), (302, 0), (400, 1), (404, 1), (503, 1)])
def test_an_answer_below_400_is_healthy(status: int, code: int) -> None:
    """Whatever the app answers below 400 is healthy, and a redirect is not followed."""
    result = _run(health.command(page(f"/{status}")))
    assert result.returncode == code
    assert _App.seen == [(f"/{status}", "shop.example.org", "https")]


@pytest.mark.usefixtures("port")
def test_a_failure_says_why() -> None:
    """What the app says about itself is in the log of the check."""
    result = _run(health.command(page("/503")))
    assert result.stdout == "503 Service Unavailable\n"
    assert result.stderr == "database: connection refused\n"


@pytest.mark.usefixtures("port")
@pytest.mark.parametrize(
    ("allowed", "host"),
    [("shop.example.org,localhost", "shop.example.org"), (".example.org", "example.org"), ("*", "localhost")],
)
def test_without_a_host_the_first_allowed_one_is_asked_for(allowed: str, host: str) -> None:
    """The check that the image holds fits every environment."""
    assert _run(health.command(page("/200", host=None)), ALLOWED_HOSTS=allowed).returncode == 0
    assert _App.seen == [("/200", host, "https")]


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is unhealthy, in one line and without a traceback."""
    monkeypatch.setattr(health, "PORT", 1)
    result = _run(health.command(page("/200")))
    assert result.returncode == 1
    assert result.stderr == "no answer: [Errno 111] Connection refused\n"


def test_command_is_one_list_for_image_and_container() -> None:
    """The command takes nothing but Python's standard library, and quotes what it is given."""
    command = health.command(page("/healthz?a='b'"))
    assert command[:4] == ["python3", "-I", "-S", "-c"]
    compile(command[4], "health", "exec")


@pytest.mark.usefixtures("port")
@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (302, 1), (401, 0), (403, 1)])
def test_statuses_that_are_good_are_said(status: int, code: int) -> None:
    """Ranges and single numbers."""
    assert _run(health.command(page(f"/{status}", statuses="200-299,401"))).returncode == code


@pytest.mark.usefixtures("port")
def test_the_start_has_a_page_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked until it is good, and from then on the other one."""
    monkeypatch.setattr(health, "STARTED", str(tmp_path / "started"))
    red, green = (
        health.command(page("/503", startup_path="/500")),
        health.command(page("/204", startup_path="/200")),
    )

    assert [_run(command).returncode for command in (red, green, green, red)] == [1, 0, 0, 1]
    assert [path for path, _, _ in _App.seen] == ["/500", "/200", "/204", "/503"]


@pytest.mark.usefixtures("port")
def test_a_port_that_answers_is_enough() -> None:
    """No page is asked."""
    check = page("/500", kind=Check.TCP)
    assert _run(health.command(check)).returncode == 0
    assert _App.seen == []


def test_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, in one line."""
    monkeypatch.setattr(health, "PORT", 1)
    assert _run(health.command(page("/", kind=Check.TCP))).stderr == "no answer: [Errno 111] Connection refused\n"


def test_a_command_of_the_projects_own() -> None:
    """It is run as it is, or with the variables that only its shell has."""
    said: dict[str, Any] = {"health": {"check": "command", "command": "python check.py"}}
    assert health.command(health.of(settings(said))) == ["python", "check.py"]
    said["app"] = {"environment": {"KEY": "${secrets.key}"}}
    assert health.command(health.of(settings(said)))[-2:] == ["python", "check.py"]
    assert health.command(health.of(settings(said)))[:2] == ["sh", "-c"]


def test_what_is_asked_through_the_edge() -> None:
    """Where the page does not tell, anything but the edge's own errors shows that the app is reached."""
    assert health.through_the_edge(page("/", statuses="200")) == "200"
    assert health.through_the_edge(page("/", kind=Check.TCP)) == "100-501,505-599"
