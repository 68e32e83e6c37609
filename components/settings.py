"""The settings of one stack: frozen, complete, and validated before any resource exists.

This module owns the only model of the settings, and is the only reader of ``pulumi.Config`` for them.
The declarations in ``Pulumi.yaml``, the JSON Schema for editors and ``docs/settings.md`` are generated from the model.
It does not read secrets (``components/secrets.py``), does not look at the Django project (``components/project.py``)
and does not create resources.
"""

import json
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import pulumi
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from components import project
from components.defaults import BY_KIND, COMMON, DERIVED, ENTRIES
from components.problems import (
    NAMESPACE,
    SECRET,
    Problem,
    SettingsError,
    config_rm,
    config_set,
    full_key,
    show,
)
from components.values import (
    COMMAND,
    Address,
    ClassName,
    ContainerPath,
    FilePath,
    GatewayName,
    HostName,
    Image,
    InnerPath,
    Module,
    NamespaceName,
    Number,
    PythonVersion,
    Registry,
    Slug,
    SourcePath,
    Switch,
    Text,
    UrlPath,
    VariableName,
    VariableValue,
    Whole,
    Word,
    Words,
    Wsgi,
    text,
)

ROOT = Path(__file__).resolve().parent.parent
"""The repository. Relative paths in settings start here."""


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


class RedisProvider(StrEnum):
    """Who runs the cache."""

    SLIPWAY = "slipway"
    EXTERNAL = "external"


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


class Access(StrEnum):
    """From how many nodes at once a place for files can be mounted, in the words of Kubernetes."""

    ONE_NODE = "ReadWriteOnce"
    MANY_NODES = "ReadWriteMany"


# ---------------------------------------------------------------------------------------------------------------------
# The model. Every value is there: what a stack does not say comes from components/defaults.py.


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
        description="The project's root, the folder with manage.py, relative to this repository or absolute.",
        examples=["../shop"],
    )
    settings_module: Module = Field(description="The Django settings module.", examples=["config.settings"])
    wsgi_module: Wsgi = Field(
        description="The WSGI application that gunicorn serves.", examples=["config.wsgi:application"]
    )
    python: PythonVersion = Field(description="The Python version of the image.", examples=["3.13"])
    requirements: InnerPath = Field(
        description="The file of the project's Python dependencies, inside its root.", examples=["requirements.txt"]
    )
    dockerfile: InnerPath | None = Field(
        description="A Dockerfile of the project's own, inside its root, that is built instead of Slipway's.",
        examples=["Dockerfile"],
    )
    health_path: UrlPath = Field(
        description="The path that answers with a status below 400 when the app can serve.", examples=["/healthz"]
    )
    media_root: ContainerPath = Field(
        description="Where the app writes uploads (its MEDIA_ROOT), an absolute path in the container.",
        examples=["/app/media"],
    )
    environment: dict[VariableName, VariableValue] = Field(
        description="Plain environment variables for the project. Nothing secret: they are stored in clear.",
        examples=[{"LOG_LEVEL": "info"}],
    )


class Edge(_Model):
    """nginx, the only process that publishes a port."""

    address: Address = Field(description="The address of the host that the port is published on.", examples=["0.0.0.0"])  # noqa: S104 - an example, never bound
    port: Whole = Field(ge=1, le=65535, description="The port of the host that is published.", examples=[8080])
    image: Image = Field(description="The nginx image.", examples=["nginx:1.26"])
    max_body_mb: Whole = Field(
        ge=1, le=102400, description="The largest request, an upload for example, in MiB.", examples=[25]
    )
    timeout_seconds: Whole = Field(
        ge=1, le=3600, description="How long a request may take before the visitor gets an error.", examples=[30]
    )
    resources: Resources = Field(description="What nginx may use.")


