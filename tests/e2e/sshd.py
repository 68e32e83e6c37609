"""An SSH server with git repositories, an agent, and their keys: Debian's sshd in a container, while a test runs."""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import docker

from tests.e2e.site import RUN, free_port
from tools.airgap import service_images

IMAGE = Path(__file__).parent / "sshd_image"
BY = ("-c", "user.name=test", "-c", "user.email=test@example.org")
SHORT = 32
START_SECONDS, BUILD_SECONDS = 20, 300


def _run(*command: str, where: Path | None = None, **environ: str) -> str:
    done = subprocess.run(
        command,
        cwd=where,
        env={**os.environ, **environ},
        check=True,
        timeout=BUILD_SECONDS,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


class Agent:
    """An SSH agent with one key, which it gives to nobody."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="agent-")  # the path of a socket has to be short
        self.socket = Path(self._folder.name, name)
        self.key = folder / name
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.key))

    def add(self) -> None:
        """Give it its key."""
        _run("ssh-add", "-q", str(self.key), SSH_AUTH_SOCK=str(self.socket))

    @property
    def public(self) -> str:
        """What a server is told."""
        return self.key.with_suffix(".pub").read_text()

    def secrets(self) -> list[bytes]:
        """What nobody may find: parts of the private key, and where the agent is."""
        lines = self.key.read_bytes().splitlines()[1:-1]
        return [*(each for each in lines[1:] if len(each) > SHORT), str(self.socket).encode()]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(["ssh-agent", "-D", "-a", str(self.socket)], stdout=subprocess.DEVNULL)
        try:
            _wait(self.socket.exists)
        except AssertionError:
            self._process.terminate()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._folder.cleanup()


class Sshd:
    """The server. A build reaches it by an address of this machine."""

    def __init__(self, folder: Path, allowed: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect(("192.0.2.1", 9))  # sends nothing; it only tells which address leads outside
            self.host: str = asked.getsockname()[0]
        self.port = free_port()
        self.repositories = folder / "repositories"
        self.repositories.mkdir()
        keys = folder / "keys"
        keys.mkdir()
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / "host"))
        (keys / "authorized_keys").write_text(allowed)
        self.known_hosts = f"[{self.host}]:{self.port} {_key(keys / 'host.pub')}"
        """The line of a known_hosts file."""
        self._container = docker.from_env().containers.run(
            _image(),
            name=f"e2e-{RUN}-sshd-{self.port}",
            labels={"slipway.stack": f"e2e-{RUN}-sshd"},
            volumes={
                str(keys): {"bind": "/keys", "mode": "ro"},
                str(self.repositories): {"bind": "/srv", "mode": "ro"},
            },
            ports={"22/tcp": ("0.0.0.0", self.port)},  # noqa: S104 - a build is elsewhere
            detach=True,
        )

    def url(self, name: str) -> str:
        """The address of a repository."""
        return f"ssh://git@{self.host}:{self.port}/srv/{name}.git"

    def package(self, name: str, version: str) -> None:
        """Make a repository with a small package, and a tag."""
        with tempfile.TemporaryDirectory() as place:
            work = Path(place)
            (work / f"{name}.py").write_text("")
            (work / "pyproject.toml").write_text(
                f'[project]\nname = "{name}"\nversion = "{version}"\n\n'
                '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            )
            self.push(work, name, f"v{version}")

    def push(self, work: Path, name: str, tag: str) -> str:
        """Make a repository of a folder, and give its commit."""
        _run("git", "init", "--quiet", "--initial-branch=main", where=work)
        _run("git", "add", ".", where=work)
        _run("git", *BY, "commit", "--quiet", "--message=first", where=work)
        _run("git", "tag", tag, where=work)
        _run("git", "clone", "--quiet", "--bare", ".", str(self.repositories / f"{name}.git"), where=work)
        return _run("git", "rev-parse", "HEAD", where=work)

    def __enter__(self) -> Self:
        _wait(self._answers)
        return self

    def __exit__(self, *_: object) -> None:
        self._container.remove(force=True)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as asked:
                return asked.recv(4) == b"SSH-"
        except OSError:
            return False


def _key(file: Path) -> str:
    return " ".join(file.read_text().split()[:2])


def _wait(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        assert time.monotonic() < until, f"not ready within {START_SECONDS} s"
        time.sleep(0.05)


def _image() -> str:
    """Build the server's image, unless the daemon has it."""
    text = (IMAGE / "Dockerfile").read_bytes()
    name = f"slipway-e2e-sshd:{hashlib.sha256(text).hexdigest()[:12]}"
    if not docker.from_env().images.list(name):
        with tempfile.TemporaryDirectory() as place:
            context = Path(place, "context")
            shutil.copytree(IMAGE, context)
            service_images.write_apt(context / "slipway-apt")
            _run("docker", "build", "--quiet", "--network", "host", "--tag", name, str(context))
    return name
