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

from components import gateway
from components.labels import PROJECT, STACK, Owner
from components.model import Settings
from components.tokens import CONTAINER
from pipeline.console import PipelineError, Problem, problem
from pipeline.engine import Engine

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


def doubts(engine: Engine, _settings: Settings, _state: Mapping[str, Any]) -> list[str]:
    """Say that the daemon cannot be asked, where it cannot: a preview needs none, and an update does."""
    try:
        with daemon(engine.environ):
            return []
    except PipelineError as error:
        return [f"The Docker host was not asked, and settings and state alone tell: {error.problems[0].found}"]


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


def door(client: docker.DockerClient, settings: Settings, stack: str, environ: Mapping[str, str]) -> list[Problem]:
    """Check that visitors can reach the stack: by a port that is free, or through a gateway that is there."""
    if settings.edge.gateway is None:
        return port(client, settings, stack, environ)
    name = settings.edge.gateway
    running = client.containers.list(filters={"label": [f"{gateway.LABEL}={name}"]})
    if not running:
        return [
            Problem(
                f"slipway:edge.gateway: found {name}, and no such gateway runs on this host",
                allowed="a gateway that runs, or slipway:edge.port instead",
                mend="python -m pipeline env gateway up",
            )
        ]
    return _name_taken(client, settings, stack)


def _name_taken(client: docker.DockerClient, settings: Settings, stack: str) -> list[Problem]:
    """Check that no other stack answers to the same host name behind the gateway: visitors would get one or the other."""
    network = gateway.network(str(settings.edge.gateway))
    mine = {"slipway.project": settings.app.name, "slipway.stack": stack}
    for container in client.containers.list(filters={"network": network}, ignore_removed=True):
        joined = container.attrs["NetworkSettings"]["Networks"].get(network) or {}
        if gateway.alias(settings.domain) not in (joined.get("Aliases") or ()):
            continue
        if any(container.labels.get(label) != value for label, value in mine.items()):
            other, project = (container.labels.get(label) for label in ("slipway.stack", "slipway.project"))
            return [
                Problem(
                    f"slipway:domain: {settings.domain} is stack {other} of {project} behind the gateway "
                    f"{settings.edge.gateway}",
                    allowed="a host name of its own for each stack, such as another slipway:review.domain for each project",
                    mend=f"pulumi config set slipway:domain OTHER.{settings.domain} --stack {stack}",
                )
            ]
    return []


def port(client: docker.DockerClient, settings: Settings, stack: str, environ: Mapping[str, str]) -> list[Problem]:
    """Check that the published port is free, or this stack's own."""
    edge = settings.edge
    own = {"slipway.project": settings.app.name, "slipway.stack": stack}
    who = holder(client, edge.address, edge.port, environ, own)
    if who is not None:
        return [_taken(settings, stack, who)]
    if is_local(docker_host(environ)) and _refusal(edge.address, edge.port) == errno.EADDRNOTAVAIL:
        return [
            Problem(
                f"slipway:edge.address: found {edge.address}, which is no address of this machine",
                allowed="127.0.0.1, 0.0.0.0 or an address of this machine",
                mend=f"pulumi config set --path slipway:edge.address 127.0.0.1 --stack {stack}",
            ),
        ]
    return []


def holder(
    client: docker.DockerClient, address: str, number: int, environ: Mapping[str, str], own: Mapping[str, str]
) -> str | None:
    """Say who has a port of the host; None where nobody has, or only a container with labels that are one's own."""
    found = _container_on(client, address, number)
    if found is not None:
        labels = found.labels
        if own.items() <= labels.items():
            return None
        stack = (
            f" (stack {labels['slipway.stack']} of {labels.get('slipway.project')})"
            if "slipway.stack" in labels
            else ""
        )
        return f"the container {found.name}{stack}"
    taken = is_local(docker_host(environ)) and _refusal(address, number) == errno.EADDRINUSE
    return "another program" if taken else None


def _refusal(address: str, number: int) -> int | None:
    """Give the reason for which a port of this machine cannot be had; None where it can.

    One below 1024 is not ours to bind without root, which says nothing about the daemon.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, number))
        except OSError as error:
            return error.errno
    return None


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
    for container in client.containers.list(ignore_removed=True):
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


def namesake(client: docker.DockerClient, settings: Settings, stack: str) -> list[Problem]:
    """Check that nobody else's names begin like this stack's: ``shop-eu`` with ``prod``, and ``shop`` with ``eu-prod``.

    Docker gives whoever asks for a volume by its name the one that is there, with the data in it.
    """
    ours = Owner(project=settings.app.name, stack=stack)
    volumes, networks = (kind.list(filters={"label": [STACK]}) for kind in (client.volumes, client.networks))
    for each in (*volumes, *networks):
        labels = each.attrs.get("Labels") or {}
        other = Owner(project=labels.get(PROJECT, ""), stack=labels.get(STACK, ""))
        if other != ours and other.prefix == ours.prefix:
            return [
                Problem(
                    f"slipway:app.name: the names of {ours.project} in stack {ours.stack} begin with {ours.prefix}, as those of "
                    f"{other.project} in stack {other.stack} on this host do ({each.attrs['Name']})",
                    allowed="a name that gives another beginning together with the name of the stack",
                    mend=f"pulumi config set --path slipway:app.name {settings.app.name[:28]}-2 --stack {stack}",
                )
            ]
    return []


def promoted(client: docker.DockerClient, settings: Settings, stack: str) -> list[Problem]:
    """Check that an image of another stack is on the host, where it is named by its identity there."""
    image = settings.promoted.image
    if image is None or "@" in image:
        return []
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        return [
            Problem(
                f"slipway:promoted.image: this Docker host has no image {image} (release {settings.promoted.release} "
                f"of stack {settings.promoted.stack})",
                allowed="the Docker host that the image ran on, or an image in a registry",
                mend=f"python -m pipeline promote {settings.promoted.stack or 'STACK'} {stack}\n"
                f"pulumi config rm slipway:promoted --stack {stack}   # builds from the project again",
            )
        ]
    return []


def stopped(client: docker.DockerClient, state: Mapping[str, Any]) -> list[str]:
    """Name the containers of a stack's state that should run and do not: Pulumi alone takes the state's word for it."""
    running = {container.id for container in client.containers.list(ignore_removed=True)}
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
            *promoted(client, settings, engine.stack),
            *(
                stranger(client, settings, engine.stack, state)
                or namesake(client, settings, engine.stack)
                or door(client, settings, engine.stack, engine.environ)
            ),
        ]
        if problems:
            raise PipelineError(*problems)
        return stopped(client, state)
