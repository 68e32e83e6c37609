"""Container: create, watch, read, update and delete one container.

What the request and the state look like is container_api.py; this module is the order of things and what happens when
one of them fails. A failure before the container runs leaves nothing behind. A failure after that (it never became
healthy) leaves it running and recorded, with the reasons, as the official plugin does.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from tools.airgap.docker_plugin import container_api, image, uploads
from tools.airgap.docker_plugin.daemon import Daemon, Operation
from tools.airgap.docker_plugin.plan import planned
from tools.airgap.docker_plugin.schema import CONTAINER
from tools.airgap.plugin.errors import InitializationError, PluginError

_MEGABYTE: Final = 1024 * 1024
_UPDATABLE: Final = ("restart", "maxRetryCount", "cpuShares", "memory", "memoryReservation", "memorySwap")
_GONE: Final = 60  # seconds that Docker may take to remove a stopped container


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Create, connect, upload, start; then wait for health or for the end, as asked."""
    daemon, name = operation.daemon, inputs["name"]
    body = container_api.request(inputs)
    image.ensure(operation, inputs["image"], None)
    with daemon.explained(f"cannot create container {name}"):
        created = daemon.client.create_container_from_config(body, name)  # type: ignore[no-untyped-call]  # its stub
        id_: str = created["Id"]
    try:
        _connect(daemon, id_, inputs)
        uploads.send(daemon, id_, inputs)
        if inputs.get("start", True):
            with daemon.explained(f"cannot start container {name}"):
                daemon.client.start(id_)
    except BaseException:
        with suppress(Exception):  # the first error is the one to show
            daemon.client.remove_container(id_, v=True, force=True)
        raise
    known = dict(inputs)
    try:
        if inputs.get("start", True):
            known.update(_watch(operation, id_, inputs))
    except PluginError as error:
        found = read(daemon, id_, known)
        if found is None:
            raise
        raise InitializationError(id_, found[1], dict(inputs), [str(error)]) from error
    found = read(daemon, id_, known)
    if found is None:
        raise PluginError(f"container {name} was gone before its state could be read; with `rm` set it removes itself")
    return found


def _connect(daemon: Daemon, id_: str, inputs: Mapping[str, Any]) -> None:
    networks = inputs.get("networksAdvanced") or []
    if not networks:
        return
    with daemon.explained(f"cannot disconnect container {inputs['name']} from the default network"):
        try:
            daemon.client.disconnect_container_from_network(id_, "bridge")
        except Exception as error:
            if "is not connected to" not in str(error):
                raise
    for network in networks:
        with daemon.explained(f"cannot connect container {inputs['name']} to network {network['name']}"):
            daemon.client.connect_container_to_network(
                id_,
                network["name"],
                aliases=network.get("aliases") or None,
                ipv4_address=network.get("ipv4Address") or None,
            )


def _watch(operation: Operation, id_: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Wait as asked; return the outputs that only waiting gives."""
    daemon, name = operation.daemon, inputs["name"]
    if inputs.get("wait"):
        _until_healthy(operation, id_, inputs)
    if inputs.get("attach"):
        _until_ended(operation, id_, name)
        if inputs.get("logs"):
            with daemon.explained(f"cannot read the logs of container {name}"):
                return {"containerLogs": daemon.client.logs(id_, stdout=True, stderr=True).decode(errors="replace")}
    return {}


def _inspected(daemon: Daemon, id_: str, name: str) -> dict[str, Any]:
    found = daemon.found(daemon.client.inspect_container, id_)
    if found is None:
        raise PluginError(f"container {name} is gone; with `rm` set it removes itself when it ends")
    return found


def _until_healthy(operation: Operation, id_: str, inputs: Mapping[str, Any]) -> None:
    name, limit = inputs["name"], inputs.get("waitTimeout", 60)
    status = "starting"

    def healthy() -> bool | None:
        nonlocal status
        state = _inspected(operation.daemon, id_, name)["State"]
        health = state.get("Health")
        if health is None:
            raise PluginError(f"container {name} has `wait` but no health check: give it `healthcheck`, or drop `wait`")
        status = health["Status"]
        if state["Status"] in {"exited", "dead"} and inputs.get("restart", "no") == "no":
            raise PluginError(
                f"container {name} failed to be in healthy state: it ended with exit code {state['ExitCode']}. "
                f"See: docker logs {name}"
            )
        return True if status == "healthy" and state["Running"] else None

    if not operation.until(healthy, limit=limit, waiting=f"{name} to be healthy"):
        raise PluginError(
            f"container {name} failed to be in healthy state: still {status} after {limit} s. See: docker logs {name}"
        )


def _until_ended(operation: Operation, id_: str, name: str) -> None:

    def ended() -> bool | None:
        state = _inspected(operation.daemon, id_, name)["State"]
        return None if state["Running"] or state["Restarting"] else True

    if not operation.until(ended, limit=operation.timeout, waiting=f"{name} to end"):
        raise PluginError(f"container {name} is still running after {operation.timeout:.0f} s; see: docker logs {name}")


def read(daemon: Daemon, id_: str, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Inspect it."""
    found = daemon.found(daemon.client.inspect_container, id_)
    return None if found is None else (found["Id"], container_api.state(known, found))


def update(operation: Operation, id_: str, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Change what a container can change while it lives. The rest is recorded and takes effect where it is used."""
    daemon, name = operation.daemon, inputs["name"]
    if not state.get("mustRun", True) and inputs.get("mustRun", True) and inputs.get("start", True):
        with daemon.explained(f"cannot start container {name}"):
            daemon.client.start(id_)
    if any((state.get(key) or None) != (inputs.get(key) or None) for key in _UPDATABLE):
        swap = inputs.get("memorySwap") or 0
        with daemon.explained(f"cannot update container {name}"):
            daemon.client.update_container(
                id_,
                cpu_shares=inputs.get("cpuShares") or None,
                mem_limit=(inputs.get("memory") or 0) * _MEGABYTE or None,
                mem_reservation=(inputs.get("memoryReservation") or 0) * _MEGABYTE or None,
                memswap_limit=(swap * _MEGABYTE if swap > 0 else swap) or None,
                restart_policy={
                    "Name": inputs["restart"],
                    "MaximumRetryCount": inputs.get("maxRetryCount") or 0,
                },
            )
    return planned(CONTAINER, inputs, state)


def delete(operation: Operation, id_: str, state: Mapping[str, Any]) -> None:
    """Stop it as gracefully as its state says, remove it with its anonymous volumes, and wait until it is gone."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415 - see load_sdk

    daemon, name, grace = operation.daemon, state.get("name", id_), state.get("destroyGraceSeconds") or 0
    if not state.get("attach"):
        operation.say(f"stopping {name}, at most {grace} s")
        with daemon.explained(f"cannot stop container {name}"), suppress(NotFound):
            daemon.client.stop(id_, timeout=grace)
    with daemon.explained(f"cannot remove container {name}"):
        try:
            daemon.client.remove_container(id_, v=state.get("removeVolumes", True), force=True)
        except NotFound:
            return
        except APIError as error:
            if "is already in progress" not in str(error.explanation):
                raise

    def gone() -> bool | None:
        return True if daemon.found(daemon.client.inspect_container, id_) is None else None

    if not operation.until(gone, limit=_GONE, waiting=f"{name} to be gone"):
        raise PluginError(f"container {name} was removed {_GONE} s ago and Docker still lists it; try again")
