"""What a target is: a class for each component, known by what it takes and by what others use of it.

The base classes declare the outputs; each target's own classes make them. Nothing is registered here, and which target
is which is in ``deployment.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pulumi import ComponentResource, Output, ProviderResource, ResourceOptions

from components import args as a
from components.labels import Owner
from components.model import Settings


class Networks(ComponentResource):
    """The networks of a stack."""

    edge: Output[str]
    """The one that the edge and the web processes share."""
    internal: Output[str]
    """The one of the datastores, without a way out."""
    providers: Sequence[ProviderResource] = ()
    """What registers everything else of the stack there, where that is not the usual provider."""


class Source(ComponentResource):
    """Something with files in it."""

    source: Output[str]
    """What a process mounts."""


class Image(ComponentResource):
    """An image."""

    id: Output[str]
    """What a process runs."""


class Server(ComponentResource):
    """Something that answers on a network."""

    host: Output[str]
    """Its name on the network."""
    port: Output[int]
    """Its port."""


class Edge(Server):
    """What visitors connect to."""

    url: Output[str]
    """Where it serves."""


class Step(ComponentResource):
    """Something that happens once."""

    ready: Output[bool]
    """There only if it succeeded."""


class Process(ComponentResource):
    """The processes of one release beside those that serve it. Who has a port may be sent requests."""

    members: Sequence[Output[str]]
    """``host:port`` of each that listens, where each has a name of its own."""


class Web(ComponentResource):
    """The processes of one release."""

    members: Sequence[Output[str]]
    """``host:port`` of each that serves, where each has a name of its own."""
    revision: Output[str]
    """Names these very processes: with another image, setting or secret, it is another one."""


Args = TypeVar("Args", contravariant=True)  # noqa: PLC0105 - the name of what it stands for
Made = TypeVar("Made", covariant=True)  # noqa: PLC0105 - the same


class Component(Protocol[Args, Made]):
    """A class of components."""

    def __call__(self, name: str, args: Args, opts: ResourceOptions | None = None) -> Made:
        """Make one."""
        ...


@dataclass(frozen=True, kw_only=True)
class Target:
    """One class for each component; None for what the target does not need or cannot have."""

    networks: Component[a.NetworksArgs, Networks]
    storage: Component[a.StorageArgs, Source]
    configuration: Component[a.StorageArgs, Source] | None
    """Storage that the switch writes for the edge."""
    secret_files: Component[a.SecretFilesArgs, Source]
    app_image: Component[a.AppImageArgs, Image]
    pulled_image: Component[a.PulledImageArgs, Image]
    postgres: Component[a.PostgresArgs, Server]
    managed_postgres: Component[a.ManagedPostgresArgs, Server] | None
    redis: Component[a.RedisArgs, Server]
    service: Component[a.ServiceArgs, Server]
    migration: Component[a.MigrationArgs, Step]
    static_files: Component[a.StaticFilesArgs, Step]
    collected_static: Component[a.CollectedStaticArgs, Step]
    web: Component[a.WebArgs, Web]
    process: Component[a.ProcessArgs, Process]
    edge: Component[a.EdgeArgs, Edge]
    switch: Component[a.SwitchArgs, Step]
    attempts: Callable[[], Mapping[str, int]]
    """How often each step has been tried, for targets where a failed step would not run again by itself."""
    service_host: Callable[[Owner, str], str]
    """Names the host of a service beside the app, which others of them may name before it is there."""
    check: Callable[[Settings], None]
    """Refuses settings that the platform as it is cannot take, before anything is registered."""
