"""What each component takes: the same for every target.

One class for each component, and nothing that only one target knows.
Values that the engine may not know yet are ``Input``; a plain value decides which resources there are, or is known
before anything runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import Input, Resource

from components.labels import Owner
from components.settings import Resources


@dataclass(frozen=True, kw_only=True)
class NetworksArgs:
    """The networks of a stack."""

    owner: Owner
    """The stack."""


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """One place for files that outlives what uses it."""

    owner: Owner
    """The stack."""
    role: str
    """What it holds: the last part of its name, for ever."""
    protect: bool
    """Whether Pulumi refuses to delete it, and leaves it in place when told to forget it."""


@dataclass(frozen=True, kw_only=True)
class PulledImageArgs:
    """An image that somebody else built."""

    reference: str
    """Its name with a tag or a digest."""


@dataclass(frozen=True, kw_only=True)
class AppImageArgs:
    """The image of the Django project."""

    repository: str
    """Name of the image, without a tag."""
    release: str
    """Identity of the release: the tag. Whatever goes into the image is part of it."""
    context: str
    """Folder of the project, relative to this repository."""
    dockerfile: str
    """Path of the Dockerfile, relative to this repository."""
    labels: Mapping[str, str]
    """Labels of the image."""
    ca_bundle: str | None = None
    """Text of a CA bundle that the steps of the build trust; never part of the image."""


@dataclass(frozen=True, kw_only=True)
class SecretFilesArgs:
    """Secrets that processes read as files."""

    owner: Owner
    """The stack."""
    role: str
    """Who reads them."""
    image: Input[str]
    """Any image that is there already; nothing of it runs."""
    files: Mapping[str, Input[str]]
    """Name of each file, and its secret content."""


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    """The database."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The PostgreSQL image, 17 or older: 18 keeps its data elsewhere."""
    resources: Resources
    """What it may use."""
    database: str
    """Name of the database and of its user."""
    command: Sequence[str]
    """Command line of the server, program first."""
    shared_memory_mb: int
    """Size of /dev/shm, which parallel queries use."""
    network: Input[str]
    """The network that it listens on."""
    storage: Input[str]
    """Where its data is."""
    secrets: Input[str]
    """Secret files with ``postgres_password``: the password that a new database starts with."""


@dataclass(frozen=True, kw_only=True)
class RedisArgs:
    """The cache."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The Redis image."""
    resources: Resources
    """What it may use."""
    command: Sequence[str]
    """Command line of the server, program first."""
    network: Input[str]
    """The network that it listens on."""
    storage: Input[str]
    """Where it keeps its append-only file."""
    secrets: Input[str]
    """Secret files with ``redis.conf``: configuration that names the password."""


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """The step that brings the database to a release."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The app's image."""
    release: str
    """Identity of the release."""
    resources: Resources
    """What it may use."""
    environment: Mapping[str, str]
    """Plain environment variables of the app."""
    secrets: Input[str]
    """Secret files of the app."""
    hidden: Sequence[Input[str]]
    """Secret values that must not appear in an error message."""
    network: Input[str]
    """The network that the database is on."""
    after: Sequence[Resource]
    """What must be ready before. Order alone, since nothing of it is needed to describe this."""
    attempt: int = 1
    """How often this has been tried: another number runs it again."""


@dataclass(frozen=True, kw_only=True)
class StaticFilesArgs:
    """The step that publishes the static files of a release."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The app's image."""
    release: str
    """Identity of the release."""
    resources: Resources
    """What it may use."""
    storage: Input[str]
    """Where the edge serves static files from. Files of earlier releases stay."""
    attempt: int = 1
    """How often this has been tried: another number runs it again."""


@dataclass(frozen=True, kw_only=True)
class WebArgs:
    """The processes that serve the app."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The app's image, once the release may start."""
    release: str
    """Identity of the release."""
    replicas: int
    """How many there are. Plain: it decides which resources exist."""
    resources: Resources
    """What each may use."""
    command: Sequence[str] | None
    """Command line, program first; None for the one that the image brings."""
    environment: Mapping[str, str]
    """Plain environment variables of the app."""
    secrets: Input[str]
    """Secret files of the app."""
    networks: Sequence[Input[str]]
    """The networks of the edge and of the datastores."""
    storage: Input[str]
    """Where uploads are."""
    media_root: str
    """Where the app expects its uploads."""
    health: Sequence[str]
    """The command that exits 0 when the app can serve."""
    startup_seconds: int
    """How long a new one may take to become healthy."""
    stop_grace_seconds: int
    """How long an old one may finish its requests."""


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """The one process that publishes a port."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The nginx image."""
    resources: Resources
    """What it may use."""
    command: Sequence[str]
    """Command line, program first. Nothing in it depends on a release or on what the switch writes."""
    health: Sequence[str]
    """The command that exits 0 when it can serve."""
    address: str
    """Address of the host that the port is published on."""
    port: int
    """Port of the host."""
    network: Input[str]
    """The network that it shares with the web processes."""
    configuration: Input[str]
    """Storage that the switch writes."""
    static: Input[str]
    """Storage of the static files."""
    media: Input[str]
    """Storage of the uploads."""
    stop_grace_seconds: int
    """How long it may finish its requests."""


@dataclass(frozen=True, kw_only=True)
class SwitchArgs:
    """The step that hands the traffic to a release."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The nginx image."""
    resources: Resources
    """What it may use."""
    command: Sequence[str]
    """Command line, program first. It fails unless the edge confirms."""
    environment: Input[Mapping[str, str]]
    """What the edge is told, and by whom."""
    network: Input[str]
    """The network that the edge is on."""
    after: Sequence[Resource]
    """What must be ready before. Order alone, since nothing of it is needed to describe this."""
    configuration: Input[str]
    """Storage that the edge reads."""
    attempt: int = 1
    """How often this has been tried: another number runs it again."""
