"""The image builder where Docker Hub cannot be reached: buildkitd as a process of this host, with runc.

It owns the process, its configuration and the builder instance that tells buildx (and so the docker-build plugin)
of it. Building the program itself is not its work. Build steps use the network of the host.
"""

import contextlib
import json
import os
import shutil
import socket
from pathlib import Path

from pipeline.console import problem
from tools.airgap import Say, cache_dir, registry
from tools.airgap.daemon import Daemon, run_dir

NAME = "slipway"

_LONGEST_SOCKET_PATH = 107  # sockaddr_un
_CONFIG = """\
root = {root}

[grpc]
  address = [{address}]

# Images under the official names come from the registry of this machine.
[registry."docker.io"]
  mirrors = ["{registry}"]
[registry."{registry}"]
  http = true

[worker.oci]
  enabled = true
  binary = {runc}
  networkMode = "host"
  gc = true
  reservedSpace = "2GB"
  maxUsedSpace = "10GB"
  minFreeSpace = "2GB"
[worker.containerd]
  enabled = false

# No devices are handed to build steps.
[cdi]
  disabled = true
"""


def ensure(say: Say, buildkitd: Path) -> Path:
    """Have the builder answer; the directory that ``BUILDX_CONFIG`` has to name."""
    if os.geteuid() != 0:
        raise problem("the image builder has to be started by root", mend="run the same command as root")
    runc = shutil.which("runc")
    if runc is None:
        raise problem("runc is missing: the image builder runs build steps with it", mend="apt-get install runc")
    path = _socket()
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise problem(
            f"the path of the builder's socket is too long for the kernel: {path}",
            allowed=f"{_LONGEST_SOCKET_PATH} bytes",
            mend="export SLIPWAY_CACHE=/var/cache/slipway",
        )
    config = configuration(runc)
    file = run_dir() / "buildkitd.toml"
    if not file.exists() or file.read_text() != config:
        file.write_text(config)
    _daemon((str(buildkitd), "--config", str(file)), config).ensure(say)
    return _instance()


def stop(say: Say) -> None:
    """Stop the builder, if it runs."""
    _daemon((), "").stop(say)


def configuration(runc: str) -> str:
    """What buildkitd is told. JSON strings are TOML strings."""
    return _CONFIG.format(
        root=json.dumps(str(cache_dir() / "buildkit")),
        address=json.dumps(f"unix://{_socket()}"),
        registry=registry.ADDRESS,
        runc=json.dumps(runc),
    )


def instance() -> dict[str, object]:
    """The builder as buildx keeps it in its store (store.NodeGroup)."""
    node = {
        "Name": f"{NAME}0",
        "Endpoint": f"unix://{_socket()}",
        "Platforms": None,
        "DriverOpts": None,
        "Flags": None,
        "Files": None,
    }
    return {"Name": NAME, "Driver": "remote", "Nodes": [node], "Dynamic": False}


def _instance() -> Path:
    """Write the instance store. A global `current` is taken for every Docker endpoint."""
    directory = cache_dir() / "buildx"
    for name, content in (
        (f"instances/{NAME}", instance()),
        ("current", {"Key": "", "Name": NAME, "Global": True}),
    ):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content)
        if not path.exists() or path.read_text() != text:
            part = directory / f".{path.name}.part"  # not in instances/, where buildx reads every file
            part.write_text(text)
            part.replace(path)
    return directory


def _socket() -> Path:
    return cache_dir() / "run" / "buildkitd.sock"


def _daemon(command: tuple[str, ...], config: str) -> Daemon:
    return Daemon("buildkitd", command, _answers, config)


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.settimeout(2)
        connection.connect(str(_socket()))
        return True
    return False
