"""The settings of one stack, as a model: every key with its type, what it allowed, a description and an example.

This module owns what can be said and in which words. The declarations in ``Pulumi.yaml``, the JSON Schema for editors
and ``docs/settings.md`` are generated from it. What a stack does not say comes from ``components/defaults.py``; reading
and checking a stack's file is done in ``components/settings.py``.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from components.values import (
    COMMAND,
    LINES,
    ONE,
    Address,
    ClassName,
    Command,
    ContainerPath,
    CronFields,
    Day,
    Dotted,
    Environment,
    ExtraName,
    FilePath,
    GatewayName,
    HeaderName,
    HeaderValue,
    HostName,
    Image,
    ImmutableImage,
    IndexUrl,
    InnerFolder,
    InnerPath,
    KnownHost,
    Line,
    LocationMatch,
    LocationText,
    MaybeCommand,
    Module,
    NamespaceName,
    NodeVersion,
    Number,
    PackageName,
    Port,
    PortNumber,
    PythonVersion,
    RedirectFrom,
    RedirectTo,
    Ref,
    Registry,
    ReleaseName,
    RenderedFiles,
    Requirement,
    ServicePath,
    ServiceUrl,
    ShortSlug,
    SiteName,
    Slug,
    SourcePath,
    StackName,
    Statuses,
    StepName,
    Switch,
    Text,
    UrlFolder,
    UrlFolderOrNone,
    UrlPath,
    WebPath,
    Whole,
    Word,
    Words,
    Wsgi,
)


class Target(StrEnum):
    """Where a stack is deployed."""

    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class Kind(StrEnum):
    """The kind of an environment: it decides the defaults, nothing else."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"
    REVIEW = "review"


class PostgresProvider(StrEnum):
    """Who runs the database."""

    SLIPWAY = "slipway"
    EXTERNAL = "external"
    CLOUDNATIVE_PG = "cloudnative-pg"
    NONE = "none"

    @property
    def deployed(self) -> bool:
        """Whether the stack has one of its own."""
        return self in {PostgresProvider.SLIPWAY, PostgresProvider.CLOUDNATIVE_PG}


class RedisProvider(StrEnum):
    """Who runs the cache."""

    SLIPWAY = "slipway"
    EXTERNAL = "external"
    NONE = "none"

    @property
    def deployed(self) -> bool:
        """Whether the stack has one of its own."""
        return self is RedisProvider.SLIPWAY


class Server(StrEnum):
    """What serves the app."""

    GUNICORN = "gunicorn"
    GUNICORN_ASGI = "gunicorn_asgi"
    UVICORN = "uvicorn"
    DAPHNE = "daphne"


class Expose(StrEnum):
    """How visitors reach the edge of a stack on a cluster."""

    NONE = "none"
    NODE_PORT = "node_port"
    LOAD_BALANCER = "load_balancer"
    INGRESS = "ingress"
    GATEWAY = "gateway"


class TlsFrom(StrEnum):
    """Where the certificate of the domain comes from."""

    NONE = "none"
    SECRET = "secret"  # noqa: S105 - the name of a choice
    CERT_MANAGER = "cert_manager"


class Check(StrEnum):
    """How the app is asked whether it can serve."""

    PAGE = "page"
    TCP = "tcp"
    COMMAND = "command"


class CollectStatic(StrEnum):
    """When the static files of the project are collected."""

    BUILD = "build"
    NEVER = "never"


class ServeStatic(StrEnum):
    """Who answers what is asked for static files, and from where."""

    NGINX = "nginx"
    PROJECT = "project"
    VOLUME = "volume"


NOT_SERVED = "none"
"""Stands for an address where nothing is served."""


class Access(StrEnum):
    """From how many nodes at once a place for files can be mounted, in the words of Kubernetes."""

    ONE_NODE = "ReadWriteOnce"
    MANY_NODES = "ReadWriteMany"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Resources(_Model):
    """What one container may use."""

    memory_mb: Whole = Field(
        ge=16, le=1048576, description="Memory limit of one container, in MiB; it gets no swap on top.", examples=[512]
    )
    cpus: Number = Field(
        ge=0.1, le=256, description="CPU limit of one container, in cores; not more than the host has.", examples=[0.5]
    )


