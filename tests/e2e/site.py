"""A stack of its own for a test: a copy of the repository and of the example, a port, a backend, and the commands.

It runs what a user runs (``python -m pipeline``), prints what was said when a command fails, and leaves nothing behind.
"""

import http.client
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import docker
import docker.errors
import yaml
from docker.models.containers import Container

from pipeline.host.tidy import disconnected

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples/guestbook"
RUN: str = os.environ.get("SLIPWAY_E2E_RUN") or secrets.token_hex(3)
"""Part of every name that this run of the tests makes, so that two runs on one machine do not meet."""

UP_SECONDS = 420
"""The longest that one command may take: a build of everything on a slow machine."""


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f6"
    "45400000000049454e44ae426082"
)
"""A picture, as small as they get."""


@dataclass(frozen=True)
class Answer:
    """What a page answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def number(self, element: str) -> int:
        """The number in an element of the page."""
        found = re.search(rf'id="{element}">(\d+)<', self.text)
        assert found, f"no number in #{element}: {self.text[:2000]}"
        return int(found[1])


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    text: str
    seconds: float

    def good(self) -> "Done":
        """Insist that it worked."""
        assert self.code == 0, f"exit code {self.code}:\n{self.text}"
        return self

    def bad(self) -> "Done":
        """Insist that it failed, and without a traceback."""
        assert self.code != 0, f"it should have failed:\n{self.text}"
        assert "Traceback" not in self.text, self.text
        return self


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def tools() -> dict[str, str]:
    """The environment that ``. .slipway/env`` gives, without what belongs to the user's own stacks."""
    script = "set -a; unset PULUMI_BACKEND_URL PULUMI_CONFIG_PASSPHRASE PULUMI_CONFIG_PASSPHRASE_FILE; . .slipway/env; env -0"
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, check=True, timeout=30)
    pairs = (pair.partition("=") for pair in done.stdout.decode().split("\0") if pair)
    return {name: value for name, _, value in pairs if name != "PULUMI_CONFIG_PASSPHRASE_FILE"}


