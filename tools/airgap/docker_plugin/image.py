"""RemoteImage: a tag or digest that is on the daemon, pulled when it is not."""

from collections.abc import Mapping
from typing import Any

from tools.airgap.docker_plugin.daemon import Daemon, Operation
from tools.airgap.docker_plugin.plan import recorded
from tools.airgap.docker_plugin.schema import IMAGE
from tools.airgap.plugin.errors import PluginError


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Find the image or pull it."""
    found = ensure(operation, inputs["name"], inputs.get("platform"))
    return found["Id"] + inputs["name"], _state(inputs, found)


def read(daemon: Daemon, _id: str, state: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Look the name up again: a tag can have moved."""
    if "name" not in state:
        raise PluginError("docker:index/remoteImage:RemoteImage cannot be imported, here as in the official plugin")
    found = daemon.found(daemon.client.inspect_image, state["name"])
    return None if found is None else (found["Id"] + state["name"], _state(state, found))


def update(operation: Operation, _id: str, inputs: Mapping[str, Any], _before: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing changes but what Delete will do; the image is brought back should it be gone."""
    return create(operation, inputs)[1]


def delete(operation: Operation, _id: str, state: Mapping[str, Any]) -> None:
    """Remove the name from the daemon, unless it is to be kept."""
    daemon, name = operation.daemon, state["name"]
    if state.get("keepLocally") or daemon.found(daemon.client.inspect_image, name) is None:
        return
    with daemon.explained(f"cannot remove image {name}"):
        daemon.client.remove_image(name, force=bool(state.get("forceRemove")))


def ensure(operation: Operation, name: str, platform: str | None) -> dict[str, Any]:
    """Return the image of a name as Docker describes it; pull it first if it is not there."""
    daemon = operation.daemon
    with daemon.one_at_a_time(name):
        found = daemon.found(daemon.client.inspect_image, name)
        if found is None:
            _pull(operation, name, platform)
            found = daemon.found(daemon.client.inspect_image, name)
        if found is None:
            raise PluginError(f"image {name} was pulled and is not there; is the name right?")
        return found


def _pull(operation: Operation, name: str, platform: str | None) -> None:
    if name.startswith("sha256:"):
        raise PluginError(f"image {name} is not on the Docker daemon, and an image id cannot be pulled; build it again")
    daemon = operation.daemon
    operation.say(f"pulling {name}")
    repository, reference = _split(name)
    doing = f"image {name} is not on the Docker daemon and cannot be pulled"
    layers: dict[str, str] = {}
    with daemon.explained(doing):
        for line in daemon.client.pull(
            repository,
            tag=reference,
            stream=True,
            decode=True,
            platform=platform or None,
            auth_config=_credentials(daemon, repository),
        ):
            if "error" in line:
                raise PluginError(f"{doing}: {line['error']}")
            if daemon.cancelled.is_set():
                raise PluginError(f"cancelled while pulling {name}")
            if "id" in line:
                layers[line["id"]] = line.get("status", "")
                finished = sum(status in {"Pull complete", "Already exists"} for status in layers.values())
                operation.say(f"pulling {name}: {finished} of {len(layers)} layers")


def _credentials(daemon: Daemon, repository: str) -> dict[str, str] | None:
    """Return the configured user of an image's registry; None: what `docker login` left, if anything."""
    from docker.auth import resolve_repository_name  # noqa: PLC0415 - see load_sdk

    registry = resolve_repository_name(repository)[0]
    for entry in daemon.settings.registry_auth:
        if entry["address"].removeprefix("https://").split("/")[0] == registry and entry.get("username"):
            return {"username": entry["username"], "password": entry["password"]}
    return None


def _split(name: str) -> tuple[str, str]:
    """Return the repository, and the digest or else the tag."""
    tagged, _, digest = name.partition("@")
    head, colon, tag = tagged.rpartition(":")
    repository, tag = (head, tag) if colon and "/" not in tag else (tagged, "latest")
    return repository, digest or tag


def _state(inputs: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    id_ = found["Id"] + inputs["name"]
    return {
        **recorded(IMAGE, inputs),
        "id": id_,
        "imageId": found["Id"],
        "repoDigest": _repo_digest(inputs["name"], found),
    }


def _repo_digest(name: str, found: Mapping[str, Any]) -> str:
    digests: list[str] = found.get("RepoDigests") or []
    return next(
        (digest for digest in digests if digest.startswith(_split(name)[0] + "@")), digests[0] if digests else ""
    )