class App(_Model):
    """The Django project."""

    name: Slug = Field(
        description="First part of every name on the host, also of the volumes that hold the data: "
        "changing it later starts with empty volumes.",
        examples=["shop"],
    )
    source: SourcePath = Field(
        description="The project's root, relative to this repository or absolute: the folder with manage.py, "
        "or one above it. Or the address of a git repository.",
        examples=["../shop"],
    )
    ref: Ref | None = Field(
        description="The branch, the tag or the commit of a git repository; nothing for its first branch.",
        examples=["main"],
    )
    directory: InnerFolder | None = Field(
        description="The folder inside the project's root that has manage.py, where its commands run; nothing for the root.",
        examples=["backend"],
    )
    python_path: Annotated[
        list[InnerFolder],
        Field(max_length=50),
        COMMAND,
        Words("a list of folders inside slipway:app.source, or one line with them"),
    ] = Field(
        description="Folders inside the project's root whose modules can be imported, beside the one with manage.py.",
        examples=["src"],
    )
    settings_module: Module = Field(description="The Django settings module.", examples=["config.settings"])
    wsgi_module: Wsgi = Field(
        description="The WSGI application, for `slipway:web.server` gunicorn.", examples=["config.wsgi:application"]
    )
    asgi_module: Wsgi = Field(
        description="The ASGI application, for the other servers.", examples=["config.asgi:application"]
    )
    python: PythonVersion = Field(description="The Python version of the image.", examples=["3.13"])
    dockerfile: InnerPath | None = Field(
        description="A Dockerfile of the project's own, inside its root, that is built instead of Slipway's.",
        examples=["Dockerfile"],
    )
    health_path: UrlPath = Field(
        description="The path that answers when the app can serve, with a status of `slipway:health.status`.",
        examples=["/healthz"],
    )
    environment: Environment = Field(
        description="Environment variables for the project. In a value, `${NAME}` stands for what the stack knows "
        "(docs/projects/configuration.md); what mentions a secret reaches the project's processes and nobody else.",
        examples=[{"LOG_LEVEL": "info"}],
    )
    files: RenderedFiles = Field(
        description="Files for the project, each with its absolute path in the container. `${NAME}` stands for the same "
        "as in the environment. They are read-only, and nobody but the project's processes sees them.",
        examples=[{"/app/local.ini": "[shop]"}],
    )


class Edge(_Model):
    """nginx, the only process that publishes a port."""

    gateway: ShortSlug | None = Field(
        description="The gateway of the host that hands on what is asked for this stack's host names, instead of a "
        "port of its own (`slipway:edge.port`); docs/review-environments.md.",
        examples=["review"],
    )
    address: Address = Field(description="The address of the host that the port is published on.", examples=["0.0.0.0"])  # noqa: S104 - an example, never bound
    port: Whole = Field(ge=1, le=65535, description="The port of the host that is published.", examples=[8080])
    image: Image = Field(description="The nginx image.", examples=["nginx:1.26"])
    max_body_mb: Whole = Field(
        ge=1, le=102400, description="The largest request, an upload for example, in MiB.", examples=[25]
    )
    timeout_seconds: Whole = Field(
        ge=1, le=3600, description="How long a request may take before the visitor gets an error.", examples=[30]
    )
    hosts: Annotated[
        list[SiteName],
        Field(max_length=100),
        COMMAND,
        Words("a list of host names in small letters, *. before one for all below it, or one line with them"),
    ] = Field(
        description="Further host names of the site, beside `slipway:domain`: in allowed hosts and trusted origins, too.",
        examples=["shop.example.com *.shop.example.org"],
    )
    websockets: Annotated[
        list[WebPath],
        Field(max_length=100),
        COMMAND,
        Words("a list of paths, with a / at the end for all below, or one line with them"),
    ] = Field(
        description="Where websockets are: such a connection may stay open and say nothing for an hour.",
        examples=["/ws/"],
    )
    routes: Annotated[
        dict[WebPath, Slug],
        Words("PATH: NAME pairs, each path with a / at the end for all below, each name one of slipway:processes"),
    ] = Field(
        description="Paths that another process answers than web, by its name in `slipway:processes`, where its port is.",
        examples=[{"/ws/": "sockets"}],
    )
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        Words(
            "NAME: value pairs, each value printable text without $; no headers that carry what an answer is, such as "
            "Content-Type or Cache-Control"
        ),
    ] = Field(
        description="Headers of every answer, instead of what the app says.",
        examples=[{"Referrer-Policy": "same-origin"}],
    )
    redirects: Annotated[
        dict[RedirectFrom, RedirectTo],
        Words(
            "FROM: target pairs; FROM is a path, a path with /* at the end for all below it, or a host name; the target is "
            "a path or an http(s) address, * at its end for what stands for the * of FROM, 302 and a blank before it "
            "(or 307, 308) if it is not for ever"
        ),
    ] = Field(
        description="What is found elsewhere: for a path, for all below one, or for a host name.",
        examples=[{"/blog/*": "https://blog.example.org/*"}],
    )
    basic_auth: Slug | None = Field(
        description="The user who may see the site, with the secret `basic_auth_password`; nothing for everybody. The "
        "page `slipway:app.health_path` needs neither.",
        examples=["reviewer"],
    )
    noindex: Switch = Field(
        description="Whether search engines are told to stay away, by a header of every answer.", examples=[True]
    )
    locations: Annotated[
        dict[LocationMatch, LocationText],
        Words(
            "LOCATION: text pairs; LOCATION is what nginx takes after that word, the text what stands between its braces, "
            "each directive ended"
        ),
    ] = Field(
        description="Parts of nginx' configuration as they are, for what no other setting says.",
        examples=[{"= /robots.txt": "return 200 'User-agent: *';"}],
    )
    resources: Resources = Field(description="What nginx may use.")


