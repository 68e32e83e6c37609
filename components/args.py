"""What each component takes: the same for every target.

One class for each component, and nothing that only one target knows.
Values that the engine may not know yet are ``Input``; a plain value decides which resources there are, or is known
before anything runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pulumi import Input, Resource

from components.budget import Budget
from components.flows import Flow
from components.health import HealthCheck
from components.labels import Owner
from components.model import Expose, Resources, TlsFrom


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where on the platform a stack is, for platforms that several stacks share."""

    context: str | None
    """Which platform, by a name that the machine of the operator knows; None for the usual one."""
    namespace: str
    """Name of the part of it that is the stack's own."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """A place for files in a process."""

    role: str
    """What it holds."""
    storage: Input[str]
    """The place."""
    path: str
    """Where the process finds it."""
    writable: bool
    """Whether the process may write."""


@dataclass(frozen=True, kw_only=True)
class Autoscale:
    """How many processes there are where the load decides that."""

    min: int
    """The least number."""
    max: int
    """The largest number."""
    cpu_percent: int
    """The part of the CPU limit that they use on average, in percent."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Where the certificate of the domain comes from."""

    kind: TlsFrom
    """What gives it. Plain: it decides which resources exist."""
    certificate: Input[str] | None = None
    """The certificate with its chain, in PEM; only where a secret gives it."""
    key: Input[str] | None = None
    """Its private key, in PEM; the same."""
    issuer: str | None = None
    """Name of who issues it; only where the platform gets it."""


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How visitors reach the edge, where that is not a port of the host."""

    kind: Expose
    """By what. Plain: it decides which resources exist."""
    ingress_class: str | None = None
    """Name of the class of the ingress; None for the platform's own choice."""
    gateway: str | None = None
    """``namespace/name`` of the gateway that serves the domain."""
    tls: Tls | None = None
    """The certificate; None if TLS ends elsewhere."""


@dataclass(frozen=True, kw_only=True)
class NetworksArgs:
    """The networks of a stack: who may talk to whom, and where all of it is."""

    owner: Owner
    """The stack."""
    flows: Sequence[Flow]
    """Every connection that is needed. Plain: it decides which resources exist."""
    budget: Budget
    """What everything may use at once."""
    place: Place
    """Where on the platform."""
    protect: bool
    """Whether the place stays when Pulumi is told to delete it, since protected data is in it."""
    registry_auth: Input[str] | None = None
    """How to log in to the registry of the images: the text of a ``config.json``. None where nobody has to."""


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """One place for files that outlives what uses it."""

    owner: Owner
    """The stack."""
    role: str
    """What it holds: the last part of its name, for ever."""
    network: Input[str]
    """A network of those who mount it."""
    protect: bool
    """Whether Pulumi refuses to delete it, and leaves it in place when told to forget it."""
    size_gb: int
    """How much it holds, in GiB, where the platform sets that."""
    shared: bool
    """Whether processes of several components mount it at once."""
    storage_class: str | None
    """What kind of disk it is, by the platform's name for it; None for the usual one."""
    access: str
    """From how many nodes at once it can be mounted: ``ReadWriteOnce`` or ``ReadWriteMany``."""


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
    netrc: Input[str] | None = None
    """Credentials of what the build downloads from; never part of the image."""
    known_hosts: str | None = None
    """Text of a known_hosts file: the hosts that the build reaches by SSH; never part of the image."""
    ssh_agent: str | None = None
    """Path of an agent's socket that the build may ask, relative to this repository; None for a build without SSH."""
    registry: str | None = None
    """Where it is pushed to: the first part of its name. None for the images of the host that runs it."""


