"""The commands of what runs once, run for real."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components import steps


def waiting(folder: Path, *said: str, **urls: str) -> "subprocess.Popen[str]":
    """Start a command that prints something, once what the files name can be reached."""
    environ = {}
    for name, url in urls.items():
        (folder / name).write_text(url)
        environ[f"{name.upper()}_FILE"] = str(folder / name)
    command = steps.when_reachable([sys.executable, "-c", f"print({said[0]!r})"])
    return subprocess.Popen([sys.executable, *command[1:]], env=environ, stdout=subprocess.PIPE, text=True)


def test_a_command_waits_for_its_datastores(tmp_path: Path) -> None:
    """A connection that is refused is tried again; then the command runs in its place."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with waiting(tmp_path, "migrated", database_url=f"postgresql://a:b@127.0.0.1:{port}/c") as process:
            time.sleep(1)
            assert process.poll() is None
            opened = time.monotonic()
            listener.listen()
            out, _ = process.communicate(timeout=10)

    assert out == "migrated\n"
    assert process.returncode == 0
    assert time.monotonic() - opened < 5


@pytest.mark.parametrize("url", ["sqlite:////tmp/db", "nonsense", "postgresql:///app", "postgresql://a:b@h:port/c"])
def test_what_has_no_address_is_not_waited_for(tmp_path: Path, url: str) -> None:
    """The command runs at once, and says itself what it lacks."""
    start = time.monotonic()
    with waiting(tmp_path, "at once", database_url=url) as process:
        out, _ = process.communicate(timeout=10)

    assert out == "at once\n"
    assert time.monotonic() - start < 5


def test_both_datastores_are_waited_for(tmp_path: Path) -> None:
    """A migration may use the cache as well."""
    asked = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.close()
        asked.append(listener)

    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    threads = [threading.Thread(target=serve, args=[each]) for each in listeners]
    for thread in threads:
        thread.start()
    ports = [each.getsockname()[1] for each in listeners]
    urls = {"database_url": f"postgres://h:p@127.0.0.1:{ports[0]}/d", "redis_url": f"redis://:p@127.0.0.1:{ports[1]}/0"}
    with waiting(tmp_path, "then", **urls) as process:
        assert process.communicate(timeout=10)[0] == "then\n"
    for thread, listener in zip(threads, listeners, strict=True):
        thread.join(10)
        listener.close()

    assert len(asked) == 2
