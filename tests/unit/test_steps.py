"""The commands of what runs once, run for real."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components import steps
from tests.sample import settings


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


_DATABASE = """\
import contextlib, sqlite3

class Cursor:
    def __init__(self, cursor):
        self.execute = lambda query, values: cursor.execute(query.replace("%s", "?"), values)
        self.fetchall = lambda: cursor.fetchall()

class connection:
    kept = None

    @classmethod
    @contextlib.contextmanager
    def cursor(cls):
        cls.kept = cls.kept or sqlite3.connect("db", isolation_level=None)
        yield Cursor(cls.kept.cursor())

    @classmethod
    def close(cls):
        cls.kept.close()
        cls.kept = None
"""
"""What the step uses of Django; the real one is in tests/e2e."""


def released(said: dict[str, object], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the commands of a release in a folder with a project whose database is a file there."""
    package = folder / "django"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("def setup(): pass\n")
    (package / "db.py").write_text(_DATABASE)
    (folder / "manage.py").write_text("import sys\nprint('manage', *sys.argv[1:], flush=True)\n")
    command = steps.release(settings({"release": said}).release)
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_a_release_migrates_and_no_more(tmp_path: Path) -> None:
    """Where settings say nothing, the migration is all."""
    done = released({}, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "+ python manage.py migrate --noinput\nmanage migrate --noinput\n"


def test_commands_of_a_release_run_in_order(tmp_path: Path) -> None:
    """They come after the migration, each read by a shell; without the migration they are all."""
    said = {"commands": ["echo one $((1 + 1))", "echo two"], "migrate": False}

    assert released(said, tmp_path).stdout == "+ echo one $((1 + 1))\none 2\n+ echo two\ntwo\n"


def test_a_command_of_a_release_that_fails(tmp_path: Path) -> None:
    """It ends the release, and the setting is named; what comes after it does not run."""
    done = released({"commands": ["echo one", "exit 7", "echo two"]}, tmp_path)

    assert done.returncode == 1
    assert done.stderr == "the release command failed with exit code 7 (slipway:release.commands): exit 7\n"
    assert "two" not in done.stdout


def test_what_runs_once(tmp_path: Path) -> None:
    """The database remembers what has been done; what failed is tried by the next release, and what is new runs then."""
    first = released({"migrate": False, "once": {"b-seed": "exit 3", "a-user": "echo user"}}, tmp_path)
    assert first.returncode == 1
    assert first.stdout == "+ echo user\nuser\n+ exit 3\n"
    assert first.stderr == "the release command failed with exit code 3 (slipway:release.once.b-seed): exit 3\n"

    said = {"migrate": False, "once": {"b-seed": "echo seed", "a-user": "echo another"}}
    assert released(said, tmp_path).stdout == "+ echo seed\nseed\n"
    assert released(said, tmp_path).stdout == ""
    with sqlite3.connect(tmp_path / "db") as database:
        rows = database.execute("SELECT name, done FROM slipway_once ORDER BY name").fetchall()
    database.close()
    assert [name for name, _ in rows] == ["a-user", "b-seed"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", done) for _, done in rows)


def test_a_release_that_takes_too_long(tmp_path: Path) -> None:
    """It is stopped, and the setting that says so is named."""
    done = released({"migrate": False, "commands": "sleep 30", "timeout_seconds": 1}, tmp_path)

    assert done.returncode == 124
    assert done.stderr == (
        "the release command was stopped before it ended (slipway:release.timeout_seconds is 1): sleep 30\n"
    )
