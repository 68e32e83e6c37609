"""The SSH agent that a build may ask: whether there is one, and the path by which a builder finds it."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components import agent
from components.problems import Problem
from tests.sample import settings

HOST = "git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSuN7mPbt3zTRrHMkY0iXUsv0fQjqKJrcXdA"
WANTED = settings({"dependencies": {"ssh_hosts": HOST}})


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="a-") as folder:
        yield Path(folder)


@contextmanager
def answering(path: Path, said: bytes) -> Iterator[None]:
    """Answer one question at a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(10)

        def answer() -> None:
            asked, _ = listener.accept()
            with asked:
                assert asked.recv(5) == b"\0\0\0\x01\x0b"
                asked.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        yield
        thread.join(timeout=10)
        assert not thread.is_alive()


def found(path: object) -> str:
    """Give what is found at a path, where a build needs an agent."""
    problem = agent.problem(WANTED, {"SSH_AUTH_SOCK": str(path)})
    assert problem is not None
    assert problem.key == "slipway:dependencies.ssh_hosts"
    return problem.found


def test_a_stack_without_hosts_needs_none() -> None:
    """Nobody is asked."""
    assert agent.problem(settings(), {}) is None


def test_no_agent() -> None:
    """The variable that every ssh reads is named, with what starts an agent."""
    assert agent.problem(WANTED, {"SSH_AUTH_SOCK": ""}) == Problem(
        key="slipway:dependencies.ssh_hosts",
        found="hosts that the build reaches by SSH, and no SSH agent: SSH_AUTH_SOCK is not set",
        allowed="a running agent with a key that may read the repositories",
        mend='eval "$(ssh-agent)" && ssh-add PATH_OF_THE_KEY',
    )


def test_an_agent_that_does_not_answer(short: Path) -> None:
    """It is gone, or something else is there."""
    where = f"hosts that the build reaches by SSH, and no SSH agent at {short}"
    assert found(short / "gone") == f"{where}/gone (SSH_AUTH_SOCK): No such file or directory"
    with answering(short / "other", b"220 mail ready\r\n"):
        assert found(short / "other") == f"{where}/other (SSH_AUTH_SOCK): what answers is no SSH agent"
    with answering(short / "mute", b""):
        assert found(short / "mute") == f"{where}/mute (SSH_AUTH_SOCK): what answers is no SSH agent"


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="there is no ssh on this machine")
def test_the_keys_of_a_real_agent(short: Path) -> None:
    """One without a key is a problem of its own, one with a key is none."""
    path, key = short / "agent", short / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 10
            while not path.exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            problem = agent.problem(WANTED, {"SSH_AUTH_SOCK": str(path)})
            assert problem == Problem(
                key="slipway:dependencies.ssh_hosts",
                found=f"hosts that the build reaches by SSH, and an SSH agent without a key: {path} (SSH_AUTH_SOCK)",
                allowed="an agent with a key that may read the repositories",
                mend="ssh-add PATH_OF_THE_KEY   # ssh-add -l lists what the agent has",
            )
            subprocess.run(
                ["ssh-add", "-q", str(key)], check=True, timeout=30, env={**os.environ, "SSH_AUTH_SOCK": str(path)}
            )
            assert agent.keys(str(path)) == 1
            assert agent.problem(WANTED, {"SSH_AUTH_SOCK": str(path)}) is None
        finally:
            process.terminate()


def test_the_builder_finds_every_agent_at_one_path(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is the same for each agent, leads to the newest one, and stays where there is none any more."""
    monkeypatch.chdir(short)
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        first.bind("first")
        second.bind("second")
        place = agent.place("dev", short, {"SSH_AUTH_SOCK": str(short / "first")})
        assert place == ".slipway/build/dev/ssh-agent"
        assert (short / place).samefile(short / "first")
        assert agent.place("dev", short, {"SSH_AUTH_SOCK": "second"}) == place
        assert (short / place).samefile(short / "second")
        assert agent.place("dev", short, {}) == place
        assert (short / place).samefile(short / "second")
        assert [each.name for each in (short / place).parent.iterdir()] == ["ssh-agent"]


@pytest.mark.parametrize("environ", [{}, {"SSH_AUTH_SOCK": ""}, {"SSH_AUTH_SOCK": "/nowhere"}])
def test_a_preview_without_an_agent(environ: dict[str, str], short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin wants a socket there, also where it builds nothing; nobody listens at this one."""
    root = short / ("deep" * 30)
    root.mkdir()
    monkeypatch.chdir(root)
    (root / ".slipway/build/dev").mkdir(parents=True)
    (root / ".slipway/build/dev/ssh-agent").symlink_to("/gone")
    for _ in range(2):
        path = root / agent.place("dev", root, environ)
        assert path.is_socket()
        assert not path.is_symlink()
    with socket.socket(socket.AF_UNIX) as asked, pytest.raises(ConnectionRefusedError):
        asked.connect(os.path.relpath(path))