class Web(_Model):
    """The containers that serve the app."""

    server: Server = Field(
        description="What runs the app: gunicorn (WSGI), gunicorn with ASGI workers, uvicorn or daphne. It is installed "
        "if the project does not ask for it.",
        examples=["uvicorn"],
    )
    worker_class: Dotted | None = Field(
        description="The class of gunicorn's workers; nothing for gthread, or with ASGI for `uvicorn_worker.UvicornWorker`. "
        "The project has to ask for the package of any other.",
        examples=["gevent"],
    )
    command: Command | None = Field(
        description="What runs instead of a server that Slipway knows. It must listen on 0.0.0.0:8000; no shell reads it.",
        examples=["granian --interface wsgi --host 0.0.0.0 --port 8000 config.wsgi:application"],
    )
    replicas: Whole = Field(ge=1, le=50, description="How many containers serve the app.", examples=[2])
    threads: Whole = Field(
        ge=1,
        le=256,
        description="Threads of each worker of gunicorn without ASGI. There are 2 workers for each core of the limit and 1 more, "
        "from 2 to 12, and no more than the memory holds.",
        examples=[4],
    )
    startup_seconds: Whole = Field(
        ge=1, le=3600, description="How long a new container may take to become healthy.", examples=[60]
    )
    stop_grace_seconds: Whole = Field(
        ge=0, le=3600, description="How long an old container may finish its requests; 0 kills at once.", examples=[35]
    )
    resources: Resources = Field(description="What each container may use.")


class Process(_Model):
    """A process beside the web processes, such as a worker of a queue."""

    command: Command = Field(
        description="What it runs, with the project's image, environment and secrets. No shell reads it.",
        examples=["python manage.py worker"],
    )
    schedule: CronFields | None = Field(
        description="When it runs, in UTC, for what runs by the clock instead of all the time; never twice at once.",
        examples=["0 3 * * *"],
    )
    singleton: Switch = Field(
        description="Whether there must never be two of it, such as the clock of a queue: the old one has ended before a "
        "new one starts.",
        examples=[True],
    )
    health_command: Command | None = Field(
        description="A command that exits 0 when it is well; nothing where it is enough that it runs.",
        examples=["celery --app shop inspect ping"],
    )
    startup_seconds: Whole = Field(ge=15, le=3600, description="How long a new one may take to be well.", examples=[60])
    replicas: Whole = Field(ge=1, le=50, description="How many of it run.", examples=[1])
    port: Port | None = Field(
        description="Where it listens, on all addresses, if it does. It counts as started once it takes connections, and "
        "`slipway:edge.routes` may send it requests.",
        examples=[9000],
    )
    stop_grace_seconds: Whole = Field(
        ge=0, le=3600, description="How long an old one may finish what it does; 0 kills at once.", examples=[35]
    )
    resources: Resources = Field(description="What each may use.")


class Static(_Model):
    """The static files of the project: its scripts, styles and pictures."""

    serve: ServeStatic = Field(
        description="Who serves them: nginx, from what was collected while the image was built; the project itself, with "
        "WhiteNoise for example; or nginx from a volume that the project writes to while it runs, into which they are "
        "collected at each release.",
        examples=["project"],
    )
    url: UrlFolder = Field(description="Where nginx serves them (the project's STATIC_URL).", examples=["/assets/"])
    root: ContainerPath | None = Field(
        description="Where the volume is in the containers (the project's STATIC_ROOT). Required for `serve: volume`.",
        examples=["/app/collected"],
    )


class Media(_Model):
    """The uploads."""

    root: ContainerPath = Field(
        description="Where the app writes uploads (its MEDIA_ROOT), an absolute path in the container.",
        examples=["/app/media"],
    )
    url: UrlFolderOrNone = Field(
        description="Where nginx serves them (the project's MEDIA_URL); none if it does not.", examples=["/uploads/"]
    )
    internal: Switch = Field(
        description="Whether a visitor gets an upload only where the app answers with `X-Accel-Redirect` and its address.",
        examples=[True],
    )