class Web(_Model):
    """The gunicorn containers."""

    replicas: Whole = Field(ge=1, le=50, description="How many containers serve the app.", examples=[2])
    threads: Whole = Field(
        ge=1,
        le=256,
        description="Threads of each worker. There are 2 workers for each core of the limit and 1 more, "
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

    command: Annotated[
        list[Word],
        Field(min_length=1, max_length=100),
        COMMAND,
        Words("a list of words, program first, or one line with them; quotes hold words together"),
    ] = Field(
        description="What it runs, with the project's image, environment and secrets. No shell reads it.",
        examples=["python manage.py worker"],
    )
    replicas: Whole = Field(ge=1, le=50, description="How many of it run.", examples=[1])
    stop_grace_seconds: Whole = Field(
        ge=0, le=3600, description="How long an old one may finish what it does; 0 kills at once.", examples=[35]
    )
    resources: Resources = Field(description="What each may use.")


class Postgres(_Model):
    """The database."""

    provider: PostgresProvider = Field(
        description="Who runs the database: Slipway, somebody else (its address is the secret `database_url`), "
        "or the operator CloudNativePG of the cluster.",
        examples=["external"],
    )
    image: Image = Field(description="The PostgreSQL image.", examples=["postgres:17"])
    resources: Resources = Field(description="What the database may use.")


class Redis(_Model):
    """The cache."""

    provider: RedisProvider = Field(
        description="Who runs the cache: Slipway, or somebody else (its address is the secret `redis_url`).",
        examples=["external"],
    )
    image: Image = Field(description="The Redis image.", examples=["redis:8.0"])
    resources: Resources = Field(description="What the cache may use.")


class Data(_Model):
    """Protection of what cannot be made again."""

    protect: Switch = Field(
        description="Whether Pulumi refuses to delete the volumes of the database and the uploads.", examples=[True]
    )


class Build(_Model):
    """How the image is built."""

    base_image: Image | None = Field(
        description="The image that the app's image starts from.", examples=["python:3.13-slim"]
    )
    ca_bundle: FilePath | None = Field(
        description="A CA bundle on this machine that the steps of the build trust, for networks with a CA of their own.",
        examples=["/etc/ssl/certs/ca-certificates.crt"],
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


class Settings(_Model):
    """Everything that a stack says, completed from the defaults of its kind."""

    environment: Kind = Field(description="The kind of the environment. It decides the defaults.", examples=["dev"])
    target: Target = Field(description="Where the stack is deployed.", examples=["docker"])
    domain: HostName = Field(
        description="The public host name. Required for staging and prod.", examples=["shop.example.org"]
    )
    app: App = Field(description="The Django project.")
    web: Web = Field(description="The gunicorn containers.")
    processes: dict[Slug, Process] = Field(
        description="Processes beside the web containers, each with a name, such as workers of a queue.",
        examples=[{"worker": {"command": "python manage.py worker"}}],
    )
    edge: Edge = Field(description="nginx, the only process that publishes a port.")
    postgres: Postgres = Field(description="The database.")
    redis: Redis = Field(description="The cache.")
    data: Data = Field(description="Protection of what cannot be made again.")
    build: Build = Field(description="How the image is built.")
    kubernetes: Kubernetes = Field(description="What only a cluster has.")


# ---------------------------------------------------------------------------------------------------------------------
# The keys of the model, for errors and for everything that is generated.

Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Key:
    """One key of the settings."""

    path: Path_
    info: FieldInfo
    group: type[BaseModel] | None
    """The model below this key; None for a single value."""
    entry: type[BaseModel] | None = None
    """The model below each name below this key, where the stack's file chooses the names."""

    @property
    def name(self) -> str:
        """The full path, as the commands of Pulumi take it."""
        return full_key(self.path)

    @property
    def single(self) -> bool:
        """Whether it is a single value, and no group of them."""
        return self.group is None and self.entry is None

    @property
    def example(self) -> object:
        """A value that is allowed."""
        return (self.info.examples or [None])[0]

    @property
    def choices(self) -> list[str]:
        """The values of a closed set; empty for any other kind of value."""
        annotation = self.info.annotation
        if get_origin(annotation) is Literal:
            return [str(choice) for choice in get_args(annotation)]
        return [*annotation] if isinstance(annotation, type) and issubclass(annotation, StrEnum) else []

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.group is not None:
            return "values below this key: " + ", ".join(self.group.model_fields)
        if self.entry is not None:
            names = next(m.text for m in get_args(get_args(self.info.annotation)[0]) if isinstance(m, Words))
            return f"any names of {names}, and below each: {', '.join(self.entry.model_fields)}"
        if self.info.annotation is not None and get_origin(self.info.annotation) is dict:
            return "NAME: value pairs, each name of letters, digits and _, each value text"
        if self.choices:
            return f"one of {', '.join(self.choices)}" if len(self.choices) > 1 else self.choices[0]
        bounds = {k: getattr(m, k) for m in self.info.metadata for k in ("ge", "le") if hasattr(m, k)}
        if bounds:
            noun = "a whole number" if self.info.annotation is int else "a number"
            return f"{noun} from {bounds['ge']} to {bounds['le']}"
        return next(m.text for m in _metadata(self.info) if isinstance(m, Words))


NAME = "NAME"
"""Stands for a name that the stack's file chooses, in the path of a key. No such name has capital letters."""


def keys(model: type[BaseModel] = Settings, above: Path_ = ()) -> Iterator[Key]:
    """Every key of the model, a group before what is below it."""
    for name, info in model.model_fields.items():
        annotation = info.annotation
        group = _model(annotation)
        entry = _model(get_args(annotation)[1]) if get_origin(annotation) is dict else None
        path = (*above, name)
        yield Key(path, info, group, entry)
        if group is not None:
            yield from keys(group, path)
        if entry is not None:
            yield Key((*path, NAME), info, entry)
            yield from keys(entry, (*path, NAME))


def _model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _metadata(info: FieldInfo) -> list[Any]:
    """Everything that is said about a value, also where it may be null."""
    if NoneType in get_args(info.annotation):
        return [m for part in get_args(info.annotation) for m in getattr(part, "__metadata__", ())]
    return info.metadata


KEYS: dict[Path_, Key] = {key.path: key for key in keys()}


def key_at(path: Path_) -> Key | None:
    """Find the key of the model that a path of a stack's file is about."""
    known: Path_ = ()
    for part in path:
        key = KEYS.get(known)
        known = (*known, NAME if key is not None and key.entry is not None else part)
    return KEYS.get(known)


_FILE = "stack file"
CA_VARIABLE = "SSL_CERT_FILE"
"""Names the CA bundle of this machine, for every program that uses OpenSSL. Builds trust it too, since a path of one
machine has no place in a stack's file."""
REGISTRY_VARIABLE = "SLIPWAY_REGISTRY"
"""Names the registry of this machine that a cluster pulls from."""
_ENTRIES: dict[Path_, dict[str, Any]] = {(name,): values for name, values in ENTRIES.items()}
_SETTINGS_MODULE, _WSGI_MODULE = ("app", "settings_module"), ("app", "wsgi_module")

# ---------------------------------------------------------------------------------------------------------------------
# From what a stack says to settings.


@dataclass(frozen=True)
class Resolved:
    """What became of a stack's file: values, where each comes from, and what is wrong with them."""

    values: dict[str, Any]
    sources: dict[Path_, str]
    parts: dict[str, Any] = field(default_factory=dict)
    """The top-level values that are valid, also when others are not."""
    problems: tuple[Problem, ...] = ()


def load() -> Settings:
    """Read the settings of the stack that is being deployed, or raise one error with every problem.

    Raises:
        SettingsError: if anything is wrong, including with the Django project that the settings point at.
    """
    return check(_read(), pulumi.get_stack())


def check(said: Mapping[str, Any], stack: str, root: Path = ROOT) -> Settings:
    """Turn what a stack says into settings that fit the files on this machine.

    Raises:
        SettingsError: with every problem of the values and of the files that they point at.
    """
    resolved = resolve(said, stack, root)
    return _settings(resolved, stack, [*resolved.problems, *file_problems(resolved, stack, root)])


def parse(said: Mapping[str, Any], stack: str, root: Path = ROOT) -> Settings:
    """Turn what a stack says into settings, without a look at any file.

    Raises:
        SettingsError: with every problem of the values.
    """
    resolved = resolve(said, stack, root)
    return _settings(resolved, stack, resolved.problems)


def file_problems(resolved: Resolved, stack: str, root: Path = ROOT) -> list[Problem]:
    """Find what is wrong with the files that valid settings point at."""
    problems = []
    if "app" in resolved.parts:
        problems += project.app_problems(resolved.parts["app"], stack, root)
        names = {problem.key for problem in problems}
        if full_key(_SETTINGS_MODULE) in names and resolved.sources[_WSGI_MODULE] != _FILE:
            problems = [problem for problem in problems if problem.key != full_key(_WSGI_MODULE)]  # follows from it
    if "build" in resolved.parts:
        problems += project.build_problems(resolved.parts["build"], stack, root)
    return problems


def _settings(resolved: Resolved, stack: str, problems: list[Problem] | tuple[Problem, ...]) -> Settings:
    if problems:
        raise SettingsError(stack, problems)
    return Settings(**resolved.parts)


def _read() -> dict[str, Any]:
    """Read everything under ``slipway:``. Groups of values come as JSON text, single ones as they are."""
    config = pulumi.Config(NAMESPACE)
    prefix = f"{NAMESPACE}:"
    given = {**pulumi.runtime.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    names = dict.fromkeys(
        [*Settings.model_fields, *(key.removeprefix(prefix) for key in given if key.startswith(prefix))]
    )
    said: dict[str, Any] = {}
    for name in names:
        if pulumi.runtime.is_config_secret(prefix + name):
            said[name] = {"secure": None}
            continue
        value = config.get(name)
        if value is not None:
            key = KEYS.get((name,))
            said[name] = _structure(value) if key is not None and (key.group or key.entry) else value
    return said


def _structure(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value


def resolve(said: Mapping[str, Any], stack: str, root: Path = ROOT) -> Resolved:
    """Complete what a stack says from the defaults of its kind, and find what is wrong with it."""
    environment = said.get("environment")
    kind = environment if isinstance(environment, str) and environment in BY_KIND else Kind.DEV
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    sources: dict[Path_, str] = {}
    _lay(values, sources, COMMON, "default")
    _lay(values, sources, BY_KIND[kind], f"default of {kind}")
    _lay(values, sources, _without_secrets(said, (), stack, problems), _FILE)
    _derive(values, sources, stack, root)
    refused = tuple(problem.key + end for problem in problems for end in (".", "["))
    derived = {path for path in DERIVED if sources.get(path) != _FILE}
    parts, wrong = _validate(values, stack)
    problems += [
        problem
        for path, problem in wrong.items()
        if path not in derived and not f"{problem.key}.".startswith(refused)  # what they follow from is named
    ]
    problems += _rules(parts, stack)
    resolved = Resolved(values, sources, parts)
    return replace(resolved, problems=(*problems, *_only_on(resolved, stack), *_cluster_rules(parts, stack)))


def _lay(
    values: dict[str, Any], sources: dict[Path_, str], layer: Mapping[str, Any], source: str, above: Path_ = ()
) -> None:
    """Put one layer over the values below it, and note where each value comes from."""
    for name, value in layer.items():
        path = (*above, name)
        key = key_at(path)
        if source == _FILE and key is not None and key.group is None and value in (None, ""):
            continue  # a key without a value says nothing; for a group, Pulumi itself refuses that
        if key is not None and key.group is not None and isinstance(value, Mapping):
            if path[-1] not in values and above in _ENTRIES:
                _lay(values.setdefault(name, {}), sources, _ENTRIES[above], "default", path)
            _lay(values.setdefault(name, {}), sources, value, source, path)
        elif key is not None and key.entry is not None and isinstance(value, Mapping):
            sources.setdefault(path, source)
            _lay(values.setdefault(name, {}), sources, value, source, path)
        else:
            values[name] = value
            sources[path] = source


def _derive(values: dict[str, Any], sources: dict[Path_, str], stack: str, root: Path) -> None:
    """Fill in what follows from other values."""
    app, build, cluster = values["app"], values.setdefault("build", {}), values["kubernetes"]
    if not isinstance(app, dict):
        return
    derived: list[tuple[dict[str, Any], Path_, Path_, str]] = []
    source, module = text(app.get("source")), text(app.get("settings_module"))
    if isinstance(source, str):
        derived.append((app, ("app", "name"), ("app", "source"), name_of(source, root)))
    if isinstance(module, str):
        derived.append((app, _WSGI_MODULE, _SETTINGS_MODULE, wsgi_of(module)))
    if isinstance(build, dict):
        derived.append((build, ("build", "base_image"), ("app", "python"), f"python:{app['python']}-slim"))
        _from_machine(build, sources, ("build", "ca_bundle"), CA_VARIABLE)
    if isinstance(cluster, dict):
        # The images of a Docker host need no registry.
        variable = REGISTRY_VARIABLE if values["target"] == Target.KUBERNETES else None
        _from_machine(cluster, sources, ("kubernetes", "registry"), variable)
        name = text(app.get("name", name_of(source, root) if isinstance(source, str) else ""))
        if isinstance(name, str):
            derived.append((cluster, ("kubernetes", "namespace"), ("app", "name"), namespace_of(name, stack)))
    for group, path, origin, value in derived:
        if path[-1] not in group:
            group[path[-1]] = value
            sources[path] = f"from {full_key(origin)}"


def _from_machine(group: dict[str, Any], sources: dict[Path_, str], path: Path_, variable: str | None) -> None:
    """Take a value from an environment variable, since what belongs to one machine has no place in a stack's file."""
    if path[-1] not in group:
        value = os.environ.get(variable) if variable else None
        group[path[-1]] = value or None
        sources[path] = f"from {variable}" if value else "default"


def name_of(source: str, root: Path = ROOT) -> str:
    """Make a name for an app out of the folder that it is in."""
    folder = posixpath.basename(posixpath.normpath(posixpath.join(str(root), source)))
    slug = re.sub(r"[^a-z0-9]+", "-", folder.lower()).lstrip("-0123456789")[:31].strip("-")
    return slug or "app"


def namespace_of(name: str, stack: str) -> str:
    """Make the name of a namespace out of those of the app and of the stack."""
    return re.sub(r"[^a-z0-9]+", "-", f"{name}-{stack}".lower())[:63].strip("-")


def wsgi_of(settings_module: str) -> str:
    """Guess the WSGI application from the settings module: both lie in the same package, as Django lays them out."""
    parts = settings_module.split(".")
    package = parts[: parts.index("settings")] if "settings" in parts else parts[:-1]
    return ".".join([*package, "wsgi"]) + ":application"


def _without_secrets(said: Mapping[str, Any], above: Path_, stack: str, problems: list[Problem]) -> dict[str, Any]:
    """Take the secrets out. A structure that holds one is secret as a whole, and no diff of it can be read."""
    kept: dict[str, Any] = {}
    for name, value in said.items():
        path = (*above, str(name))
        if isinstance(value, Mapping) and list(value) == ["secure"]:
            problems.append(_secret_problem(path, stack))
        else:
            kept[str(name)] = _without_secrets(value, path, stack, problems) if isinstance(value, Mapping) else value
    return kept


def _secret_problem(path: Path_, stack: str) -> Problem:
    key = key_at(path)
    if key is not None and (key.group or key.entry) is not None:
        mend = f"{config_rm((*path, 'KEY'), stack)} (KEY is the one with `secure:` in the stack's file)"
    elif key is not None and isinstance(key.example, str | int | float):
        mend = config_set(path, key.example, stack).replace("config set", "config set --plaintext")
    else:
        mend = config_rm(path, stack)
    return Problem(
        key=full_key(path),
        found=SECRET,
        allowed="a value in clear; secrets are kept apart, under secrets:",
        mend=mend,
    )


def _validate(values: dict[str, Any], stack: str) -> tuple[dict[str, Any], dict[Path_, Problem]]:
    """Give the top-level values that are valid, and what is wrong with the others."""
    wrong: dict[Path_, Problem] = {}
    bad = set()
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            path = _of_a_key(tuple(str(part) for part in each["loc"] if part != "[key]"))
            bad.add(path[0])
            wrong.setdefault(path, _problem(path, each["type"], "[key]" in each["loc"], values, stack))
    parts = {
        name: TypeAdapter[Any](info.annotation or Any).validate_python(values[name])
        for name, info in Settings.model_fields.items()
        if name not in bad
    }
    return parts, wrong


def _problem(path: Path_, kind: str, is_name: bool, values: dict[str, Any], stack: str) -> Problem:  # noqa: FBT001  # a fact about path
    """Say in our words what pydantic found."""
    if kind == "extra_forbidden":
        return _unknown(path, values, stack)
    key = key_at(path)
    if is_name and key is not None:
        above = KEYS[path[:-1]]
        return Problem(
            key=full_key(path), found="a name that is not allowed", allowed=above.allowed, mend=config_rm(path, stack)
        )
    if key is None:  # one variable of app.environment
        return Problem(
            key=full_key(path),
            found="a name that is not allowed" if is_name else "something that is not text (not shown)",
            allowed=KEYS[path[:-1]].allowed,
            mend=config_rm(path, stack) if is_name else config_set(path, "TEXT", stack),
        )
    return Problem(
        key=full_key(path),
        found=show(None if kind == "missing" else _at(values, path)),
        allowed=key.allowed,
        mend=config_rm(path, stack)
        if isinstance(key.example, dict | NoneType)
        else config_set(path, _example(key, stack), stack),
    )


def _of_a_key(path: Path_) -> Path_:
    """Cut a path where its key ends: what is wrong with one word of a list is wrong with the list."""
    ends = (end for end in range(1, len(path)) if _is_list(key_at(path[:end])))
    return path[: next(ends, len(path))]


def _is_list(key: Key | None) -> bool:
    return key is not None and get_origin(key.info.annotation) is list and key.group is None


def _example(key: Key, stack: str) -> object:
    """Give an allowed value; a stack that is named like a kind is probably of that kind."""
    return stack if key.path == ("environment",) and stack in BY_KIND else key.example


def _unknown(path: Path_, values: dict[str, Any], stack: str) -> Problem:
    """Name the known key that was probably meant. The value of an unknown one is only shown where one is near."""
    group = key_at(path[:-1])
    siblings = [key.path for key in KEYS.values() if key.path[:-1] == (group.path if group else ())]
    near = [(*path[:-1], name) for name in get_close_matches(path[-1], [sibling[-1] for sibling in siblings], 1)]
    near += [other for other in KEYS if other[-1] == path[-1] and NAME not in other]
    value = _at(values, path)
    mend = config_rm(path, stack)
    known = key_at(near[0]) if near else None
    if known is not None and known.single and isinstance(value, str | int | float):
        mend = f"{config_set(near[0], value, stack)} && {mend}"
    names = ", ".join(sibling[-1] for sibling in siblings)
    return Problem(
        key=full_key(path),
        found="a key that is not known",
        allowed=f"probably {full_key(near[0])}" if near else f"one of {names}",
        mend=mend,
    )


def _at(values: Mapping[str, Any], path: Path_) -> object:
    value: object = values
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Rules between values.


@dataclass(frozen=True, kw_only=True)
class Only:
    """A setting that one target alone can follow."""

    target: Target
    """The target."""
    instead: str
    """What there is on other targets, in words."""
    value: str | None = None
    """The value that it is about; None for all."""


ONLY_ON: Mapping[Path_, Only] = {
    ("edge", "address"): Only(
        target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"
    ),
    ("edge", "port"): Only(target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"),
    ("kubernetes",): Only(target=Target.KUBERNETES, instead="nothing below this key"),
    ("postgres", "provider"): Only(
        target=Target.KUBERNETES,
        instead=f"one of {PostgresProvider.SLIPWAY}, {PostgresProvider.EXTERNAL}",
        value=PostgresProvider.CLOUDNATIVE_PG,
    ),
}
"""What is refused where a stack's file says it for another target. Everything else means the same on all of them."""


def applies(path: Path_, target: Target) -> bool:
    """Whether a target has a setting."""
    ways = (ONLY_ON.get(path[:end]) for end in range(1, len(path) + 1))
    return all(only.target is target or only.value is not None for only in ways if only is not None)


def _only_on(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find what a stack's file says for another target than its own."""
    target = resolved.parts.get("target")
    for path, only in ONLY_ON.items():
        said = [each for each, source in resolved.sources.items() if source == _FILE and each[: len(path)] == path]
        meant = only.value is None or _at(resolved.values, path) == only.value
        if isinstance(target, Target) and target is not only.target and said and meant:
            yield Problem(
                key=full_key(path),
                found=f"{show(only.value)}, which is for target {only.target}"
                if only.value
                else f"a setting for target {only.target}",
                allowed=f"with target {target}: {only.instead}",
                mend=config_rm(path, stack),
            )


def _required(path: Path_, why: str, stack: str) -> Problem:
    """Say that a value is needed, since another one is what it is."""
    key = KEYS[path]
    return Problem(
        key=key.name, found="nothing", allowed=f"{key.allowed}; {why}", mend=config_set(path, key.example, stack)
    )


def _cluster_rules(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong between the settings of a cluster."""
    cluster = parts.get("kubernetes")
    if not isinstance(cluster, Kubernetes) or parts.get("target") is not Target.KUBERNETES:
        return
    if cluster.registry is None:
        why = f"the cluster pulls the app's image from it ({REGISTRY_VARIABLE} in the environment says it too)"
        yield _required(("kubernetes", "registry"), why, stack)
    if cluster.expose is Expose.GATEWAY and cluster.gateway is None:
        yield _required(("kubernetes", "gateway"), "slipway:kubernetes.expose is gateway", stack)
    if cluster.tls is TlsFrom.CERT_MANAGER and cluster.issuer is None:
        yield _required(("kubernetes", "issuer"), "slipway:kubernetes.tls is cert_manager", stack)
    if cluster.tls is not TlsFrom.NONE and cluster.expose not in {Expose.INGRESS, Expose.GATEWAY}:
        yield Problem(
            key=full_key(("kubernetes", "tls")),
            found=show(cluster.tls),
            allowed=f"none, since TLS ends in an Ingress or a Gateway and slipway:kubernetes.expose is {cluster.expose}",
            mend=config_set(("kubernetes", "expose"), Expose.INGRESS, stack),
        )
    scale = cluster.autoscale
    if scale.min > scale.max:
        path = ("kubernetes", "autoscale", "max")
        yield Problem(
            key=full_key(path),
            found=show(scale.max),
            allowed=f"at least slipway:kubernetes.autoscale.min ({scale.min})",
            mend=config_set(path, scale.min, stack),
        )
    postgres = parts.get("postgres")
    if cluster.instances > 1 and isinstance(postgres, Postgres) and postgres.provider is PostgresProvider.SLIPWAY:
        yield Problem(
            key=full_key(("kubernetes", "instances")),
            found=show(cluster.instances),
            allowed="1, unless slipway:postgres.provider is cloudnative-pg",
            mend=config_set(("postgres", "provider"), PostgresProvider.CLOUDNATIVE_PG, stack),
        )


_LEAST_MEMORY = {"web": 128, "postgres": 128, "redis": 32, "edge": 32}
"""MiB below which the process does not start reliably."""

OURS = frozenset(
    {
        "DJANGO_SETTINGS_MODULE",
        "SLIPWAY_RELEASE",
        *(name + end for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL") for end in ("", "_FILE")),
    }
)
"""Environment variables that Slipway sets."""


def _rules(parts: Mapping[str, Any], stack: str) -> list[Problem]:
    """Find what is wrong between values that are right each by itself."""
    problems = []
    for name, least in _LEAST_MEMORY.items():
        if name in parts and parts[name].resources.memory_mb < least:
            path: Path_ = (name, "resources", "memory_mb")
            problems.append(
                Problem(
                    key=full_key(path),
                    found=show(parts[name].resources.memory_mb),
                    allowed=f"at least {least}, below which {name} does not start",
                    mend=config_set(path, least, stack),
                )
            )
    for name in sorted(OURS & set(parts["app"].environment)) if "app" in parts else ():
        path = ("app", "environment", name)
        problems.append(
            Problem(
                key=full_key(path),
                found="a variable that Slipway sets itself",
                allowed=f"any name but {', '.join(sorted(OURS))}",
                mend=config_rm(path, stack),
            )
        )
    if (
        parts.get("environment") is Kind.PROD
        and {"web", "edge"} <= set(parts)
        and parts["web"].stop_grace_seconds < parts["edge"].timeout_seconds
    ):
        path = ("web", "stop_grace_seconds")
        problems.append(
            Problem(
                key=full_key(path),
                found=show(parts["web"].stop_grace_seconds),
                allowed=f"in prod at least slipway:edge.timeout_seconds ({parts['edge'].timeout_seconds}), "
                "or a release cuts requests that the edge still waits for",
                mend=config_set(path, parts["edge"].timeout_seconds, stack),
            )
        )
    return problems