@dataclass(frozen=True, kw_only=True)
class SecretFilesArgs:
    """Secrets that processes read as files."""

    owner: Owner
    """The stack."""
    role: str
    """Who reads them."""
    network: Input[str]
    """A network of those who read them."""
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
class ManagedPostgresArgs:
    """The database, run by an operator of the platform."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The PostgreSQL image."""
    resources: Resources
    """What each instance may use."""
    database: str
    """Name of the database and of its user."""
    password: Input[str]
    """The password of that user."""
    parameters: Mapping[str, str]
    """Configuration of the server, by name."""
    instances: int
    """How many copies there are."""
    network: Input[str]
    """The network that it listens on."""
    size_gb: int
    """How much each copy holds, in GiB."""
    storage_class: str | None
    """What kind of disk it is, by the platform's name for it; None for the usual one."""
    protect: bool
    """Whether Pulumi refuses to delete it, and leaves it in place when told to forget it."""


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
class ServiceVolume:
    """A place for files of a service."""

    storage: Input[str]
    """Where they are."""
    path: str
    """Where the service expects them."""


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """A server beside the app, such as a queue or a search engine."""

    owner: Owner
    """The stack."""
    service: str
    """Its name in the settings."""
    host: str
    """Its name on the network."""
    image: Input[str]
    """Its image."""
    helper: Input[str]
    """Any image with the usual programs that is there already: it gives new storage to the user, where that is needed."""
    resources: Resources
    """What it may use."""
    program: Sequence[str] | None
    """What it starts with; None for what the image brings, which is the usual case."""
    command: Sequence[str] | None
    """What that gets; None for what the image brings."""
    environment: Mapping[str, str]
    """Plain environment variables."""
    user: int
    """Numeric user, who is his own group."""
    writable: Sequence[str]
    """What it writes to beside its storage; gone when it stops."""
    read_only: bool
    """Whether it can write nothing else."""
    volumes: Mapping[str, ServiceVolume]
    """Its storage, by name. Plain: it decides which resources exist."""
    secrets: Input[str] | None
    """Its secret files; None where it reads none."""
    folders: Mapping[str, Input[str]]
    """Further sets of files, each by the folder that holds nothing else."""
    network: Input[str]
    """The network that it listens on."""
    ports: Sequence[int]
    """Where it listens, the main one first."""
    health_command: Sequence[str] | None
    """The command that exits 0 when it can serve; None where ``health_tcp`` says it."""
    health_tcp: bool
    """Whether it can serve once it listens. Without both, once it has started."""
    startup_seconds: int
    """How long it may take until it can serve."""
    stop_grace_seconds: int
    """How long it may take to stop."""
    after: Sequence[Resource]
    """What must be ready before. Order alone, since nothing of it is needed to describe this."""
    attempt: int = 1
    """How often the storage has been given to the user: another number does it again."""


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
    command: Sequence[str]
    """Command line, program first."""
    environment: Mapping[str, str]
    """Plain environment variables of the app."""
    secrets: Input[str]
    """Secret files of the app."""
    hidden: Sequence[Input[str]]
    """Secret values that must not appear in an error message."""
    networks: Sequence[Input[str]]
    """The networks that the datastores are on, or that lead to them."""
    after: Sequence[Resource]
    """What must be ready before. Order alone, since nothing of it is needed to describe this."""
    limit_seconds: int
    """How long it may take. It is stopped then, which PostgreSQL answers with a rollback."""
    servers: Sequence[str] = ()
    """``host:port`` of each server beside the datastores that it may ask."""
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
    network: Input[str]
    """The network of the edge. Nothing is asked over it."""
    attempt: int = 1
    """How often this has been tried: another number runs it again."""
    together: bool = False
    """Whether it must run beside whatever mounts the same storage, since that can be mounted in one place alone."""


@dataclass(frozen=True, kw_only=True)
class CollectedStaticArgs:
    """The step that collects the static files of a release where the project itself writes some, too."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The app's image."""
    release: str
    """Identity of the release."""
    resources: Resources
    """What it may use."""
    command: Sequence[str]
    """Command line, program first."""
    environment: Mapping[str, str]
    """Plain environment variables of the app."""
    secrets: Input[str]
    """Secret files of the app."""
    hidden: Sequence[Input[str]]
    """Secret values that must not appear in an error message."""
    networks: Sequence[Input[str]]
    """The networks that the datastores are on, or that lead to them."""
    files: Files
    """Where the static files are. Files of earlier releases stay."""
    attempt: int = 1
    """How often this has been tried: another number runs it again."""
    together: bool = False
    """Whether it must run beside whatever mounts the same storage, since that can be mounted in one place alone."""


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
    files: Sequence[Files] = ()
    """What else it keeps."""
    health: HealthCheck
    """What tells that the app can serve."""
    port: int
    """Where the app listens."""
    startup_seconds: int
    """How long a new one may take to become healthy."""
    stop_grace_seconds: int
    """How long an old one may finish its requests."""
    autoscale: Autoscale | None = None
    """How the load decides how many there are; None where ``replicas`` does. Plain, as that is."""
    together: bool = False
    """Whether it must run beside whatever mounts the same storage, since that can be mounted in one place alone."""


