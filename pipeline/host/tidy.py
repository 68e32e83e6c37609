"""What Pulumi leaves on a Docker host: half-made things of an update that was killed, and images after a destroy.

It removes only what the state of the stack names.
"""

import re
from collections.abc import Mapping
from typing import Any

import docker
import docker.errors
from docker.models.networks import Network

from components.labels import PROJECT, STACK
from components.tokens import CONTAINER, IMAGE, NETWORK, REMOTE_IMAGE
from pipeline.engine import Engine
from pipeline.host.check import daemon

_NOBODY = "ep-"
"""How Docker begins the name of an end of a network that no container has any more."""


def remove_half_made(engine: Engine, state: Mapping[str, Any]) -> None:
    """Remove containers and networks that a killed update was making: their names are taken, and nobody knows them."""
    known = {resource.get("id") for resource in state.get("resources") or []}
    pending = state.get("pending_operations") or []
    creates = [each["resource"] for each in pending if each.get("type") == "creating"]
    # Containers first: a network with a container on it cannot be removed.
    for resource in sorted(creates, key=lambda each: each["type"] != CONTAINER):
        name = (resource.get("inputs") or {}).get("name")
        if resource["type"] in (CONTAINER, NETWORK) and isinstance(name, str):
            _remove(engine, resource["type"], name, known)


def _remove(engine: Engine, kind: str, name: str, known: set[Any]) -> None:
    """Remove one half-made container or network by its name, unless the state knows it under its id."""
    client = docker.from_env(environment=dict(engine.environ))
    try:
        if kind == CONTAINER:
            container = client.containers.get(name)
            if container.id not in known:
                engine.console.say(f"    removes the half-made container {name}")
                container.remove(force=True, v=True)
            return
        for network in client.networks.list(filters={"name": f"^{re.escape(name)}$"}):
            if network.id not in known:
                engine.console.say(f"    removes the half-made network {name}")
                network.remove()
    except docker.errors.NotFound:
        return
    finally:
        client.close()


def reach(engine: Engine, _state: Mapping[str, Any]) -> None:
    """Raise when the daemon does not answer."""
    with daemon(engine.environ):
        pass


def disconnect_the_gone(engine: Engine, state: Mapping[str, Any]) -> bool:
    """Disconnect containers that are gone from the networks of the stack. True when there was one.

    Docker sometimes forgets to, on a busy host above all, and then never removes the network: "has active endpoints"
    (https://github.com/moby/moby/issues/42119).
    """
    freed = False
    with daemon(engine.environ) as client:
        for each in state.get("resources") or []:
            if each.get("type") != NETWORK:
                continue
            try:
                network = client.networks.get(str(each.get("id")))
            except docker.errors.NotFound:
                continue
            for gone in disconnected(network):
                engine.console.say(f"    disconnected {gone}, which is gone, from network {network.name}")
                freed = True
    return freed


def disconnected(network: Network) -> list[str]:
    """Disconnect what no container is any more, and name it."""
    ends = (network.attrs.get("Containers") or {}).items()
    gone = [str(end["Name"]) for key, end in ends if key.startswith(_NOBODY)]
    for name in gone:
        network.disconnect(name, force=True)
    return gone


def images(state: Mapping[str, Any]) -> list[str]:
    """The tags that the stack has built."""
    return [
        tag
        for each in state.get("resources", [])
        if each.get("type") == IMAGE
        for tag in (each.get("inputs") or {}).get("tags") or ()
        if isinstance(tag, str)
    ]


def promoted(state: Mapping[str, Any]) -> list[str]:
    """The image that the stack runs and another has built, by its id: whoever goes last takes it along."""
    resources = state.get("resources") or []
    looked_up = {(each.get("outputs") or {}).get("imageId") for each in resources if each.get("type") == REMOTE_IMAGE}
    run = [(each.get("inputs") or {}).get("image") for each in resources if each.get("type") == CONTAINER]
    return sorted({each for each in run if isinstance(each, str) and each.startswith("sha256:")} - looked_up)


def remove_images(engine: Engine, tags: list[str]) -> None:
    """Remove images that no container uses; one that another stack runs stays."""
    for each in remove_unused(engine, tags):
        engine.console.say(f"    stays: {each}")


def after_destroy(engine: Engine, state: Mapping[str, Any], _keep: bool) -> list[str]:  # noqa: FBT001 - one signature for all targets
    """Remove the images of the stack, which Pulumi keeps for the next update."""
    remove_images(engine, [*images(state), *promoted(state)])
    return []


def remove_unused(engine: Engine, tags: list[str]) -> list[str]:
    """Remove images that no container uses, and name those that stay."""
    stays = []
    with daemon(engine.environ) as client:
        for tag in tags:
            try:
                client.images.remove(tag)
            except docker.errors.ImageNotFound:
                continue
            except docker.errors.APIError as error:
                conflict = 409
                if error.status_code != conflict:
                    raise
                stays.append(f"the image {tag}: something else uses it")
    return stays


def _labels(engine: Engine, project: str) -> dict[str, Any]:
    return {"label": [f"{PROJECT}={project}", f"{STACK}={engine.stack}"]}


def sweep(engine: Engine, _state: Mapping[str, Any], project: str) -> None:
    """Remove what carries the labels of the project and of the stack: what an update was making when it was killed."""
    filters = _labels(engine, project)
    with daemon(engine.environ) as client:
        for container in client.containers.list(all=True, filters=filters, ignore_removed=True):
            engine.console.say(f"    removes the container {container.name}, which no state knows")
            container.remove(force=True, v=True)
        for network in client.networks.list(filters=filters):
            engine.console.say(f"    removes the network {network.name}, which no state knows")
            network.reload()
            disconnected(network)
            network.remove()
        for volume in client.volumes.list(filters=filters):
            engine.console.say(f"    removes the volume {volume.name}, which no state knows")
            volume.remove(force=True)


def left(engine: Engine, _state: Mapping[str, Any], project: str) -> list[str]:
    """Name what the daemon has with the labels of the project and of the stack."""
    filters = _labels(engine, project)
    with daemon(engine.environ) as client:
        return [
            *(
                f"container {each.name}"
                for each in client.containers.list(all=True, filters=filters, ignore_removed=True)
            ),
            *(f"network {each.name}" for each in client.networks.list(filters=filters)),
            *(f"volume {each.name}" for each in client.volumes.list(filters=filters)),
        ]