class Volume(_Model):
    """A place for files that outlives every release, beside the one of the uploads."""

    path: ContainerPath = Field(
        description="Where it is in the containers. It belongs to the app's user.", examples=["/srv/indexes"]
    )
    processes: Annotated[
        list[Slug],
        Field(max_length=100),
        COMMAND,
        Words("a list of web and names of slipway:processes, or one line with them"),
    ] = Field(description="Who has it: `web`, and names of processes; nothing for all.", examples=["web worker"])
    read_only: Switch = Field(description="Whether they may only read it.", examples=[True])
    size_gb: Whole = Field(ge=1, le=65536, description="How much it holds, in GiB.", examples=[20])


class Health(_Model):
    """How it is known that the app can serve."""

    check: Check = Field(
        description="What is asked: the page `slipway:app.health_path`, whether the port answers, or a command.",
        examples=["tcp"],
    )
    status: Statuses = Field(description="The statuses of the page that are good.", examples=["200-299,401"])
    startup_path: UrlPath | None = Field(
        description="The page that a new container is asked first, until it is good; nothing for the same as later.",
        examples=["/ready"],
    )
    command: Command | None = Field(
        description="The command that exits 0 when the app can serve, in its container, for `slipway:health.check` command.",
        examples=["python manage.py check --database default"],
    )


class Release(_Model):
    """What runs once for each release, before anything of it serves."""

    migrate: Switch = Field(description="Whether `manage.py migrate` runs first.", examples=[False])
    commands: Annotated[
        list[Line],
        Field(max_length=50),
        ONE,
        Words("a list of command lines, or one of them; a shell reads each"),
    ] = Field(
        description="What runs after that for every release, in order. It may run again where a release was not finished.",
        examples=["python manage.py createcachetable"],
    )
    once: Annotated[
        dict[StepName, Line],
        Words("NAME: command line pairs, each name of small letters, digits, hyphens and _"),
    ] = Field(
        description="What runs once in the life of the database, in the order of the names, after the commands. The "
        "database itself remembers what has been done.",
        examples=[{"superuser": "python manage.py createsuperuser --noinput"}],
    )
    timeout_seconds: Whole = Field(
        ge=1, le=86400, description="How long all of it may take; it is stopped then.", examples=[1800]
    )


class Service(_Model):
    """A server beside the app, such as a queue or a search engine: one of it, reached by the app alone."""

    image: Image = Field(description="Its image.", examples=["rabbitmq:4.0"])
    entrypoint: MaybeCommand = Field(
        description="The program that its image starts with (its ENTRYPOINT). Needed where a value of `environment` has a "
        "secret in it, which a shell of the image then exports; the image's own command does not count then.",
        examples=["docker-entrypoint.sh"],
    )
    command: Annotated[
        list[Word],
        Field(max_length=100),
        COMMAND,
        Words("a list of words, or one line with them; quotes hold words together"),
    ] = Field(
        description="What the entry point gets; nothing for what the image brings. No shell reads it.",
        examples=["rabbitmq-server"],
    )
    environment: Environment = Field(
        description="Environment variables for it, with the names of `slipway:app.environment` in their values. Where its "
        "image takes files, `${secrets.NAME.file}` is the path of one.",
        examples=[{"MARIADB_PASSWORD_FILE": "${secrets.mariadb_password.file}"}],
    )
    files: RenderedFiles = Field(
        description="Files for it, each with its absolute path, with the same names in them. Each folder with such files has "
        "nothing else in it.",
        examples=[{"/etc/rabbitmq/conf.d/20-memory.conf": "vm_memory_high_watermark.relative = 0.5"}],
    )
    user: Whole = Field(
        ge=1,
        le=4294967294,
        description="The number of the user that it runs as, who owns its volumes. Its image says who can: "
        "`docker run --rm --entrypoint cat IMAGE /etc/passwd`.",
        examples=[999],
    )
    writable: Annotated[
        list[ServicePath],
        Field(max_length=50),
        COMMAND,
        Words(
            "a list of absolute paths of folders, or one line with them, none in /tmp, /proc, /sys, /dev or /run/secrets"
        ),
    ] = Field(
        description="Folders beside `/tmp` and its volumes that it writes to. They are in memory and begin empty.",
        examples=["/run/mysqld"],
    )
    read_only: Switch = Field(
        description="Whether the rest of its image is read-only; false for one that writes in many places. What it writes "
        "there is gone when it is replaced.",
        examples=[False],
    )
    volumes: Annotated[
        dict[ShortSlug, ServicePath],
        Words(
            "NAME: path pairs, each name of at most 20 small letters, digits and hyphens, each path absolute and not in "
            "/tmp, /proc, /sys, /dev or /run/secrets"
        ),
    ] = Field(
        description="Folders whose content stays, each with a name. `slipway:data.protect` is about them too.",
        examples=[{"data": "/var/lib/mysql"}],
    )
    size_gb: Whole = Field(
        ge=1, le=65536, description="Size of each of its volumes on a cluster, in GiB.", examples=[20]
    )
    port: Whole = Field(ge=1, le=65535, description="The port that it listens on.", examples=[5672])
    ports: Annotated[
        dict[ShortSlug, PortNumber],
        Words("NAME: port pairs, each name of at most 20 small letters, digits and hyphens, each port from 1 to 65535"),
    ] = Field(description="Further ports that the app asks, each with a name.", examples=[{"management": 15672}])
    health_command: MaybeCommand = Field(
        description="A command in its container that exits 0 when it can serve, instead of a look at the port.",
        examples=["rabbitmq-diagnostics -q check_port_connectivity"],
    )
    health_tcp: Switch = Field(
        description="Whether it can serve once it listens on its port. On Docker, a shell of its image looks. Without this and "
        "without `health_command`, it counts as ready when it has started.",
        examples=[False],
    )
    startup_seconds: Whole = Field(
        ge=1, le=3600, description="How long it may take until it can serve.", examples=[120]
    )
    stop_grace_seconds: Whole = Field(
        ge=0, le=3600, description="How long it may take to stop; 0 kills at once.", examples=[60]
    )
    resources: Resources = Field(description="What it may use.")
    url: ServiceUrl | None = Field(
        description="What `${services.NAME.url}` stands for, with `${host}`, `${port}`, `${ports.NAME}` and "
        "`${secrets.NAME}` in it; secrets are quoted as addresses want it.",
        examples=["amqp://app:${secrets.rabbitmq_password}@${host}:${port}/"],
    )


