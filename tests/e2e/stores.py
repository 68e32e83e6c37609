"""Places for the state, for tests: a Postgres in a container, and a server that speaks S3. Each is real, and its own.

The S3 server is Versity's gateway over a folder, built from its Go module into the cache when a test first needs it.
"""

import base64
import contextlib
import json
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import docker

from tests.e2e.site import ROOT, RUN, free_port
from tools.bootstrapping import golang
from tools.bootstrapping.report import Report

GATEWAY = golang.Tool("versitygw", ("github.com/versity/versitygw/cmd/versitygw",), ("main.Version", "v1.8.0"))
START_SECONDS = 60.0


class Store(Protocol):
    """One place for states."""

    environ: dict[str, str]
    """What ``pulumi`` needs to reach it."""

    def content(self) -> dict[str, str]:
        """Everything that lies in it: key and text."""

    def reader(self) -> dict[str, str]:
        """What ``pulumi`` needs of somebody who may read it and no more."""

    def close(self) -> None:
        """Stop it, and leave nothing."""


def wait_for(what: str, ready: Callable[[], bool]) -> None:
    """Wait until it is ready, a limited time."""
    end = time.monotonic() + START_SECONDS
    while not ready():
        assert time.monotonic() < end, f"{what} is not ready after {START_SECONDS:.0f} s"
        time.sleep(0.2)


class PostgresStore:
    """A database."""

    def __init__(self, name: str) -> None:
        port, password = free_port(), secrets.token_hex(8)
        self._client = docker.from_env()
        self._server = self._client.containers.run(
            "postgres:17",
            name=f"e2e-{RUN}-{name}",
            detach=True,
            environment={"POSTGRES_PASSWORD": password, "POSTGRES_DB": "state"},
            ports={"5432/tcp": ("127.0.0.1", port)},
        )
        self.environ = {
            "PULUMI_BACKEND_URL": f"postgres://postgres@127.0.0.1:{port}/state?sslmode=disable",
            "PGPASSWORD": password,
        }
        wait_for("postgres", lambda: self._ask("select 1") is not None)

    def _ask(self, query: str) -> str | None:
        """Ask over TCP: the server that only prepares the database listens on a socket alone."""
        command = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "state", "-Atc", query]
        password = {"PGPASSWORD": self.environ["PGPASSWORD"]}
        code, output = self._server.exec_run(command, environment=password)
        assert isinstance(output, bytes)
        return output.decode() if code == 0 else None

    def content(self) -> dict[str, str]:
        """The rows of the table that Pulumi has made."""
        answer = self._ask("select coalesce(json_object_agg(key, data->>'data'), '{}') from pulumi_state") or "{}"
        return {key: base64.b64decode(data).decode() for key, data in json.loads(answer).items()}

    def reader(self) -> dict[str, str]:
        """A role that may select."""
        self._ask("create role reader login password 'reads'; grant select on pulumi_state to reader")
        url = self.environ["PULUMI_BACKEND_URL"].replace("postgres@", "reader@")
        return {"PULUMI_BACKEND_URL": url, "PGPASSWORD": "reads"}

    def close(self) -> None:
        """Remove the container with its data."""
        self._server.remove(force=True, v=True)
        self._client.close()


class S3Store:
    """A bucket."""

    def __init__(self, folder: Path) -> None:
        self._bucket = folder / "buckets" / "state"
        self._bucket.mkdir(parents=True)
        self._servers: list[subprocess.Popen[bytes]] = []
        self.environ = self._serve(folder / "log")

    def _serve(self, log: Path, *options: str) -> dict[str, str]:
        """Start a server over the folder, and give what its clients need."""
        port, key, secret = free_port(), "slipway", secrets.token_hex(8)
        program = golang.build(GATEWAY, Report(ROOT / ".slipway" / "logs")) / "versitygw"
        with log.open("wb") as sink:
            server = subprocess.Popen(
                [str(program), "--port", f"127.0.0.1:{port}", *options, "posix", str(self._bucket.parent)],
                env={"ROOT_ACCESS_KEY": key, "ROOT_SECRET_KEY": secret},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self._servers.append(server)

        def listens() -> bool:
            assert server.poll() is None, log.read_text(errors="replace")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        wait_for("versitygw", listens)
        return {
            "PULUMI_BACKEND_URL": f"s3://state/team/shop?endpoint=http://127.0.0.1:{port}&s3ForcePathStyle=true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }

    def reader(self) -> dict[str, str]:
        """Another server over the same folder, which takes nothing but reading."""
        return self._serve(self._bucket.parent.parent / "log-of-the-reader", "--readonly")

    def content(self) -> dict[str, str]:
        """The objects: the server keeps each as a file."""
        found = {}
        for path in self._bucket.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # gone between the listing and the reading
                if path.is_file() and ".sgwtmp" not in path.parts:
                    found[str(path.relative_to(self._bucket))] = path.read_text(errors="replace")
        return found

    def close(self) -> None:
        """Stop its servers; the folder is the test's."""
        for server in self._servers:
            server.terminate()
            server.wait(timeout=30)
