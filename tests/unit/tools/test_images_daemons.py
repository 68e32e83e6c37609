"""The processes that the stand-in images need: started once, recognised, replaced, and never a stranger's."""

import contextlib
import http.server
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.console import PipelineError
from tools.airgap import builder, registry
from tools.airgap.daemon import Daemon

LISTEN = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(60)"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))


def answers(path: Path) -> bool:
    """Whether something listens there."""
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.connect(str(path))
        return True
    return False


def listener(path: Path, config: str = "") -> Daemon:
    """A process that listens on a socket."""
    path.unlink(missing_ok=True)
    return Daemon("listener", (sys.executable, "-c", LISTEN, str(path)), lambda: answers(path), config)


def test_a_daemon_is_started_once_and_replaced_when_its_configuration_changes(tmp_path: Path) -> None:
    """The second call finds it; a changed configuration stops that one and starts another."""
    said: list[str] = []
    first, second = listener(tmp_path / "one"), listener(tmp_path / "two", "changed")
    try:
        assert first.ensure(said.append)
        assert not first.ensure(said.append)
        assert second.ensure(said.append)
        assert not answers(tmp_path / "one")
        assert answers(tmp_path / "two")
        assert [line.partition(" (")[0].partition(", log")[0] for line in said] == [
            "listener: starting",
            "listener: stopping the old one",
            "listener: starting",
        ]
    finally:
        second.stop(said.append)
    assert not answers(tmp_path / "two")


def test_a_daemon_that_ends_at_once_is_quoted() -> None:
    """What it said is in the error, and no pid file stays behind."""
    daemon = Daemon("broken", (sys.executable, "-c", "import sys; sys.exit('port is taken')"), lambda: False)
    with pytest.raises(PipelineError, match="port is taken"):
        daemon.ensure(lambda _: None)
    assert not list(daemon.log.parent.glob("broken.json"))


def test_a_daemon_that_never_answers_is_ended() -> None:
    """The wait has a limit, and nothing stays running."""
    daemon = Daemon("silent", (sys.executable, "-c", "import time; time.sleep(60)"), lambda: False, seconds=0.3)
    with pytest.raises(PipelineError, match="did not answer within"):
        daemon.ensure(lambda _: None)
    assert not list(daemon.log.parent.glob("silent.json"))


def test_a_process_with_a_reused_pid_is_not_ours(tmp_path: Path) -> None:
    """A pid file of an earlier boot may name somebody else's process: it is neither trusted nor killed."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "listener.json").write_text(json.dumps({"pid": os.getpid(), "started": "1", "key": "x"}))
    daemon = listener(tmp_path / "socket")
    said: list[str] = []
    assert daemon.ensure(said.append)
    daemon.stop(said.append)
    assert not any("stopping the old one" in line for line in said)


class _Stranger(http.server.BaseHTTPRequestHandler):
    """Some other registry."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Another program on the registry's port."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        monkeypatch.setattr(registry, "PORT", server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_strangers_registry_is_not_written_to(stranger: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port is taken: the error says how to find out by whom."""
    monkeypatch.setattr(registry, "_installed", lambda: "/bin/false")
    with pytest.raises(PipelineError, match=f"sport = :{stranger}"):
        registry.ensure(lambda _: None)


def test_the_builder_is_told_of_the_mirror_and_of_itself(tmp_path: Path) -> None:
    """docker.io is looked for on this machine first; buildx finds the builder by its socket."""
    config = builder.configuration("/usr/sbin/runc")
    assert '[registry."docker.io"]\n  mirrors = ["127.0.0.1:5000"]' in config
    assert f'root = "{tmp_path}/buildkit"' in config
    assert f'"Endpoint": "unix://{tmp_path}/run/buildkitd.sock"' in json.dumps(builder.instance())


def test_a_cache_with_a_long_path_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel's limit on socket paths is said as such, with what to set."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/sbin/runc")
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / ("x" * 100)))
    with pytest.raises(PipelineError, match="export SLIPWAY_CACHE"):
        builder.ensure(lambda _: None, Path("/nonexistent"))