class Postgres(_Model):
    """The database."""

    provider: PostgresProvider = Field(
        description="Who runs the database: Slipway, somebody else (its address is the secret `database_url`), "
        "the operator CloudNativePG of the cluster, or nobody, for a project that keeps its data elsewhere.",
        examples=["external"],
    )
    image: Image = Field(description="The PostgreSQL image.", examples=["postgres:17"])
    resources: Resources = Field(description="What the database may use.")


class Redis(_Model):
    """The cache."""

    provider: RedisProvider = Field(
        description="Who runs the cache: Slipway, somebody else (its address is the secret `redis_url`), or nobody, for a "
        "project without one.",
        examples=["external"],
    )
    image: Image = Field(description="The Redis image.", examples=["redis:8.0"])
    resources: Resources = Field(description="What the cache may use.")


class Promoted(_Model):
    """The image that ran in another stack, instead of one that is built. `python -m pipeline promote` writes it."""

    image: ImmutableImage | None = Field(
        description="The image: its identity on the Docker host, or its name in a registry with its digest.",
        examples=["registry.example.org/shop@sha256:" + "0123456789abcdef" * 4],
    )
    release: ReleaseName | None = Field(
        description="The release that it is, by the name that it had where it was built.", examples=["0123456789ab"]
    )
    stack: StackName | None = Field(description="The stack that it ran in.", examples=["staging"])


class Data(_Model):
    """Protection of what cannot be made again."""

    protect: Switch = Field(
        description="Whether Pulumi refuses to delete the volumes of the database, the uploads and `slipway:volumes`.",
        examples=[True],
    )


class Build(_Model):
    """How the image is built."""

    base_image: Image | None = Field(
        description="The image that the app's image starts from.", examples=["python:3.13-slim"]
    )
    packages: Annotated[
        list[PackageName],
        Field(max_length=200),
        COMMAND,
        Words("a list of packages of the base image's system, or one line with them"),
    ] = Field(
        description="Packages of the system that the build needs, such as compilers and headers. They do not get into the image.",
        examples=["build-essential libpq-dev"],
    )
    runtime_packages: Annotated[
        list[PackageName],
        Field(max_length=200),
        COMMAND,
        Words("a list of packages of the base image's system, or one line with them"),
    ] = Field(
        description="Packages of the system that the project needs while it runs.",
        examples=["libpq5 gettext"],
    )
    commands: Annotated[
        list[Line],
        Field(max_length=50),
        ONE,
        Words("a list of command lines, or one of them; a shell reads each"),
    ] = Field(
        description="What runs while the image is built, in order, where manage.py is, before static files are collected.",
        examples=["python manage.py compilemessages"],
    )
    collect_static: CollectStatic = Field(
        description="When static files are collected: while the image is built, or never, for a project that has none or "
        "keeps them elsewhere.",
        examples=["never"],
    )
    environment: Environment = Field(
        description="Environment variables while the image is built, beside those of the project. Nothing secret.",
        examples=[{"NODE_ENV": "production"}],
    )
    ca_bundle: FilePath | None = Field(
        description="A CA bundle on this machine that the steps of the build trust, for networks with a CA of their own.",
        examples=["/etc/ssl/certs/ca-certificates.crt"],
    )


