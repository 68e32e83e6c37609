"""What the machine has to give before a stack can be brought up: a Docker daemon, room on the disk, a free port.

Each check gives the problems that it found and changes nothing.
"""

import errno
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests

from components.model import Settings
from pipeline.console import PipelineError, Problem, problem
from pipeline.engine import Engine

CONTAINER = "docker:index/container:Container"
DEFAULT_HOST = "unix:///var/run/docker.sock"
ROOM_MB = 1024
ANSWER_SECONDS = 30
MB = 1024 * 1024


def docker_host(environ: Mapping[str, str] = os.environ) -> str:
    """Where the daemon is asked."""
    return environ.get("DOCKER_HOST") or DEFAULT_HOST


def is_local(host: str) -> bool:
    """Whether containers run on this machine, so that its ports and disk are theirs."""
    return host.startswith("unix://")


@contextmanager
def daemon(environ: Mapping[str, str] = os.environ) -> Iterator[docker.DockerClient]:
    """Talk to the Docker daemon; one clear problem when it does not answer."""
    host = docker_host(environ)
    try:
        if is_local(host):  # asked first: the SDK leaves a socket open when there is no daemon behind it
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
                door.settimeout(ANSWER_SECONDS)
                door.connect(host.removeprefix("unix://"))
        client = docker.from_env(environment=dict(environ), timeout=ANSWER_SECONDS)
        client.ping()
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise problem(
            f"the Docker daemon does not answer at {host}{_reason(error)}",
            allowed="a running Docker daemon, 20.10 or newer, that this user may talk to",
            mend="tools/bootstrap   # starts it where it may, and says what to do where it may not",
        ) from None
    try:
        yield client
    except requests.Timeout:
        raise problem(
            f"the Docker daemon at {host} took longer than {ANSWER_SECONDS} s for an answer",
            allowed="a daemon that answers: too much runs on its machine, or its disk is slow",
            mend="the same command again goes on from here, once there is less to do",
        ) from None
    finally:
        client.close()


def _reason(error: Exception) -> str:
    text = str(error)
    for words, reason in (
        ("Permission denied", ": permission denied (is this user in the group docker?)"),
        ("No such file", ": there is no such socket"),
        ("Connection refused", ": connection refused"),
        ("timed out", ": no answer in time"),
    ):
        if words in text:
            return reason
    return ""


def room(client: docker.DockerClient, root: Path, environ: Mapping[str, str] = os.environ) -> list[Problem]:
    """Check that the disks have room for images and state."""
    folders = {root}
    if is_local(docker_host(environ)):
        folders.add(Path(str(client.info().get("DockerRootDir") or "/")))
    problems = []
    for folder in sorted(folders):
        try:
            free = shutil.disk_usage(folder).free // MB
        except OSError:
            continue  # the daemon's folder is not ours to see
        if free < ROOM_MB:
            problems.append(
                Problem(
                    f"the disk is full: {free} MB are free at {folder}",
                    allowed=f"{ROOM_MB} MB or more",
                    mend="docker system df   # shows what Docker holds\ndocker image prune   # removes images nothing uses",
                ),
            )
    return problems


def port(client: docker.DockerClient, settings: Settings, stack: str, environ: Mapping[str, str]) -> list[Problem]:
    """Check that the published port is free, or this stack's own."""
    edge = settings.edge
    holder = _container_on(client, edge.address, edge.port)
    if holder is not None:
        labels = holder.labels
        if labels.get("slipway.project") == settings.app.name and labels.get("slipway.stack") == stack:
            return []
        who = f"the container {holder.name}"
        if "slipway.stack" in labels:
            who += f" (stack {labels['slipway.stack']} of {labels.get('slipway.project')})"
        return [_taken(settings, stack, who)]
    if not is_local(docker_host(environ)):
        return []
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((edge.address, edge.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return [_taken(settings, stack, "another program")]
            if error.errno == errno.EADDRNOTAVAIL:
                return [
                    Problem(
                        f"slipway:edge.address: found {edge.address}, which is no address of this machine",
                        allowed="127.0.0.1, 0.0.0.0 or an address of this machine",
                        mend=f"pulumi config set --path slipway:edge.address 127.0.0.1 --stack {stack}",
                    ),
                ]
            # Not ours to bind (a port below 1024 needs root), which says nothing about the daemon.
    return []


def _taken(settings: Settings, stack: str, who: str) -> Problem:
    return Problem(
        f"slipway:edge.port: {settings.edge.address}:{settings.edge.port} is taken by {who}",
        allowed="a free port",
        mend=f"pulumi config set --path slipway:edge.port {_free_port(settings)} --stack {stack}",
    )


def _free_port(settings: Settings) -> int:
    for candidate in range(settings.edge.port + 1, min(settings.edge.port + 200, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return candidate
    return settings.edge.port


def _container_on(client: docker.DockerClient, address: str, number: int) -> Any:  # noqa: ANN401 - docker is untyped here
    everywhere = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, never bound
    for container in client.containers.list():
        for bindings in (container.ports or {}).values():
            for binding in bindings or ():
                same = binding["HostIp"] == address or everywhere & {binding["HostIp"], address}
                if same and binding["HostPort"] == str(number):
                    return container
    return None


def stranger(client: docker.DockerClient, settings: Settings, stack: str, state: Mapping[str, Any]) -> list[Problem]:
    """Check that nobody else runs a stack of this name: another checkout, or one whose state was lost.

    Its networks tell: they carry fixed names and live as long as the stack. Volumes outlive it where data is protected.
    """
    half_made = [each["resource"] for each in state.get("pending_operations") or []]
    known = {each.get("id") for each in state.get("resources") or []}
    named = {(each.get("inputs") or {}).get("name") for each in half_made}
    labels = [f"slipway.project={settings.app.name}", f"slipway.stack={stack}"]
    networks = client.networks.list(filters={"label": labels})
    found = [each for each in networks if each.id not in known and each.name not in named]
    if not found:
        return []
    filters = " ".join(f"--filter label={each}" for each in labels)
    return [
        Problem(
            f"slipway:app.name: {settings.app.name}-{stack} runs on this host already, "
            f"and this checkout did not make it (network {found[0].name})",
            allowed="one checkout for each name and stack",
            mend="make down   # in the checkout that it runs from\n"
            f"pulumi config set --path slipway:app.name {settings.app.name[:28]}-2 --stack {stack}"
            "   # or another name here\n"
            "# or, if its state was lost, without its data:\n"
            f"docker rm -f $(docker ps -aq {filters}); docker network rm $(docker network ls -q {filters})",
        )
    ]


def stopped(client: docker.DockerClient, state: Mapping[str, Any]) -> list[str]:
    """Name the containers of a stack's state that should run and do not: Pulumi alone takes the state's word for it."""
    running = {container.id for container in client.containers.list()}
    return [
        str(each["outputs"]["name"])
        for each in state.get("resources") or []
        if each["type"] == CONTAINER and not each.get("delete")
        if (each.get("outputs") or {}).get("mustRun") and each.get("id") not in running
    ]


def before_update(engine: Engine, settings: Settings, state: Mapping[str, Any]) -> list[str]:
    """Run every check of the machine and raise all problems at once; give the containers that should run and do not."""
    with daemon(engine.environ) as client:
        problems = [
            *room(client, engine.root, engine.environ),
            *(stranger(client, settings, engine.stack, state) or port(client, settings, engine.stack, engine.environ)),
        ]
        if problems:
            raise PipelineError(*problems)
        return stopped(client, state)
