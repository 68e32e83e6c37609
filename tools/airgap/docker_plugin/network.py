"""Network: a network of the daemon. It is never updated: whatever changes makes a new one."""

from collections.abc import Mapping
from typing import Any

from tools.airgap.docker_plugin.daemon import Daemon, Operation
from tools.airgap.docker_plugin.labels import from_docker, to_docker
from tools.airgap.docker_plugin.plan import recorded
from tools.airgap.docker_plugin.schema import NETWORK
from tools.airgap.plugin.errors import PluginError

_IN_USE = 30  # seconds that a container which is being removed may still be connected


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Create it; unlike Docker by itself, never a second one of the same name."""
    from docker.types import IPAMConfig, IPAMPool  # noqa: PLC0415 - see load_sdk

    daemon = operation.daemon
    pools = [
        IPAMPool(entry.get("subnet"), entry.get("ipRange"), entry.get("gateway"), entry.get("auxAddress"))
        for entry in inputs.get("ipamConfigs") or []
    ]
    with daemon.explained(f"cannot create network {inputs['name']}"):
        id_ = daemon.client.create_network(
            inputs["name"],
            driver=inputs.get("driver"),
            options=inputs.get("options"),
            ipam=IPAMConfig(inputs.get("ipamDriver", "default"), pools, inputs.get("ipamOptions")),
            check_duplicate=True,
            internal=bool(inputs.get("internal")),
            labels=to_docker(inputs.get("labels")),
            enable_ipv6=bool(inputs.get("ipv6")),
            attachable=bool(inputs.get("attachable")) or None,
            ingress=bool(inputs.get("ingress")) or None,
        )["Id"]
    found = read(daemon, id_, inputs)
    if found is None:
        raise PluginError(f"network {inputs['name']} was removed by someone else while it was created; run it again")
    return found


def read(daemon: Daemon, id_: str, state: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Inspect it."""
    found = daemon.found(daemon.client.inspect_network, id_)
    return None if found is None else (found["Id"], _state(found, state))


def update(_operation: Operation, _id: str, _inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """There is nothing to update."""
    return dict(state)


def delete(operation: Operation, id_: str, state: Mapping[str, Any]) -> None:
    """Remove it as soon as no container is connected to it."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415 - see load_sdk

    daemon, name = operation.daemon, state.get("name", id_)

    def removed() -> bool | None:
        with daemon.explained(f"cannot remove network {name}"):
            try:
                daemon.client.remove_network(id_)
            except NotFound:
                return True
            except APIError as error:
                if "has active endpoints" not in str(error.explanation):
                    raise
                return None
        return True

    if not operation.until(removed, limit=_IN_USE, waiting=f"network {name} to be free"):
        found = daemon.found(daemon.client.inspect_network, id_) or {}
        connected = sorted(entry["Name"] for entry in (found.get("Containers") or {}).values())
        raise PluginError(
            f"cannot remove network {name}: after {_IN_USE} s it still has active endpoints"
            + (f": {', '.join(connected)}. Remove those containers first" if connected else ", and Docker names none")
        )


def _state(found: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    ipam = found["IPAM"]
    return {
        **recorded(NETWORK, known),
        "id": found["Id"],
        "name": found["Name"],
        "driver": found["Driver"],
        "options": found.get("Options") or {},
        "internal": found["Internal"],
        "attachable": found["Attachable"],
        "ingress": found.get("Ingress", False),
        "ipv6": found["EnableIPv6"],
        "ipamDriver": ipam["Driver"],
        "ipamOptions": ipam.get("Options") or None,
        "ipamConfigs": [
            {
                "subnet": entry.get("Subnet"),
                "ipRange": entry.get("IPRange"),
                "gateway": entry.get("Gateway"),
                "auxAddress": entry.get("AuxiliaryAddresses") or None,
            }
            for entry in ipam.get("Config") or []
        ]
        or None,
        "labels": from_docker(found.get("Labels"), known.get("labels")),
        "scope": found["Scope"],
    }