def copy_repository(to: Path) -> None:
    """Copy what is in version control or would be, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)


def share_tools(to: Path) -> None:
    """Let a copy of the repository use the tools of the original."""
    (to / ".venv").symlink_to(ROOT / ".venv")
    (to / ".slipway").mkdir()
    shutil.copy2(ROOT / ".slipway/env", to / ".slipway/env")


@dataclass
class Site:
    """One stack."""

    folder: Path
    name: str
    project: Path = EXAMPLE
    """The project that it deploys a copy of."""
    port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=tools)
    daemon: docker.DockerClient = field(default_factory=docker.from_env)

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return f"e2e-{RUN}-{self.name}"

    @property
    def root(self) -> Path:
        """The copy of the repository."""
        return self.folder / "slipway"

    @property
    def app(self) -> Path:
        """The copy of the project, which tests may change."""
        return self.folder / self.project.name

    @property
    def state(self) -> Path:
        """The backend."""
        return self.folder / "state"

    def make(self, **settings: Any) -> Self:  # noqa: ANN401 - settings are of many types
        """Write everything that a stack needs."""
        copy_repository(self.root)
        share_tools(self.root)
        self.copy_app()
        self.state.mkdir()
        self.environ |= {
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(8),
            "NO_COLOR": "1",
        }
        self.set(**settings)
        return self

    def copy_app(self) -> None:
        """Copy the project."""
        shutil.copytree(self.project, self.app, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))

    def wanted(self) -> dict[str, Any]:
        """What the stack's file says where a test does not say otherwise."""
        return {
            "environment": "dev",
            "app": {"name": "e2e", "source": str(self.app), "settings_module": "config.settings"},
            "edge": {"port": self.port},
        }

    def address(self) -> tuple[str, int]:
        """Where the edge is asked: a name that Django answers to, and a port of this machine."""
        return "127.0.0.1", self.port

    def set(self, **settings: Any) -> None:  # noqa: ANN401 - settings are of many types
        """Write the stack's file, keeping its secrets. Small, so that several stacks fit on two cores."""
        path = self.root / "stacks" / f"Pulumi.{self.stack}.yaml"
        kept = yaml.safe_load(path.read_text()) if path.exists() else {"config": {}}
        wanted = self.wanted()
        for group, values in settings.items():
            wanted[group] = {**wanted.get(group, {}), **values} if isinstance(values, dict) else values
        kept["config"] = {key: value for key, value in kept["config"].items() if key.startswith("secrets:")}
        kept["config"] |= {f"slipway:{key}": value for key, value in wanted.items()}
        path.write_text(yaml.safe_dump(kept))

    def secrets(self) -> Self:
        """Make the secrets of the stack."""
        self.pipeline("secrets", "init", self.stack).good()
        return self

    # Commands -------------------------------------------------------------------------------------------------------

    def start(self, *command: str, **environ: str) -> "subprocess.Popen[str]":
        """Start a command as a user's shell does."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, **environ: str) -> Done:
        """Run a command to its end."""
        begun = time.monotonic()
        with self.start(*command, **environ) as process:
            try:
                text, _ = process.communicate(timeout=UP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                text, _ = process.communicate()
                raise AssertionError(f"{' '.join(command)} took longer than {UP_SECONDS} s:\n{text}") from None
        print(f"$ {' '.join(command)}\n{text}")
        return Done(process.returncode, text, time.monotonic() - begun)

    def pipeline(self, *arguments: str, **environ: str) -> Done:
        """Run ``python -m pipeline``."""
        return self.run("python", "-m", "pipeline", *arguments, **environ)

    def up(self, *arguments: str, **environ: str) -> Done:
        """Bring the stack up; on a failure print what its containers logged."""
        done = self.pipeline("up", self.stack, *arguments, **environ)
        if done.code:
            self.print_logs()
        return done

    def down(self) -> Done:
        """Destroy the stack."""
        return self.pipeline("down", self.stack)

    def pulumi(self, *arguments: str) -> str:
        """Run ``pulumi`` for the stack."""
        return self.run("pulumi", *arguments, "--stack", self.stack).good().text

    def secret(self, name: str) -> str:
        """One secret in clear, without a trace in what is printed."""
        done = subprocess.run(
            ["pulumi", "config", "get", f"secrets:{name}", "--stack", self.stack],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    # What there is --------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> dict[str, str | list[str] | bool]:
        """The filter that finds what belongs to the stack."""
        return {"label": [f"slipway.stack={self.stack}"]}

    def containers(self, component: str | None = None) -> list[Container]:
        """The containers of the stack, stopped ones too."""
        found = self.daemon.containers.list(all=True, filters=self.labels)
        return [each for each in found if component in (None, each.labels.get("slipway.component"))]

    def container(self, component: str) -> Container:
        """The one running container of a component."""
        [found] = [each for each in self.containers(component) if each.status == "running"]
        return found

    def running(self) -> dict[str, str]:
        """Every container with the time it was started."""
        return {str(each.name): each.attrs["Id"] + each.attrs["State"]["StartedAt"] for each in self.containers()}

    def things(self) -> list[str]:
        """Everything that Docker has of the stack."""
        return sorted(
            [f"container {each.name}" for each in self.containers()]
            + [f"network {each.name}" for each in self.daemon.networks.list(filters=self.labels)]
            + [f"volume {each.name}" for each in self.daemon.volumes.list(filters=self.labels)]
        )

    def execute(self, component: str, *command: str, **environ: str) -> str:
        """Run a command in a container."""
        code, output = self.container(component).exec_run(list(command), environment=environ)
        assert isinstance(output, bytes)
        assert code == 0, f"{command}: {output.decode()}"
        return output.decode().strip()

    def sql(self, query: str) -> list[str]:
        """Ask Postgres itself, inside its container."""
        return self.execute(
            "postgres",
            "psql",
            "-h",
            "127.0.0.1",
            "-U",
            "app",
            "-d",
            "app",
            "-Atc",
            query,
            PGPASSWORD=self.secret("postgres_password"),
        ).splitlines()

    def print_logs(self) -> None:
        """Print the end of what every container logged."""
        for each in self.containers():
            print(f"--- {each.name} ({each.status}):\n{each.logs(tail=30).decode(errors='replace')}")

    # HTTP -----------------------------------------------------------------------------------------------------------

    def ask(
        self, path: str = "/", method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask through the edge."""
        connection = http.client.HTTPConnection(*self.address(), timeout=20)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def form(self) -> tuple[str, str]:
        """The cookie and the token that the form wants."""
        page = self.ask()
        cookie = page.headers["set-cookie"].partition(";")[0]
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert found, page.text[:2000]
        return cookie, found[1]

    def version(self) -> dict[str, str]:
        """Which code answers."""
        answer: dict[str, str] = json.loads(self.ask("/version").body)
        return answer

    # Changes --------------------------------------------------------------------------------------------------------

    def change(self, file: str, before: str, after: str) -> None:
        """Change a line of the project."""
        path = self.app / file
        text = path.read_text()
        assert before in text, f"{file} has no {before!r}"
        path.write_text(text.replace(before, after))

    def set_version(self, version: str) -> None:
        """Make the smallest change that can be seen."""
        (self.app / "config/version.py").write_text(
            f'"""The version that the pages show."""\n\nVERSION = "{version}"\n'
        )

    def close(self) -> None:
        """Leave nothing behind, whatever state the stack is in."""
        try:
            if (self.root / "stacks" / f"Pulumi.{self.stack}.yaml").exists():
                self.pipeline("down", self.stack)
        finally:
            sweep(self.daemon, self.stack)
            self.daemon.close()


def sweep(daemon: docker.DockerClient, prefix: str = f"e2e-{RUN}-") -> list[str]:
    """Remove by label whatever is left of stacks or projects whose names begin like this."""
    filters: dict[str, str | list[str] | bool] = {"label": ["slipway.stack"]}
    swept = []

    def ours(labels: Mapping[str, str]) -> bool:
        return any(labels.get(name, "").startswith(prefix) for name in ("slipway.stack", "slipway.project"))

    for container in daemon.containers.list(all=True, filters=filters, ignore_removed=True):
        if ours(container.labels):
            swept.append(str(container.name))
            container.remove(force=True, v=True)
    for network in daemon.networks.list(filters=filters):
        if ours(network.attrs["Labels"]):
            swept.append(str(network.name))
            network.reload()
            disconnected(network)
            network.remove()
    for volume in daemon.volumes.list(filters=filters):
        if ours(volume.attrs["Labels"]):
            swept.append(str(volume.name))
            volume.remove(force=True)
    return swept


def multipart(fields: Mapping[str, str], files: Mapping[str, tuple[str, str, bytes]]) -> tuple[bytes, dict[str, str]]:
    """Write a form as a browser sends it; a file is its name, its type and its content."""
    boundary = secrets.token_hex(8)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, (filename, kind, content) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(f"{head}Content-Type: {kind}\r\n\r\n".encode() + content + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


if __name__ == "__main__":
    from tests.e2e.cluster import sweep_namespaces  # it needs this module itself

    for gone in [*sweep(docker.from_env()), *sweep_namespaces()]:
        print(f"removed {gone}")