class Assets(_Model):
    """What is made with Node while the image is built."""

    directory: InnerFolder | None = Field(
        description="The folder with the package.json, inside slipway:app.source; `.` for the root itself, nothing for a "
        "project without assets to make.",
        examples=["frontend"],
    )
    node: NodeVersion = Field(description="The version of Node, from the package index.", examples=["24"])
    image: Image | None = Field(
        description="An image with Node that makes the assets, instead of the app's with `slipway:assets.node`.",
        examples=["node:24-slim"],
    )
    install: Annotated[Line, Words("a command line; a shell reads it")] | None = Field(
        description="The command that installs packages; a shell reads it. Nothing for what the lock wants: `npm ci`, "
        "`yarn install`, `pnpm install`, or `npm install` without one.",
        examples=["npm ci --ignore-scripts"],
    )
    build: Annotated[
        list[Line],
        Field(max_length=50),
        ONE,
        Words("a list of command lines, or one of them; a shell reads each"),
    ] = Field(
        description="The commands that make the assets, in order, where package.json is. Nothing for its script `build`.",
        examples=["npm run production"],
    )
    inputs: Annotated[
        list[InnerPath],
        Field(max_length=100),
        COMMAND,
        Words("a list of files and folders inside slipway:app.source, or one line with them"),
    ] = Field(
        description="What the commands read beside that folder, such as templates with names of classes; with the root "
        "itself as folder: instead of everything.",
        examples=["backend/templates"],
    )
    outputs: Annotated[
        list[InnerPath],
        Field(max_length=100),
        COMMAND,
        Words("a list of files and folders inside slipway:app.source, or one line with them"),
    ] = Field(
        description="What the commands make and the project needs: it is there, at its place, before static files are "
        "collected. Required where there is a folder.",
        examples=["frontend/dist"],
    )


class Dependencies(_Model):
    """What the project depends on, and what installs it."""

    installer: (
        Annotated[
            Literal["uv", "poetry", "pipenv", "requirements", "pyproject"],
            Words("one of uv, poetry, pipenv, requirements, pyproject"),
        ]
        | None
    ) = Field(
        description="What says the project's dependencies: a lock of uv, Poetry or Pipenv, files of requirements, or "
        "pyproject.toml alone.",
        examples=["poetry"],
    )
    files: Annotated[
        list[InnerPath],
        Field(max_length=50),
        COMMAND,
        Words("a list of files inside slipway:app.source, or one line with them"),
    ] = Field(
        description="Files of requirements, inside the project's root.",
        examples=["requirements/production.txt"],
    )
    extras: Annotated[
        list[ExtraName],
        Field(max_length=50),
        COMMAND,
        Words("a list of names of letters, digits and . _ -, or one line with them"),
    ] = Field(description="Extras of the project that are installed too.", examples=["live"])
    groups: Annotated[
        list[ExtraName],
        Field(max_length=50),
        COMMAND,
        Words("a list of names of letters, digits and . _ -, or one line with them"),
    ] = Field(
        description="Groups of dependencies that are installed too (of Pipenv: categories). No group is without being "
        "named, also not dev.",
        examples=["production"],
    )
    packages: Annotated[
        list[Requirement],
        Field(max_length=100),
        COMMAND,
        Words("a list of packages, each with or without a version, or one line with them; no passwords in addresses"),
    ] = Field(
        description="Packages that the project does not ask for itself, such as its database driver. Where no file says "
        "what it depends on, they are all that it has, and Django is among them.",
        examples=["psycopg[binary]==3.3.9"],
    )
    constraints: Annotated[
        list[Requirement],
        Field(max_length=500),
        COMMAND,
        Words("a list of packages with versions, or one line with them; no passwords in addresses"),
    ] = Field(
        description="Which versions may be chosen where no lock says them. Nothing is installed because of it.",
        examples=["urllib3<2"],
    )
    build_constraints: Annotated[
        list[Requirement],
        Field(max_length=500),
        COMMAND,
        Words("a list of packages with versions, or one line with them; no passwords in addresses"),
    ] = Field(
        description="The same for what builds packages that have no wheel.",
        examples=["setuptools<81"],
    )
    exclude_newer: Day | None = Field(
        description="Versions that were published later do not exist, for projects without a lock. The index must say "
        "when, as PyPI does.",
        examples=["2026-06-30"],
    )
    index: IndexUrl | None = Field(
        description="An index of packages that is asked first; PyPI has the others. A lock of uv names its own.",
        examples=["https://packages.example.org/simple"],
    )
    netrc: Switch = Field(
        description="Whether downloads while building need credentials: for a private index, for private git. They are "
        "the secret `netrc`.",
        examples=[True],
    )
    ssh_hosts: Annotated[
        list[KnownHost],
        Field(max_length=100),
        LINES,
        Words("a list of lines of a known_hosts file, or its text: HOST TYPE KEY, as `ssh-keyscan HOST` says them"),
    ] = Field(
        description="The hosts whose git repositories dependencies come from by SSH, with their public keys. With any, the "
        "build may ask the SSH agent of whoever runs it, and has git and ssh.",
        examples=["git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSuN7mPbt3zTRrHMkY0iXUsv0fQjqKJrcXdA"],
    )


