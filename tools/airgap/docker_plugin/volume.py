"""Volume: a named volume. It is never updated: whatever changes makes a new one, without the data."""

from collections.abc import Mapping
from typing import Any

from tools.airgap.docker_plugin.daemon import Daemon, Operation
from tools.airgap.docker_plugin.labels import from_docker, to_docker
from tools.airgap.docker_plugin.plan import recorded
from tools.airgap.docker_plugin.schema import VOLUME
from tools.airgap.plugin.errors import PluginError

_IN_USE = 30  # seconds that a container which is being removed may still hold it


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Create it. As with `docker volume create`, one of that name and driver is taken as it is."""
    daemon = operation.daemon
    with daemon.explained(f"cannot create volume {inputs['name']}"):
        found = daemon.client.create_volume(
            inputs["name"],
            driver=inputs.get("driver"),
            driver_opts=inputs.get("driverOpts"),
            labels=to_docker(inputs.get("labels")),
        )
    return found["Name"], _state(found, inputs)


def read(daemon: Daemon, id_: str, state: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Inspect it."""
    found = daemon.found(daemon.client.inspect_volume, id_)
    return None if found is None else (found["Name"], _state(found, state))


def update(_operation: Operation, _id: str, _inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """There is nothing to update."""
    return dict(state)


def delete(operation: Operation, id_: str, _state_before: Mapping[str, Any]) -> None:
    """Remove it as soon as no container holds it."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415 - see load_sdk

    daemon, said = operation.daemon, ""

    def removed() -> bool | None:
        nonlocal said
        with daemon.explained(f"cannot remove volume {id_}"):
            try:
                daemon.client.remove_volume(id_, force=True)
            except NotFound:
                return True
            except APIError as error:
                said = str(error.explanation)
                if "volume is in use" not in said:
                    raise
                return None
        return True

    if not operation.until(removed, limit=_IN_USE, waiting=f"volume {id_} to be free"):
        raise PluginError(f"cannot remove volume {id_}: after {_IN_USE} s still {said}. Remove those containers first")


def _state(found: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **recorded(VOLUME, known),
        "id": found["Name"],
        "name": found["Name"],
        "driver": found["Driver"],
        "driverOpts": found.get("Options") or None,
        "labels": from_docker(found.get("Labels"), known.get("labels")),
        "mountpoint": found["Mountpoint"],
    }
