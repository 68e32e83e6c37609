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
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import pulumi
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from components import project
from components.defaults import BY_KIND, COMMON, DERIVED
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
    Address,
    ContainerPath,
    FilePath,
    HostName,
    Image,
    InnerPath,
    Module,
    Number,
    PythonVersion,
    Slug,
    SourcePath,
    Switch,
    UrlPath,
    VariableName,
    VariableValue,
    Whole,
    Words,
    Wsgi,
    text,
)

ROOT = Path(__file__).resolve().parent.parent
"""The repository. Relative paths in settings start here."""


class Target(StrEnum):
    """Where a stack is deployed."""

    DOCKER = "docker"


class Kind(StrEnum):
    """The kind of an environment: it decides the defaults, nothing else."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"
    REVIEW = "review"


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


class Postgres(_Model):
    """The database."""

    image: Image = Field(description="The PostgreSQL image.", examples=["postgres:17"])
    resources: Resources = Field(description="What the database may use.")


class Redis(_Model):
    """The cache."""

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


class Settings(_Model):
    """Everything that a stack says, completed from the defaults of its kind."""

    environment: Kind = Field(description="The kind of the environment. It decides the defaults.", examples=["dev"])
    target: Target = Field(description="Where the stack is deployed.", examples=["docker"])
    domain: HostName = Field(
        description="The public host name. Required for staging and prod.", examples=["shop.example.org"]
    )
    app: App = Field(description="The Django project.")
    web: Web = Field(description="The gunicorn containers.")
    edge: Edge = Field(description="nginx, the only process that publishes a port.")
    postgres: Postgres = Field(description="The database.")
    redis: Redis = Field(description="The cache.")
    data: Data = Field(description="Protection of what cannot be made again.")
    build: Build = Field(description="How the image is built.")


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

    @property
    def name(self) -> str:
        """The full path, as the commands of Pulumi take it."""
        return full_key(self.path)

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
        if self.info.annotation is not None and get_origin(self.info.annotation) is dict:
            return "NAME: value pairs, each name of letters, digits and _, each value text"
        if self.choices:
            return f"one of {', '.join(self.choices)}" if len(self.choices) > 1 else self.choices[0]
        bounds = {k: getattr(m, k) for m in self.info.metadata for k in ("ge", "le") if hasattr(m, k)}
        if bounds:
            noun = "a whole number" if self.info.annotation is int else "a number"
            return f"{noun} from {bounds['ge']} to {bounds['le']}"
        return next(m.text for m in _metadata(self.info) if isinstance(m, Words))


def keys(model: type[BaseModel] = Settings, above: Path_ = ()) -> Iterator[Key]:
    """Every key of the model, a group before what is below it."""
    for name, info in model.model_fields.items():
        annotation = info.annotation
        group = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
        yield Key((*above, name), info, group)
        if group is not None:
            yield from keys(group, (*above, name))


def _metadata(info: FieldInfo) -> list[Any]:
    """Everything that is said about a value, also where it may be null."""
    if NoneType in get_args(info.annotation):
        return [m for part in get_args(info.annotation) for m in getattr(part, "__metadata__", ())]
    return info.metadata


KEYS: dict[Path_, Key] = {key.path: key for key in keys()}
_FILE = "stack file"
CA_VARIABLE = "SSL_CERT_FILE"
"""Names the CA bundle of this machine, for every program that uses OpenSSL. Builds trust it too, since a path of one
machine has no place in a stack's file."""
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
            said[name] = _structure(value) if key is not None and key.group else value
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
    _derive(values, sources, root)
    refused = tuple(problem.key + end for problem in problems for end in (".", "["))
    derived = {path for path in DERIVED if sources.get(path) != _FILE}
    parts, wrong = _validate(values, stack)
    problems += [
        problem
        for path, problem in wrong.items()
        if path not in derived and not f"{problem.key}.".startswith(refused)  # what they follow from is named
    ]
    problems += _rules(parts, stack)
    return Resolved(values, sources, parts, tuple(problems))


def _lay(
    values: dict[str, Any], sources: dict[Path_, str], layer: Mapping[str, Any], source: str, above: Path_ = ()
) -> None:
    """Put one layer over the values below it, and note where each value comes from."""
    for name, value in layer.items():
        path = (*above, name)
        key = KEYS.get(path)
        if source == _FILE and key is not None and key.group is None and value in (None, ""):
            continue  # a key without a value says nothing; for a group, Pulumi itself refuses that
        if key is not None and key.group is not None and isinstance(value, Mapping):
            _lay(values.setdefault(name, {}), sources, value, source, path)
        else:
            values[name] = value
            sources[path] = source


def _derive(values: dict[str, Any], sources: dict[Path_, str], root: Path) -> None:
    """Fill in what follows from other values."""
    app, build = values["app"], values.setdefault("build", {})
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
        if "ca_bundle" not in build:
            build["ca_bundle"] = os.environ.get(CA_VARIABLE) or None
            sources["build", "ca_bundle"] = f"from {CA_VARIABLE}" if build["ca_bundle"] else "default"
    for group, path, origin, value in derived:
        if path[-1] not in group:
            group[path[-1]] = value
            sources[path] = f"from {full_key(origin)}"


def name_of(source: str, root: Path = ROOT) -> str:
    """Make a name for an app out of the folder that it is in."""
    folder = posixpath.basename(posixpath.normpath(posixpath.join(str(root), source)))
    slug = re.sub(r"[^a-z0-9]+", "-", folder.lower()).lstrip("-0123456789")[:31].strip("-")
    return slug or "app"


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
    key = KEYS.get(path)
    if key is not None and key.group is not None:
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
            path = tuple(str(part) for part in each["loc"] if part != "[key]")
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
    key = KEYS.get(path)
    if key is None:  # one variable of app.environment
        return Problem(
            key=full_key(path),
            found="a name that is not allowed" if is_name else "something that is not text (not shown)",
            allowed=KEYS[path[:-1]].allowed,
            mend=config_rm(path, stack) if is_name else config_set(path, "TEXT", stack),
        )
    return Problem(
        key=key.name,
        found=show(None if kind == "missing" else _at(values, path)),
        allowed=key.allowed,
        mend=config_rm(path, stack)
        if isinstance(key.example, dict | NoneType)
        else config_set(path, _example(key, stack), stack),
    )


def _example(key: Key, stack: str) -> object:
    """Give an allowed value; a stack that is named like a kind is probably of that kind."""
    return stack if key.path == ("environment",) and stack in BY_KIND else key.example


def _unknown(path: Path_, values: dict[str, Any], stack: str) -> Problem:
    """Name the known key that was probably meant. The value of an unknown one is only shown where one is near."""
    siblings = [key.path for key in KEYS.values() if key.path[:-1] == path[:-1]]
    near = [(*path[:-1], name) for name in get_close_matches(path[-1], [sibling[-1] for sibling in siblings], 1)]
    near += [other for other in KEYS if other[-1] == path[-1]]
    value = _at(values, path)
    mend = config_rm(path, stack)
    if near and KEYS[near[0]].group is None and isinstance(value, str | int | float):
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