class Storage(_Model):
    """The sizes of what a cluster stores."""

    postgres_gb: Whole = Field(ge=1, le=65536, description="Size of the database's volume, in GiB.", examples=[50])
    redis_gb: Whole = Field(ge=1, le=65536, description="Size of the cache's volume, in GiB.", examples=[2])
    media_gb: Whole = Field(ge=1, le=65536, description="Size of the volume of the uploads, in GiB.", examples=[100])
    static_gb: Whole = Field(
        ge=1, le=65536, description="Size of the volume of the static files, in GiB.", examples=[2]
    )
    shared_access: Access = Field(
        description="How uploads and static files are mounted. With ReadWriteOnce, web and edge run on one node; "
        "several nodes need a storage class that can do ReadWriteMany.",
        examples=["ReadWriteMany"],
    )
    shared_class: ClassName | None = Field(
        description="The class of uploads and static files; nothing for `slipway:kubernetes.storage_class`. "
        "What serves files to several nodes is seldom right for a database.",
        examples=["shared-files"],
    )


class Autoscale(_Model):
    """As many web processes as the load needs."""

    enabled: Switch = Field(
        description="Whether the number follows the load; `slipway:web.replicas` is not used then.", examples=[True]
    )
    min: Whole = Field(ge=1, le=500, description="The least number of web processes.", examples=[2])
    max: Whole = Field(ge=1, le=500, description="The largest number of web processes.", examples=[10])
    cpu_percent: Whole = Field(
        ge=1, le=100, description="The part of their CPU limit that they use on average, in percent.", examples=[70]
    )


class Kubernetes(_Model):
    """What only a cluster has."""

    context: Text | None = Field(
        description="The context of the kubeconfig; nothing for its current one. The kubeconfig is the file that "
        "KUBECONFIG names, or ~/.kube/config.",
        examples=["prod-cluster"],
    )
    namespace: NamespaceName | None = Field(
        description="The namespace, which belongs to this stack alone: changing it later starts with empty volumes.",
        examples=["shop-prod"],
    )
    registry: Registry | None = Field(
        description="Where the app's image is pushed to and pulled from. Required for this target.",
        examples=["registry.example.org/team"],
    )
    pull_secret: Switch = Field(
        description="Whether the cluster needs the secret `registry_auth` to pull images.", examples=[True]
    )
    expose: Expose = Field(
        description="How visitors reach the edge: not at all (`kubectl port-forward`), by a port of each node, by a load "
        "balancer, by an Ingress, or by a Gateway.",
        examples=["ingress"],
    )
    ingress_class: ClassName | None = Field(
        description="The class of the Ingress; nothing for the default one of the cluster.", examples=["nginx"]
    )
    gateway: GatewayName | None = Field(
        description="The Gateway that serves the domain. Required for `expose: gateway`.",
        examples=["gateways/public"],
    )
    tls: TlsFrom = Field(
        description="Where the certificate comes from: the secrets `tls_certificate` and `tls_key`, or cert-manager; "
        "none if TLS ends before the cluster.",
        examples=["cert_manager"],
    )
    issuer: ClassName | None = Field(
        description="The ClusterIssuer of cert-manager. Required for `tls: cert_manager`.", examples=["letsencrypt"]
    )
    storage_class: ClassName | None = Field(
        description="The class of every volume; nothing for the default one of the cluster.", examples=["fast"]
    )
    storage: Storage = Field(description="The sizes of what is stored. They may grow, where the class can do that.")
    autoscale: Autoscale = Field(description="As many web processes as the load needs.")
    edge_replicas: Whole = Field(ge=1, le=50, description="How many nginx there are.", examples=[2])
    instances: Whole = Field(
        ge=1, le=9, description="How many copies of the database CloudNativePG keeps.", examples=[3]
    )


