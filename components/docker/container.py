"""How every container of the Docker target is made: hardened, limited, rotated, stopped with grace.

This module owns the options that all containers share, and the measured traps of the plugin behind them
(docs/decisions). What is special to one container is a field of ``Container``; it knows no component.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi_docker as docker
from pulumi import Input, Output, ResourceOptions

from components.docker import declaration
from components.labels import DECLARED
from components.model import Resources

REPLACE_ON_CHANGES = ["#initerror", "healthcheck", "init", "tmpfs", "rm", "cpuPeriod", "cpuQuota"]
"""Without the first, a failed health check is green on the second ``up`` and the healthy old container is deleted.
Changes of the others are reported as done by the plugin, which does nothing."""

SECRETS_DIR = "/run/secrets"
"""Where secret files are mounted."""

_TMPFS_MODE = 0o1777


@dataclass(frozen=True, kw_only=True)
class Health:
    """How Docker learns that a container can serve. Whoever needs the container waits for it."""

    command: Sequence[str]
    """The command, program first, that exits 0 when it can."""
    startup_seconds: int
    """How long it may take after the start."""
    interval_seconds: int = 3
    """How often it is asked, and how long after the start for the first time. Each time costs some 30 ms of CPU."""
    timeout_seconds: int = 6
    """How long one answer may take."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume in a container."""

    volume: Input[str]
    """Name of the volume."""
    target: str
    """Path in the container."""
    writable: bool = False
    """Whether the container may write."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A published port."""

    address: str
    """Address of the host."""
    external: int
    """Port of the host."""
    internal: int
    """Port in the container."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """What differs from one container to the next."""

    image: Input[str]
    """Identity of the image."""
    labels: Mapping[str, str]
    """Labels."""
    user: str
    """Numeric ``user:group``."""
    resources: Resources
    """What it may use."""
    networks: Sequence[Input[str]]
    """The networks that it joins."""
    stop_grace_seconds: int
    """How long it may finish after it was asked to stop."""
    name: str | None = None
    """A fixed name: such a container is deleted before its successor exists. None for an automatic one."""
    entrypoint: Sequence[str] | None = None
    """The program instead of the image's entrypoint; None for the image's."""
    command: Sequence[str] | None = None
    """Command line, program first; None for the one of the image."""
    hostname: str | None = None
    """How it is called in itself, where that may not differ from one container to the next."""
    read_only: bool = True
    """Whether nothing of the image can be written to."""
    capabilities: Sequence[str] | None = None
    """What of root's rights it has; None of them where it is left out."""
    environment: Input[Mapping[str, str]] = field(default_factory=dict)
    """Environment variables. Nothing secret."""
    mounts: Sequence[Mount] = ()
    """Volumes."""
    memory_mounts: Mapping[str, int] = field(default_factory=lambda: {"/tmp": 64})  # noqa: S108 - a path in a container
    """What is writable beside the volumes: path, and size in MiB. It counts as memory of the container."""
    health: Health | None = None
    """How readiness is known. None for what runs once."""
    port: Port | None = None
    """The published port."""
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Further networks that it joins, by their name, and how it is called there beside its own name."""
    shared_memory_mb: int | None = None
    """Size of /dev/shm."""
    stop_signal: str | None = None
    """The signal that asks it to stop, if the image's own is not right."""
    once: bool = False
    """Whether it runs once, to its end, instead of for ever."""


def create(name: str, spec: Container, opts: ResourceOptions) -> docker.Container:
    """Register a container."""
    health = spec.health
    return docker.Container(
        name,
        name=spec.name,
        image=spec.image,
        entrypoints=spec.entrypoint,
        command=spec.command,
        hostname=spec.hostname,
        envs=_variables(spec),
        labels=_labels({**spec.labels, DECLARED: _declared(spec)}),
        # Isolation.
        user=spec.user,
        read_only=spec.read_only,
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"], adds=spec.capabilities),
        security_opts=["no-new-privileges:true"],
        mounts=_mounts(spec),
        networks_advanced=_networks(spec) or None,
        # Without it, a container on no network of ours would be on Docker's own, which has a way out.
        network_mode=None if spec.networks else "none",
        ports=[_port(spec.port)] if spec.port else None,
        # Limits. Without memorySwap, every preview shows a difference.
        memory=spec.resources.memory_mb,
        memory_swap=spec.resources.memory_mb,
        cpus=cores(spec.resources.cpus),
        shm_size=spec.shared_memory_mb,
        log_driver="json-file",
        log_opts={"max-size": "10m", "max-file": "3"},
        # Life. The plugin kills at once where no grace is set.
        init=True,
        stop_signal=spec.stop_signal,
        destroy_grace_seconds=spec.stop_grace_seconds,
        restart="no" if spec.once else "unless-stopped",
        must_run=not spec.once,
        attach=spec.once,
        logs=spec.once,
        healthcheck=_healthcheck(health) if health else None,
        wait=health is not None,
        wait_timeout=health.startup_seconds if health else None,
        opts=ResourceOptions.merge(
            opts,
            ResourceOptions(
                replace_on_changes=REPLACE_ON_CHANGES,
                # A fixed name or a published port can belong to one container at a time.
                delete_before_replace=spec.name is not None,
            ),
        ),
    )


