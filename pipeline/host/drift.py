"""Looking at a Docker daemon for what is not as a stack's state declares it, and clearing away what nobody declared.

It reads the state without its secrets and changes nothing while it looks. Putting right is Pulumi's work; only what
Pulumi knows nothing of is removed here, and a tag that moved is moved back.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from components.docker import declaration as d
from components.labels import COMPONENT, DECLARED, PROJECT, RELEASE, STACK
from components.nginx import CONFIG_DIR
from components.tokens import CONTAINER, IMAGE, NETWORK, REMOTE_IMAGE, VOLUME, encrypted
from pipeline.console import problem
from pipeline.drift.difference import Difference, Look, Remedy, parted, safe
from pipeline.engine import Engine
from pipeline.host import found as f
from pipeline.host.check import daemon
from pipeline.target import State

NO_DATA = ("static", "collected", "edge")
"""Volumes that Pulumi fills again, by their component; those of secrets, too."""

_LOADED = "/tmp/edge/active/nginx.conf"  # noqa: S108 - a path in a container
_IN_PLACE = {d.MEMORY, d.SWAP, d.RESTART}
_SHORT = 12


def look(engine: Engine, state: State) -> Look:
    """Compare what the daemon has of a stack with what its state declares.

    Raises:
        PipelineError: if the daemon does not answer.
    """
    with daemon(engine.environ) as client:
        try:
            return _Host(client, engine.stack, state).look()
        except docker.errors.APIError as error:
            raise problem(
                f"the Docker daemon does not say what runs: {error.explanation or error}",
                mend=f"python -m pipeline doctor {engine.stack}",
            ) from None


def clear(engine: Engine, differences: Sequence[Difference], first: bool) -> None:  # noqa: FBT001 - one signature for all targets
    """Remove what nobody declared and move tags back: before Pulumi heals what it is in the way of, else after."""
    with daemon(engine.environ) as client:
        for each in differences:
            if each.remedy is Remedy.TAG and first:
                name, _, tag = each.name.rpartition(":")
                client.images.get(each.id).tag(name, tag)
                engine.console.say(f"    tags the declared image as {each.name} again")
            if each.remedy is Remedy.REMOVE and each.first is first:
                engine.console.say(f"    removes the container {each.name}, which nobody declared")
                try:
                    client.containers.get(each.id).remove(force=True, v=False)
                except docker.errors.NotFound:
                    continue


class _Host:
    """One look at a daemon."""

    def __init__(self, client: docker.DockerClient, stack: str, state: State) -> None:
        self._client = client
        self._stack = stack
        self._resources = [each for each in state.get("resources") or [] if each.get("inputs") is not None]
        self._now = [each for each in self._resources if not each.get("delete")]
        listed = client.containers.list(all=True, filters={"label": f"{STACK}={stack}"}, ignore_removed=True)
        self._by_id: dict[str, Container] = {str(each.id): each for each in listed}
        self._by_name: dict[str, Container] = {str(each.name): each for each in listed}
        self._handled: set[str] = set()
        self._images: dict[str, Mapping[str, Any]] = {}

    def look(self) -> Look:
        containers = self._of(CONTAINER)
        differences = [
            *(each for one in self._of(NETWORK) for each in self._network(one)),
            *(each for one in self._of(VOLUME) for each in self._volume(one)),
            *(each for one in self._of(REMOTE_IMAGE) for each in self._image(one)),
            *(each for one in containers for each in self._container(one)),
            *self._configuration(containers),
            *self._left(),
            *self._strangers(),
        ]
        return Look(containers=len(containers), differences=differences)

    def _of(self, kind: str) -> list[Mapping[str, Any]]:
        found = [each for each in self._now if each["type"] == kind]
        return sorted(found, key=lambda each: (_component(each), str(each["urn"])))

    def _container(self, resource: Mapping[str, Any]) -> Iterator[Difference]:
        inputs, component, name = resource["inputs"], _component(resource), _name(resource)
        container = self._by_id.get(str(resource.get("id")))
        remedy = Remedy.REPLACE
        if container is None:
            container, remedy = self._named(name), Remedy.REFRESH
            if container is None:
                yield Difference(
                    component=component,
                    name=name,
                    what="state",
                    declared=_wanted(resource),
                    found="no such container",
                    remedy=Remedy.REFRESH,
                )
                return
            self._handled.add(str(container.id))
            yield Difference(
                component=component,
                name=name,
                what="identity",
                declared=str(resource.get("id"))[:_SHORT],
                found=f"{str(container.id)[:_SHORT]}, a container of the same name that Pulumi did not make",
                remedy=Remedy.REMOVE,
                id=str(container.id),
                first="name" not in inputs.get("__defaults", []),
            )
        if str(container.name) != name:
            yield Difference(
                component=component,
                name=name,
                what="name",
                declared=safe("name", name),
                found=safe("name", str(container.name)),
                remedy=Remedy.REPLACE,
                urns=(str(resource["urn"]),),
            )
        stopped = bool(inputs.get("mustRun")) and container.status not in ("running", "restarting")
        if stopped:
            paused = container.status == "paused"
            yield Difference(
                component=component,
                name=name,
                what="state",
                declared="running",
                found=container.status,
                remedy=Remedy.REPLACE if paused and remedy is Remedy.REPLACE else Remedy.REFRESH,
                urns=(str(resource["urn"]),) if paused and remedy is Remedy.REPLACE else (),
            )
        yield from self._properties(resource, container, remedy)

    def _named(self, name: str) -> Container | None:
        """Find a container by its name, also one without the labels of the stack."""
        try:
            return self._by_name.get(name) or self._client.containers.get(name)
        except docker.errors.NotFound:
            return None

    def _properties(self, resource: Mapping[str, Any], container: Container, remedy: Remedy) -> Iterator[Difference]:
        inputs = resource["inputs"]
        declared = d.describe(inputs)
        if "image" in (resource.get("ignoreChanges") or []):
            declared[d.IMAGE] = str(resource["outputs"].get("image") or declared[d.IMAGE])
        image = self._image_of(container)
        skipped = ["environment "] if encrypted(inputs.get("envs")) else []
        differs = list(f.differences(declared, f.describe(container.attrs, image), f.of_image(image), skipped))
        labels = container.attrs["Config"].get("Labels") or {}
        wanted = declared.get(f"label {DECLARED}")
        recorded = labels.get(DECLARED)
        if wanted is not None and recorded != wanted:
            differs.append((f"label {DECLARED}", wanted, recorded or f.NOTHING))
        elif wanted is not None and not differs and not skipped and d.fingerprint(inputs) != recorded:
            # Somebody made the state say what was found: a refresh, an import, an edit.
            differs.append(
                ("declaration", f"{recorded}, as its label records", f"{d.fingerprint(inputs)} in the state")
            )
        for what, one, other in differs:
            known = what in declared
            in_place = what in _IN_PLACE and remedy is Remedy.REPLACE
            yield Difference(
                component=_component(resource),
                name=_name(resource),
                what=what,
                declared=one if one == f.NOTHING else safe(what, one),
                found=other if other == f.NOTHING else safe(what, other, declared=known),
                remedy=Remedy.UPDATE if in_place else remedy,
                urns=(str(resource["urn"]),) if remedy is Remedy.REPLACE and not in_place else (),
            )

    def _image_of(self, container: Container) -> Mapping[str, Any]:
        identity = str(container.attrs["Image"])
        if identity not in self._images:
            try:
                self._images[identity] = self._client.images.get(identity).attrs
            except docker.errors.ImageNotFound:
                self._images[identity] = {}
        return self._images[identity]

    def _volume(self, resource: Mapping[str, Any]) -> Iterator[Difference]:
        component, name = _component(resource), _name(resource)
        try:
            self._client.volumes.get(name)
        except docker.errors.NotFound:
            holds = component not in NO_DATA and not component.endswith("-secrets")
            yield Difference(
                component=component,
                name=f"volume {name}",
                what="state",
                declared="there",
                found=f"no such volume{'; its data is gone' if holds else ''}",
                remedy=Remedy.REFRESH,
                # What was migrated is gone with the data.
                urns=tuple(self._present("migration")) if component == "postgres" else (),
                data=holds,
            )

    def _present(self, component: str) -> Iterator[str]:
        for each in self._of(CONTAINER):
            if _component(each) == component and str(each.get("id")) in self._by_id:
                yield str(each["urn"])

    def _network(self, resource: Mapping[str, Any]) -> Iterator[Difference]:
        component, name = _component(resource), _name(resource)
        try:
            network = self._client.networks.get(str(resource["id"]))
        except docker.errors.NotFound:
            taken = [each for each in self._client.networks.list(names=[name]) if each.name == name]
            yield Difference(
                component=component,
                name=f"network {name}",
                what="state",
                declared="there",
                found="another network of this name" if taken else "no such network",
                remedy=Remedy.NONE if taken else Remedy.REFRESH,
            )
            return
        internal = bool(resource["inputs"].get("internal"))
        if bool(network.attrs.get("Internal")) is not internal:
            yield Difference(
                component=component,
                name=f"network {name}",
                what="way out",
                declared="none" if internal else "open",
                found="open" if internal else "none",
                remedy=Remedy.NONE,
            )

    def _image(self, resource: Mapping[str, Any]) -> Iterator[Difference]:
        tag, wanted = str(resource["inputs"]["name"]), str((resource.get("outputs") or {}).get("imageId") or "")
        now = self._identity(tag)
        if now == wanted or "@" in tag:
            return
        kept = self._identity(wanted) is not None
        builds = [each for each in self._of(IMAGE) if tag in (each["inputs"].get("tags") or [])]
        again = tuple(str(each["urn"]) for each in [*builds, resource]) if builds and now else ()
        yield Difference(
            component=str(resource["parent"]).rpartition("::")[2],
            name=tag,
            what="image of the tag",
            declared=short(wanted),
            found="no image" if now is None else short(now),
            remedy=Remedy.TAG if kept else Remedy.REPLACE if again else Remedy.REFRESH,
            urns=() if kept else again or tuple(str(each["urn"]) for each in builds),
            id=wanted,
        )

    def _identity(self, name: str) -> str | None:
        try:
            return str(self._client.images.get(name).id)
        except docker.errors.ImageNotFound:
            return None

    def _configuration(self, containers: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
        """Look at what the edge was given to serve, and at what it has loaded of that."""
        switches = [each for each in containers if _component(each) == "switch"]
        edges = [
            self._by_id[str(each["id"])]
            for each in containers
            if _component(each) == "edge" and each["id"] in self._by_id
        ]
        if not switches or not edges or encrypted(switches[0]["inputs"].get("envs")):
            return
        switch, edge = switches[0], edges[0]
        said = dict(each.split("=", 1) for each in switch["inputs"].get("envs") or [])
        name, site = said["SLIPWAY_ID"], said["SLIPWAY_SITE"]
        wanted = {
            "current": f"{name}\n",
            f"{name}/nginx.conf": site,
            f"{name}/members": "".join(f"{each}\n" for each in said["SLIPWAY_MEMBERS"].split()),
        }
        there = _files(edge)
        again = (str(switch["urn"]),) if str(switch["id"]) in self._by_id else ()
        for path, text in wanted.items():
            now = there.get(path)
            if now != text:
                yield self._of_the_edge(edge, f"file {CONFIG_DIR}/{path}", text, now, again)
        loaded = _loaded(edge)
        if loaded is not None and loaded != site and there.get("current") == wanted["current"]:
            # Other members are another configuration, which the edge loads; of the same one it would not look at the text.
            yield self._of_the_edge(edge, "configuration in use", site, loaded, tuple(self._present("web")))

    @staticmethod
    def _of_the_edge(edge: Container, what: str, wanted: str, now: str | None, urns: tuple[str, ...]) -> Difference:
        one, other = parted(wanted, now) if now is not None else (wanted.splitlines()[0], "")
        return Difference(
            component="edge",
            name=str(edge.name),
            what=what,
            declared=safe(what, one),
            found=safe(what, other) if now is not None else "no such file",
            remedy=Remedy.REPLACE if urns else Remedy.REFRESH,
            urns=urns,
        )

    def _left(self) -> Iterator[Difference]:
        """Find what an update that failed has left, which the state knows."""
        for each in self._resources:
            container = self._by_id.get(str(each.get("id")))
            if each["type"] == CONTAINER and each.get("delete") and container is not None:
                yield Difference(
                    component=_component(each),
                    name=str(container.name),
                    what="state",
                    declared="gone",
                    found=f"{container.status}{_release(container)}, left by an update that did not end",
                    remedy=Remedy.NONE,
                )

    def _strangers(self) -> Iterator[Difference]:
        """Find containers with the labels of the stack that its state does not know."""
        known = {str(each.get("id")) for each in self._resources} | self._handled
        projects = {_labels(each).get(PROJECT) for each in self._of(NETWORK)}
        for identity, container in sorted(self._by_id.items(), key=lambda each: str(each[1].name)):
            labels = container.labels
            if identity in known or labels.get(STACK) != self._stack or labels.get(PROJECT) not in projects:
                continue
            yield Difference(
                component=str(labels.get(COMPONENT) or "unknown"),
                name=str(container.name),
                what="state",
                declared=f.NOTHING,
                found=f"a container that Pulumi did not make, {container.status}{_release(container)}",
                remedy=Remedy.REMOVE,
                id=identity,
            )


def _labels(resource: Mapping[str, Any]) -> dict[str, str]:
    given = resource["inputs"].get("labels")
    # Those of a build are pairs, and nobody's component.
    return {str(each["label"]): str(each["value"]) for each in given} if isinstance(given, list) else {}


def _component(resource: Mapping[str, Any]) -> str:
    return _labels(resource).get(COMPONENT) or str(resource.get("parent", "")).rpartition("::")[2]


def _name(resource: Mapping[str, Any]) -> str:
    return str((resource.get("outputs") or {}).get("name") or resource["inputs"].get("name") or resource.get("id"))


def _wanted(resource: Mapping[str, Any]) -> str:
    inputs = resource["inputs"]
    if inputs.get("mustRun"):
        return "running"
    return "there, never started" if inputs.get("start") is False else "there, ended"


def _release(container: Container) -> str:
    release = container.labels.get(RELEASE)
    return f", of release {release}" if release else ""


def short(identity: str) -> str:
    """Shorten the identity of an image."""
    algorithm, _, digits = identity.partition(":")
    return f"{algorithm}:{digits[:_SHORT]}"


def _files(edge: Container) -> dict[str, str]:
    """Read the configuration that the edge is given, running or not."""
    try:
        stream, _ = edge.get_archive(CONFIG_DIR)
    except docker.errors.NotFound:
        return {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        return {
            member.name.partition("/")[2]: content.read().decode(errors="replace")
            for member in archive
            if (content := archive.extractfile(member)) is not None
        }


def _loaded(edge: Container) -> str | None:
    """Read what the edge serves from; None while it does not run."""
    if edge.status != "running":
        return None
    code, output = edge.exec_run(["cat", _LOADED])
    return output.decode(errors="replace") if code == 0 and isinstance(output, bytes) else None