class Gateway(_Model):
    """The shared edge of a host: every stack that names it is reached through it, by host name."""

    name: ShortSlug = Field(description="Its name on the host.", examples=["review"])
    address: Address = Field(description="The address of the host that its port is published on.", examples=["0.0.0.0"])  # noqa: S104 - an example, never bound
    port: Whole = Field(ge=1, le=65535, description="The port of the host that is published.", examples=[80])
    image: Image = Field(description="The nginx image.", examples=["nginx:1.26"])
    resources: Resources = Field(description="What it may use.")


class Seed(_Model):
    """The data that a review environment starts with: one of these, or nothing."""

    fixture: InnerPath | None = Field(
        description="A fixture inside the folder with manage.py, for `manage.py loaddata`.",
        examples=["fixtures/review.json"],
    )
    command: Annotated[Line, Words("a command line; a shell reads it")] | None = Field(
        description="A command of the project; a shell reads it.", examples=["python manage.py make_review_data"]
    )
    dump: FilePath | None = Field(
        description="A file of `python -m pipeline data dump`, on the machine that runs `env create`. Nothing in it may "
        "be about real people: whoever reviews can read it.",
        examples=["/srv/slipway/anonymised.tar"],
    )


class Review(_Model):
    """What `python -m pipeline env` needs to know: where review environments are, for how long, and how many."""

    domain: HostName = Field(
        description="What each is below, with its own name as first part of its host name.",
        examples=["review.example.org"],
    )
    ttl_hours: Whole = Field(
        ge=1, le=2160, description="How long one lives that nobody said otherwise of, in hours.", examples=[72]
    )
    max_environments: Whole = Field(ge=1, le=1000, description="How many there may be at once.", examples=[20])
    max_memory_mb: Whole = Field(
        ge=64,
        le=16777216,
        description="How much memory all of them together may have as limits, in MiB.",
        examples=[32768],
    )
    gateway: Gateway = Field(
        description="The shared edge of a host: every stack that names it is reached through it, by host name."
    )
    seed: Seed = Field(description="The data that a review environment starts with: one of these, or nothing.")


class Settings(_Model):
    """Everything that a stack says, completed from the defaults of its kind."""

    environment: Kind = Field(description="The kind of the environment. It decides the defaults.", examples=["dev"])
    target: Target = Field(description="Where the stack is deployed.", examples=["docker"])
    domain: HostName = Field(
        description="The public host name. Required for staging and prod.", examples=["shop.example.org"]
    )
    app: App = Field(description="The Django project.")
    web: Web = Field(description="The containers that serve the app.")
    processes: dict[Slug, Process] = Field(
        description="Processes beside the web containers, each with a name, such as workers of a queue.",
        examples=[{"worker": {"command": "python manage.py worker"}}],
    )
    release: Release = Field(description="What runs once for each release, before anything of it serves.")
    health: Health = Field(description="How it is known that the app can serve.")
    services: dict[Slug, Service] = Field(
        description="Servers beside the app, each with a name, such as a queue or a search engine.",
        examples=[{"memcached": {"image": "memcached:1.6", "user": 11211, "port": 11211}}],
    )
    edge: Edge = Field(description="nginx, the only process that publishes a port.")
    static: Static = Field(description="The static files of the project.")
    media: Media = Field(description="The uploads.")
    volumes: dict[Slug, Volume] = Field(
        description="Places for files that outlive every release, each with a name.",
        examples=[{"indexes": {"path": "/srv/indexes"}}],
    )
    postgres: Postgres = Field(description="The database.")
    redis: Redis = Field(description="The cache.")
    data: Data = Field(description="Protection of what cannot be made again.")
    promoted: Promoted = Field(
        description="The image that ran in another stack, instead of one that is built: docs/promotion.md."
    )
    dependencies: Dependencies = Field(description="What the project depends on, and what installs it.")
    build: Build = Field(description="How the image is built.")
    assets: Assets = Field(description="What is made with Node while the image is built.")
    kubernetes: Kubernetes = Field(description="What only a cluster has.")
    review: Review = Field(
        description="What `python -m pipeline env` needs to know: where review environments are, for how long, and how many."
    )
