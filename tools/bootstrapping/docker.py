"""The Docker daemon: found, started or installed; and whether it can have images from Docker Hub.

It speaks to the daemon over its socket, since the docker command may not be there. It changes no configuration.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap.daemon import Daemon
from tools.bootstrapping import debian
from tools.bootstrapping.report import Report

DEFAULT = "unix:///var/run/docker.sock"
MIRROR = "http://127.0.0.1:5000"
ANSWER_SECONDS = 5.0
START_SECONDS = 30.0
REMOTE_SECONDS = 20.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a local socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Answer:
    """What the daemon at an address said: its version, or why it said nothing."""

    host: str
    version: str | None = None
    reason: str = ""
    denied: bool = False


def host() -> str:
    """Where the daemon is: DOCKER_HOST, what the docker command's context says, or the usual socket."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    if Path(DEFAULT.removeprefix("unix://")).exists() or shutil.which("docker") is None:
        return DEFAULT
    try:
        done = subprocess.run(
            ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return DEFAULT
    return done.stdout.strip() or DEFAULT


def ask(address: str) -> Answer:
    """Ask a daemon for its version."""
    if not address.startswith("unix://"):
        return ask_command(address)
    connection = UnixConnection(address.removeprefix("unix://"))
    try:
        connection.request("GET", "/version")
        said = json.loads(connection.getresponse().read())
        return Answer(address, str(said["Version"]))
    except PermissionError as error:
        return Answer(address, reason=str(error), denied=True)
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        return Answer(address, reason=str(error))
    finally:
        connection.close()


def ask_command(address: str) -> Answer:
    """Ask a daemon on another machine through the docker command, which knows SSH and TLS."""
    if shutil.which("docker") is None:
        return Answer(address, reason="a daemon on another machine is asked by the docker command, which is missing")
    line = ["docker", "--host", address, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=REMOTE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(address, reason=str(error))
    version = done.stdout.strip()
    if done.returncode == 0 and version:
        return Answer(address, version)
    return Answer(address, reason=done.stderr.strip())


def ensure(report: Report, *, mirror: bool) -> str:
    """Bring a daemon that answers; its address."""
    with report.step("docker") as step:
        address = host()
        answer = ask(address)
        if answer.version is None:
            answer, done = bring(report, answer, mirror=mirror)
            step.did(done)
        step.detail = f"daemon {answer.version} at {answer.host}"
        return answer.host


def bring(report: Report, answer: Answer, *, mirror: bool) -> tuple[Answer, str]:
    """Start the daemon, after installing it where it is missing."""
    if answer.host != DEFAULT:
        raise problem(
            f"no Docker daemon answers at {answer.host}: {answer.reason}",
            mend="docker context ls; echo $DOCKER_HOST   # make them name a daemon that runs, or unset DOCKER_HOST",
        )
    if answer.denied:
        raise problem(
            f"this user may not talk to the Docker daemon at {answer.host}",
            allowed="root, or a member of the group docker",
            mend="sudo usermod -aG docker $USER   # then log in again",
        )
    done = "started"
    if shutil.which("dockerd") is None and not Path("/usr/sbin/dockerd").exists():
        debian.install(report, ["docker.io"], why="there is no Docker daemon")
        done = "installed"
    if os.geteuid() != 0:
        raise problem(
            f"the Docker daemon does not run: {answer.reason}",
            mend="sudo systemctl start docker" if has_init() else "sudo dockerd &",
        )
    if has_init():
        report.run(["systemctl", "start", "docker"], name="start-docker", limit=120, mend="journalctl -u docker -n 50")
    elif ask(DEFAULT).version is None:
        line = [shutil.which("dockerd") or "/usr/sbin/dockerd", *(["--registry-mirror", MIRROR] if mirror else [])]
        forget_dead()
        daemon = Daemon("dockerd", tuple(line), lambda: ask(DEFAULT).version is not None, seconds=START_SECONDS)
        daemon.ensure(report.say)
    answer = ask(DEFAULT)
    if answer.version is None:
        raise problem(
            f"the Docker daemon was started but does not answer at {DEFAULT}: {answer.reason}",
            mend="journalctl -u docker -n 50" if has_init() else "dockerd   # by hand, to see what it says",
        )
    return answer, done


def forget_dead(run: Path = Path("/var/run"), proc: Path = Path("/proc")) -> None:
    """Remove the pid files of daemons that are gone, so that a new one starts.

    Docker only asks whether the number is in use, so it waits in vain for a zombie, or for whoever has the number now.
    """
    for file, program in (("docker.pid", "dockerd"), ("docker/containerd/containerd.pid", "containerd")):
        path = run / file
        try:
            before, _, after = (proc / path.read_text().strip() / "stat").read_text().rpartition(")")
        except OSError:
            before, after = "", ""
        if before.partition("(")[2] != program or after.split()[0] in {"Z", "X"}:
            path.unlink(missing_ok=True)


def has_init() -> bool:
    """Whether systemd runs this machine."""
    return Path("/run/systemd/system").is_dir()
