"""The image registry of this machine, on 127.0.0.1:5000: what dockerd and buildkitd use as mirror of docker.io.

It owns the process and how images are put there. Which images those are is `tools.airgap.images`.
The port is fixed, because a Docker daemon is told of its mirror when it starts.
"""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap import Say, cache_dir
from tools.airgap.daemon import Daemon, locked

HOST, PORT = "127.0.0.1", 5000
ADDRESS = f"{HOST}:{PORT}"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

_OURS = "X-Slipway-Registry"  # a header that tells our registry from one that was here before
_SECONDS = 60


def ensure(say: Say) -> str:
    """Have the registry answer; its address."""
    _daemon(_binary(say)).ensure(say)
    return ADDRESS


def stop(say: Say) -> None:
    """Stop the registry, if it runs."""
    binary = _installed()
    if binary is not None:
        _daemon(binary).stop(say)


@dataclass(frozen=True)
class Blob:
    """A file that the registry keeps under its digest."""

    path: Path
    digest: str
    size: int


def push(repository: str, tags: tuple[str, ...], blobs: tuple[Blob, ...], manifest: bytes) -> str:
    """Put one image there, only what is missing of it; its digest."""
    with closing(http.client.HTTPConnection(HOST, PORT, timeout=_SECONDS)) as connection:
        for blob in blobs:
            _push_blob(connection, repository, blob)
        for tag in tags:
            headers = _ask(connection, "PUT", f"/v2/{repository}/manifests/{tag}", expect=201, manifest=manifest)
    return headers["docker-content-digest"]


def digests(references: tuple[tuple[str, str], ...]) -> list[str | None]:
    """What the registry has under each (repository, tag): its digest, or nothing."""
    found: list[str | None] = []
    with closing(http.client.HTTPConnection(HOST, PORT, timeout=_SECONDS)) as connection:
        for repository, tag in references:
            connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST})
            response = connection.getresponse()
            response.read()
            found.append(response.getheader("Docker-Content-Digest") if response.status == http.HTTPStatus.OK else None)
    return found


def _push_blob(connection: http.client.HTTPConnection, repository: str, blob: Blob) -> None:
    connection.request("HEAD", f"/v2/{repository}/blobs/{blob.digest}")
    response = connection.getresponse()
    response.read()
    if response.status == http.HTTPStatus.OK:
        return
    start = _ask(connection, "POST", f"/v2/{repository}/blobs/uploads/", expect=202)["location"]
    path = start[start.index("/v2/") :]
    with blob.path.open("rb") as body:
        connection.request(
            "PUT",
            f"{path}{'&' if '?' in path else '?'}digest={blob.digest}",
            body,
            {"Content-Length": str(blob.size), "Content-Type": "application/octet-stream"},
        )
        response = connection.getresponse()
    _expect(response, 201, f"uploading {blob.digest}")


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, *, expect: int, manifest: bytes | None = None
) -> Mapping[str, str]:
    connection.request(method, path, manifest, {"Content-Type": MANIFEST} if manifest else {})
    return _expect(connection.getresponse(), expect, f"{method} {path}")


def _expect(response: http.client.HTTPResponse, status: int, what: str) -> Mapping[str, str]:
    text = response.read().decode(errors="replace")
    if response.status != status:
        raise problem(
            f"the registry on {ADDRESS} refused {what}: {response.status} {text[:300]}",
            mend=f"look into {cache_dir() / 'run' / 'registry.log'} (a full disk is the usual cause)",
        )
    return {key.lower(): value for key, value in response.getheaders()}


def _answers() -> str | None:
    """Who answers on the port: "ours", "other", or nobody."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=2)
    with closing(connection):
        try:
            connection.request("GET", "/v2/")
            response = connection.getresponse()
            response.read()
        except ConnectionRefusedError:
            return None
        except (OSError, http.client.HTTPException):
            return "other"
        return "ours" if response.getheader(_OURS) else "other"


def _daemon(binary: str) -> Daemon:
    directory = cache_dir() / "registry"
    config = json.dumps(  # JSON is YAML
        {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(directory)}, "cache": {"blobdescriptor": "inmemory"}},
            "http": {"addr": ADDRESS, "secret": "only-one-instance", "headers": {_OURS: ["1"]}},
        },
        indent=1,
    )
    path = cache_dir() / "run" / "registry.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != config:
        path.write_text(config)
    return _Registry("registry", (binary, "serve", str(path)), lambda: _answers() == "ours", config)


class _Registry(Daemon):
    """Ours, or that of another cache on this machine, which does as well. Never a stranger's."""

    def ensure(self, say: Say) -> bool:
        who = _answers()
        if who == "other":
            raise problem(
                f"{ADDRESS} is taken by another program, and the local image registry needs that port",
                mend=f"find it with `ss -ltnp 'sport = :{PORT}'` and stop it",
            )
        return False if who == "ours" else super().ensure(say)


def _installed() -> str | None:
    """The program, if it is here. Debian's name for it is docker-registry."""
    ours = cache_dir() / "bin" / "docker-registry"
    return str(ours) if os.access(ours, os.X_OK) else shutil.which("docker-registry")


def _binary(say: Say) -> str:
    """The program; taken out of Debian's package, since installing that would start a service on the same port."""
    found = _installed()
    if found is not None:
        return found
    with locked("docker-registry"), tempfile.TemporaryDirectory(dir=cache_dir()) as directory:
        say("registry: taking docker-registry from its Debian package")
        got = _apt(directory, "download", "docker-registry")
        if got.returncode != 0:
            _apt(directory, "update", "-qq")
            got = _apt(directory, "download", "docker-registry")
        packages = list(Path(directory).glob("*.deb"))
        if not packages:
            raise problem(
                f"Debian's package docker-registry cannot be had: {got.stderr.strip()}",
                mend="apt-get update && apt-get download docker-registry",
            )
        subprocess.run(["dpkg-deb", "-x", str(packages[0]), directory], check=True, timeout=60)
        target = cache_dir() / "bin" / "docker-registry"
        target.parent.mkdir(exist_ok=True)
        (Path(directory) / "usr" / "bin" / "docker-registry").replace(target)
        return str(target)


def _apt(directory: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", *arguments], cwd=directory, capture_output=True, text=True, check=False, timeout=300
    )