@dataclass(frozen=True, kw_only=True)
class ProcessArgs:
    """Processes of the app beside those that serve it, such as workers of a queue."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The app's image, once the release may start."""
    release: str
    """Identity of the release."""
    process: str
    """Its name in the settings."""
    replicas: int
    """How many there are. Plain: it decides which resources exist."""
    resources: Resources
    """What each may use."""
    command: Sequence[str]
    """Command line, program first."""
    environment: Mapping[str, str]
    """Plain environment variables of the app."""
    secrets: Input[str]
    """Secret files of the app."""
    networks: Sequence[Input[str]]
    """The networks of the datastores and of the way out."""
    storage: Input[str]
    """Where uploads are."""
    media_root: str
    """Where the app expects its uploads."""
    files: Sequence[Files] = ()
    """What else it keeps."""
    startup_seconds: int
    """How long a new one may take to be well."""
    stop_grace_seconds: int
    """How long an old one may finish what it does."""
    health_command: Sequence[str] | None = None
    """The command that exits 0 when it is well, program first; None where it is enough that it runs."""
    schedule: str | None = None
    """The fields of cron, in UTC, for what runs by the clock; None for what runs all the time. Plain: it decides which
    resources exist."""
    singleton: bool = False
    """Whether there must never be two of it. Plain, as that is."""
    after: Sequence[Resource] = ()
    """What must be ready before. Order alone, since nothing of it is needed to describe this."""
    port: int | None = None
    """Where it listens; None if it does not."""
    together: bool = False
    """Whether it must run beside whatever mounts the same storage, since that can be mounted in one place alone."""


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """What visitors connect to."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The nginx image."""
    resources: Resources
    """What it may use."""
    site: str
    """Text of ``nginx.conf``, for targets where the switch does not write it. Nothing in it depends on a release."""
    domain: str
    """The public host name."""
    hosts: Sequence[str] = ()
    """Further names that visitors ask for; ``*.`` before one for all below it."""
    upstreams: Mapping[str, int] = field(default_factory=dict)
    """The port of each component beside web that it sends requests to, by its name."""
    replicas: int
    """How many there are, where the port of a host is not what limits them to one."""
    address: str
    """Address of the host that the port is published on."""
    port: int
    """Port of the host."""
    gateway: str | None = None
    """Name of what hands on what visitors ask, where the platform has that instead of a port of its own. Plain: it decides
    what is published."""
    secrets: Input[str] | None = None
    """Secret files with who may see the site; None for everybody."""
    exposure: Exposure
    """How visitors reach it, where that is not a port of the host."""
    network: Input[str]
    """The network that it shares with the web processes."""
    configuration: Input[str] | None
    """Storage that the switch writes; None where ``site`` is all there is."""
    static: Input[str] | None
    """Storage of the static files; None where the app serves its own."""
    media: Input[str]
    """Storage of the uploads."""
    stop_grace_seconds: int
    """How long it may finish its requests."""
    together: bool = False
    """Whether it must run beside whatever mounts the same storage, since that can be mounted in one place alone."""


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """The shared edge of a host."""

    name: str
    """Its name on the host."""
    image: str
    """The nginx image."""
    resources: Resources
    """What it may use."""
    site: str
    """Text of ``nginx.conf``."""
    address: str
    """Address of the host that the port is published on."""
    port: int
    """Port of the host."""


@dataclass(frozen=True, kw_only=True)
class SwitchArgs:
    """The step that hands the traffic to a release."""

    owner: Owner
    """The stack."""
    image: Input[str]
    """The nginx image."""
    resources: Resources
    """What it may use."""
    release: str
    """Identity of the release."""
    revision: Input[str]
    """What names the web processes of this update: a release can get other settings or secrets."""
    site: str
    """Text of ``nginx.conf``."""
    members: Sequence[Input[str]]
    """``host:port`` of each web process of the release that there is a name for; of each other that gets requests, too,
    with its upstream and ``=`` before it."""
    replicas: int
    """The least number of web processes of the release that must answer."""
    edge_host: Input[str]
    """Name of the edge on the network."""
    health: HealthCheck
    """What tells that each of them can serve; the edge must answer its page."""
    network: Input[str]
    """The network that the edge is on."""
    after: Sequence[Resource]
    """What must be ready before. Order alone, since nothing of it is needed to describe this."""
    configuration: Input[str] | None
    """Storage that the edge reads; None where nothing is written for it."""
    attempt: int = 1
    """How often this has been tried: another number runs it again."""
