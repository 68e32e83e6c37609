"""The settings of one stack: frozen, complete, and validated before any resource exists.

This module owns the only model of the settings.
The declarations in ``Pulumi.yaml``, the JSON Schema for editors and ``docs/settings.md`` are generated from it.
It does not read secrets' values, and it does not create resources.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Target(StrEnum):
    """Where a stack is deployed."""

    DOCKER = "docker"


class Kind(StrEnum):
    """The kind of an environment: it decides the defaults, nothing else."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"
    REVIEW = "review"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resources(_Model):
    """What one container may use."""

    memory_mb: Annotated[int, Field(ge=16, description="Memory limit of one container, in MiB.")]
    cpus: Annotated[float, Field(gt=0, le=256, description="CPU limit of one container, in cores.")]


class App(_Model):
    """The Django project."""

    name: str  # prefix of names on the host: [a-z][a-z0-9-]{0,30}
    source: str  # path of the project's root (the folder with manage.py), relative to the repository or absolute
    settings_module: str
    wsgi_module: str  # "config.wsgi:application"
    python: str  # "3.11" | "3.12" | "3.13"
    requirements: str  # path inside source, default requirements.txt
    dockerfile: str | None  # a Dockerfile of the project's own, path inside source
    health_path: str  # "/healthz"
    media_root: str  # absolute path in the container
    environment: dict[str, str]  # plain environment variables of the project


class Edge(_Model):
    """nginx, the only process that publishes a port."""

    address: str  # 127.0.0.1
    port: int
    image: str
    max_body_mb: int
    timeout_seconds: int
    resources: Resources


class Web(_Model):
    """The gunicorn containers."""

    replicas: int
    threads: int
    startup_seconds: int  # how long a new container may take to become healthy
    stop_grace_seconds: int  # how long an old one may finish its requests; 0 kills at once
    resources: Resources


class Postgres(_Model):
    """The database."""

    image: str
    resources: Resources


class Redis(_Model):
    """The cache."""

    image: str
    resources: Resources


class Data(_Model):
    """Protection of what cannot be made again."""

    protect: bool


class Build(_Model):
    """How the image is built."""

    base_image: str | None  # default python:<app.python>-slim
    ca_bundle: str | None  # path of a CA bundle that build steps trust beside the image's own


class Settings(_Model):
    """Everything that a stack says, completed from the defaults of its kind."""

    environment: Kind
    target: Target
    domain: str  # public host name; "localhost" in dev
    app: App
    web: Web
    edge: Edge
    postgres: Postgres
    redis: Redis
    data: Data
    build: Build