def _labels(labels: Mapping[str, Input[str]]) -> list[docker.ContainerLabelArgs]:
    return [docker.ContainerLabelArgs(label=label, value=value) for label, value in sorted(labels.items())]


def _variables(spec: Container) -> Output[list[str]]:
    return Output.from_input(spec.environment).apply(
        lambda variables: [f"{key}={value}" for key, value in sorted(variables.items())]
    )


def _declared(spec: Container) -> Output[str]:
    """Hash what the plugin never reads back, for whoever looks for drift. Whatever is said here is said above."""
    health = spec.health
    volumes = [
        {"type": "volume", "source": mount.volume, "target": mount.target, "readOnly": not mount.writable}
        for mount in spec.mounts
    ]
    memory = [
        {"type": "tmpfs", "target": target, "tmpfsOptions": {"sizeBytes": size * 1024 * 1024, "mode": _TMPFS_MODE}}
        for target, size in spec.memory_mounts.items()
    ]
    port = spec.port
    said: dict[str, object] = {
        "entrypoints": spec.entrypoint,
        "command": spec.command,
        "hostname": spec.hostname,
        "envs": _variables(spec),
        "labels": [{"label": label, "value": value} for label, value in spec.labels.items()],
        "user": spec.user,
        "readOnly": spec.read_only,
        "capabilities": {"drops": ["ALL"], "adds": spec.capabilities},
        "securityOpts": ["no-new-privileges:true"],
        "mounts": volumes + memory,
        "networksAdvanced": [
            *({"name": network} for network in spec.networks),
            *({"name": network, "aliases": names} for network, names in spec.aliases.items()),
        ],
        "networkMode": None if spec.networks else "none",
        "ports": [{"ip": port.address, "external": port.external, "internal": port.internal, "protocol": "tcp"}]
        if port
        else [],
        "cpus": cores(spec.resources.cpus),
        "shmSize": spec.shared_memory_mb,
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m", "max-file": "3"},
        "init": True,
        "stopSignal": spec.stop_signal,
        "healthcheck": {
            "tests": ["CMD", *health.command],
            "interval": duration(health.interval_seconds),
            "timeout": duration(health.timeout_seconds),
            "startPeriod": duration(health.startup_seconds),
            "retries": 3,
        }
        if health
        else None,
    }
    return Output.from_input(said).apply(declaration.fingerprint)


def _networks(spec: Container) -> list[docker.ContainerNetworksAdvancedArgs]:
    further = [
        docker.ContainerNetworksAdvancedArgs(name=network, aliases=sorted(names))
        for network, names in sorted(spec.aliases.items())
    ]
    return [*(docker.ContainerNetworksAdvancedArgs(name=network) for network in spec.networks), *further]


def _mounts(spec: Container) -> list[docker.ContainerMountArgs]:
    volumes = [
        docker.ContainerMountArgs(type="volume", source=mount.volume, target=mount.target, read_only=not mount.writable)
        for mount in spec.mounts
    ]
    memory = [
        docker.ContainerMountArgs(
            type="tmpfs",
            target=target,
            tmpfs_options=docker.ContainerMountTmpfsOptionsArgs(size_bytes=size_mb * 1024 * 1024, mode=_TMPFS_MODE),
        )
        for target, size_mb in sorted(spec.memory_mounts.items())
    ]
    return volumes + memory


def _port(port: Port) -> docker.ContainerPortArgs:
    return docker.ContainerPortArgs(ip=port.address, external=port.external, internal=port.internal, protocol="tcp")


def _healthcheck(health: Health) -> docker.ContainerHealthcheckArgs:
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command],
        interval=duration(health.interval_seconds),
        timeout=duration(health.timeout_seconds),
        start_period=duration(health.startup_seconds),
        retries=3,
    )


def cores(cpus: float) -> str:
    """Write a number of CPUs as the plugin reads it back: any other spelling replaces the container every time."""
    text, short = f"{cpus:.9f}", f"{cpus:.1f}"
    # The plugin counts zeros. Where that loses digits (10.05), the limit is worth more than an empty diff.
    return short if text.count("0") == 9 and float(short) == cpus else text.rstrip("0")  # noqa: PLR2004 - the plugin counts so


def duration(seconds: int) -> str:
    """Write a duration as Docker reports it: any other spelling is a difference in every preview."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
