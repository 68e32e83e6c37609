"""Running ``pulumi``: arguments, output, interruption, state and locks; with a made-up command."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.console import PipelineError
from pipeline.engine import Engine, InterruptedUpdateError, is_pulumi
from tests.unit.pipeline.fake_pulumi import Fake, printed


def test_a_long_command_is_printed_as_it_comes_and_kept_in_full(engine: Engine, fake: Fake) -> None:
    """The output is filtered for the reader, the log has every line and is for its owner alone."""
    fake.when("up", out="one\n    Traceback (most recent call last):\n      frame\n    KeyboardInterrupt\ntwo")

    result = engine.stream("up", "--yes")

    assert result.code == 0
    assert printed(engine) == "one\ntwo\n"
    assert "Traceback" in engine.log_of("up").read_text()
    assert engine.log_of("up").stat().st_mode & 0o777 == 0o600
    assert fake.calls == ["up --yes --stack dev --non-interactive --color never"]


def test_ctrl_c_is_passed_on_once_and_waited_for(engine: Engine, fake: Fake) -> None:
    """Pulumi gets to finish what is under way; the user is told, and the command counts as stopped."""
    fake.when("up", out="begun\n", seconds=20)

    def press() -> None:
        while "begun" not in printed(engine):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    start = time.monotonic()
    with pytest.raises(InterruptedUpdateError):
        engine.stream("up")
    thread.join()

    assert time.monotonic() - start < 10
    assert "Stopping: what is under way is finished first." in printed(engine)
    assert "stopped cleanly" in printed(engine)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_pulumi_goes_on_when_this_process_is_killed(engine: Engine, fake: Fake, root: Path) -> None:
    """A killed ``make up`` leaves an update that ends cleanly by itself, since it writes to a file and not to us."""
    fake.when("up", out="begun\n", seconds=1.5)
    code = f"""
from pathlib import Path
from pipeline.console import Console
from pipeline.engine import Engine
Engine("dev", Console(), Path({str(root)!r}), {dict(engine.environ)!r}, {engine.program!r}).stream("up")
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        child.kill()
    fake.when("stack", out="", code=0)
    running = [
        pid for pid in (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()) if is_pulumi(pid)
    ]

    assert any(_command(pid).startswith(f"{sys.executable} {engine.program} up") for pid in running)
    limit = time.monotonic() + 10
    while any(_command(pid).startswith(f"{sys.executable} {engine.program} up") for pid in running):
        assert time.monotonic() < limit
        time.sleep(0.05)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def test_a_short_command_that_hangs_is_ended(engine: Engine, fake: Fake) -> None:
    """No wait is without a limit."""
    fake.when("stack export", seconds=20)

    with pytest.raises(PipelineError, match="did not end within 1 s"):
        engine.run("stack", "export", limit=1)


def test_a_missing_pulumi_is_one_clear_problem(engine: Engine) -> None:
    """The error names the command that brings it."""
    lost = Engine("dev", engine.console, engine.root, engine.environ, "/nonexistent/pulumi")

    with pytest.raises(PipelineError, match="is not on PATH") as error:
        lost.run("version")
    assert error.value.problems[0].mend == "tools/bootstrap && . .slipway/env"


def test_a_failed_command_is_explained_where_it_can_be(engine: Engine, fake: Fake) -> None:
    """A known error gets its mend; an unknown one is given as Pulumi said it, without a traceback."""
    fake.when("stack init", err="error: getting secrets manager: incorrect passphrase\n", code=255)
    with pytest.raises(PipelineError, match="does not open the secrets of stack dev"):
        engine.must("stack", "init", "dev")

    fake.when("stack init", err="Traceback (most recent call last):\n  frame\nValueError: odd\n", code=1)
    with pytest.raises(PipelineError) as error:
        engine.must("stack", "init", "dev")
    assert str(error.value).endswith("pulumi stack init dev` failed: ValueError: odd")


def test_the_state_is_read_and_a_missing_stack_is_none(engine: Engine, fake: Fake) -> None:
    """There is no stack, an empty one, and one with resources."""
    fake.when("stack export", err="error: no stack named 'dev' found\n", code=255)
    assert engine.exported() is None
    fake.when("stack export", out=json.dumps({"version": 3, "deployment": None}))
    assert engine.exported() == {}
    fake.when("stack export", out=json.dumps({"version": 3, "deployment": {"resources": [1]}}))
    assert engine.exported() == {"resources": [1]}


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///somewhere/state", Path("/somewhere/state")),
        ("file://~/state", Path.home() / "state"),
        ("s3://bucket", None),
        ("https://api.example.org", None),
    ],
)
def test_the_folder_of_a_local_backend_is_known(engine: Engine, url: str, folder: Path | None) -> None:
    """Other backends have none."""
    other = Engine("dev", engine.console, engine.root, {"PULUMI_BACKEND_URL": url})

    assert other.backend_folder() == folder


def lock(root: Path, pid: int, host: str | None = None) -> Path:
    """Write a lock as Pulumi does."""
    folder = root / ".slipway/state/.pulumi/locks/organization/slipway/dev"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pid}.json"
    content = {
        "pid": pid,
        "username": "u",
        "hostname": host or socket.gethostname(),
        "timestamp": "2026-01-01T00:00:00Z",
    }
    path.write_text(json.dumps(content))
    return path


def test_a_lock_is_held_by_a_running_pulumi_of_this_machine_or_by_any_other_machine(
    engine_for: Callable[[str], Engine], root: Path
) -> None:
    """A process id that another program got since, or that nobody has, holds nothing; another host's may always hold."""
    lock(root, os.getpid())
    lock(root, 2**22 + 1)
    lock(root, 2**22 + 2, "elsewhere")
    (root / ".slipway/state/.pulumi/locks/organization/slipway/dev/cut.json").write_text('{"pid":')

    held = {(each.pid, each.held()) for each in engine_for("dev").locks()}

    assert held == {(os.getpid(), is_pulumi(os.getpid())), (2**22 + 1, False), (2**22 + 2, True), (0, False)}
    assert engine_for("other").locks() == []
