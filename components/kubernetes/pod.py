"""How every pod is made: as Pod Security ``restricted`` wants it and stricter, limited, stopped with grace. Pure.

This module owns what all pods share. What is special to one is a field of ``Pod``; it knows no component.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pulumi import Input
from pulumi_kubernetes import core, meta

from components.args import Files
from components.kubernetes import quantities, roles
from components.kubernetes.probes import Probes
from components.labels import STORAGE, Owner
from components.model import Resources

SECRETS_DIR = "/run/secrets"
"""Where secret files are mounted."""

TOGETHER = {STORAGE: "shared"}
"""The label of pods that mount storage which is on one node alone."""

_SECRET_MODE = 0o440
"""The user's group reads secret files; nobody writes them."""

_NODE, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
_NAME = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_SECRETS, _CONFIGURATION = "secrets", "configuration"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim in a pod."""

    role: str
    """What it holds."""
    name: Input[str]
    """Its name."""
    path: str
    """Path in the container."""
    writable: bool = False
    """Whether the container may write."""


def claims(files: Sequence[Files]) -> list[Claim]:
    """Give the claims of places for files."""
    return [Claim(role=each.role, name=each.storage, path=each.path, writable=each.writable) for each in files]


@dataclass(frozen=True, kw_only=True)
class Pod:
    """What differs from one pod to the next."""

    owner: Owner
    """The stack."""
    component: str
    """What it belongs to."""
    image: Input[str]
    """The image, by a digest or as settings name it."""
    user: int
    """Numeric user, who is his own group."""
    resources: Resources
    """What it may use."""
    stop_grace_seconds: int
    """How long it may finish after it was asked to stop."""
    files_group: int | None = None
    """The group of what is mounted; the user's own where it is None. Pods that share a claim share the group."""
    labels: Mapping[str, Input[str]] = field(default_factory=dict)
    """Labels beside those that all have."""
    program: Sequence[str] | None = None
    """The program instead of the image's entrypoint; None for the image's."""
    arguments: Sequence[str] | None = None
    """What the image's entrypoint gets, program first; None for what the image brings."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict)
    """Environment variables. Nothing secret."""
    port: int | None = None
    """Where it listens."""
    secrets: Input[str] | None = None
    """The Secret whose files it reads."""
    folders: Mapping[str, Input[str]] = field(default_factory=dict)
    """Further Secrets whose files it reads, each by the folder that holds nothing else."""
    configuration: tuple[Input[str], str] | None = None
    """The ConfigMap whose files it reads, and the folder that they are in."""
    claims: Sequence[Claim] = ()
    """Storage."""
    memory_mounts: Mapping[str, int] = field(default_factory=lambda: {"/tmp": 64})  # noqa: S108 - a path in a container
    """What is writable beside the claims: path, and size in MiB. It counts as memory of the container."""
    read_only: bool = True
    """Whether nothing of the image can be written to."""
    probes: Probes | None = None
    """How it is known to be well. None where only its end counts."""
    pre_stop_seconds: int = 0
    """How long it goes on as if nothing was, once it was asked to stop: until nobody sends it requests any more."""
    together: bool = False
    """Whether it has to run on the node that all others with this mark run on."""
    spread: bool = False
    """Whether its copies keep away from one another."""
    once: bool = False
    """Whether it runs once, to its end, instead of for ever."""


def template(pod: Pod) -> core.v1.PodTemplateSpecArgs:
    """Give the template of a pod."""
    labels: dict[str, Input[str]] = {
        **pod.owner.labels(pod.component),
        **pod.labels,
        **(TOGETHER if pod.together else {}),
    }
    return core.v1.PodTemplateSpecArgs(metadata=meta.v1.ObjectMetaArgs(labels=labels), spec=_spec(pod))


def _spec(pod: Pod) -> core.v1.PodSpecArgs:
    return core.v1.PodSpecArgs(
        service_account_name=roles.ACCOUNT,
        automount_service_account_token=False,
        # The addresses of all Services in the environment: nobody asked for them, and they are many.
        enable_service_links=False,
        restart_policy="Never" if pod.once else "Always",
        termination_grace_period_seconds=pod.stop_grace_seconds + pod.pre_stop_seconds,
        security_context=core.v1.PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=pod.user,
            run_as_group=pod.user,
            fs_group=pod.files_group or pod.user,
            # A look at the top folder alone: asking each file of a large claim takes minutes.
            fs_group_change_policy="OnRootMismatch",
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        affinity=_affinity(pod),
        topology_spread_constraints=[_spread(pod, key) for key in (_NODE, _ZONE)] if pod.spread else None,
        containers=[_container(pod)],
        volumes=_volumes(pod),
    )


def _container(pod: Pod) -> core.v1.ContainerArgs:
    return core.v1.ContainerArgs(
        name=pod.component,
        image=pod.image,
        command=[*pod.program] if pod.program else None,
        args=[*pod.arguments] if pod.arguments else None,
        env=[core.v1.EnvVarArgs(name=name, value=value) for name, value in sorted(pod.environment.items())] or None,
        ports=[core.v1.ContainerPortArgs(container_port=pod.port, protocol="TCP")] if pod.port else None,
        resources=quantities.requirements(pod.resources),
        security_context=core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=pod.read_only,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
        startup_probe=pod.probes.startup if pod.probes else None,
        readiness_probe=pod.probes.readiness if pod.probes else None,
        liveness_probe=pod.probes.liveness if pod.probes else None,
        lifecycle=_lifecycle(pod.pre_stop_seconds) if pod.pre_stop_seconds else None,
        # What a container said last is its reason, where it left no other.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=_mounts(pod),
    )


def _lifecycle(seconds: int) -> core.v1.LifecycleArgs:
    return core.v1.LifecycleArgs(pre_stop=core.v1.LifecycleHandlerArgs(sleep=core.v1.SleepActionArgs(seconds=seconds)))


def _mounts(pod: Pod) -> list[core.v1.VolumeMountArgs]:
    mounts = [
        core.v1.VolumeMountArgs(name=each.role, mount_path=each.path, read_only=not each.writable)
        for each in pod.claims
    ]
    if pod.secrets is not None:
        mounts.append(core.v1.VolumeMountArgs(name=_SECRETS, mount_path=SECRETS_DIR, read_only=True))
    mounts += [
        core.v1.VolumeMountArgs(name=_name("files", folder), mount_path=folder, read_only=True)
        for folder in sorted(pod.folders)
    ]
    if pod.configuration is not None:
        mounts.append(core.v1.VolumeMountArgs(name=_CONFIGURATION, mount_path=pod.configuration[1], read_only=True))
    return mounts + [
        core.v1.VolumeMountArgs(name=_memory_name(path), mount_path=path) for path in sorted(pod.memory_mounts)
    ]


def _volumes(pod: Pod) -> list[core.v1.VolumeArgs]:
    volumes = [
        core.v1.VolumeArgs(
            name=each.role,
            persistent_volume_claim=core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=each.name),
        )
        for each in pod.claims
    ]
    if pod.secrets is not None:
        source = core.v1.SecretVolumeSourceArgs(secret_name=pod.secrets, default_mode=_SECRET_MODE)
        volumes.append(core.v1.VolumeArgs(name=_SECRETS, secret=source))
    volumes += [
        core.v1.VolumeArgs(
            name=_name("files", folder),
            secret=core.v1.SecretVolumeSourceArgs(secret_name=pod.folders[folder], default_mode=_SECRET_MODE),
        )
        for folder in sorted(pod.folders)
    ]
    if pod.configuration is not None:
        text = core.v1.ConfigMapVolumeSourceArgs(name=pod.configuration[0])
        volumes.append(core.v1.VolumeArgs(name=_CONFIGURATION, config_map=text))
    return volumes + [
        core.v1.VolumeArgs(
            name=_memory_name(path),
            empty_dir=core.v1.EmptyDirVolumeSourceArgs(medium="Memory", size_limit=quantities.memory(size_mb)),
        )
        for path, size_mb in sorted(pod.memory_mounts.items())
    ]


def _memory_name(path: str) -> str:
    return _name("memory", path)


def _name(what: str, path: str) -> str:
    """Name what is mounted at a path; where Kubernetes would not take its letters, by a hash of it."""
    name = what + path.replace("/", "-")
    return name if re.fullmatch(_NAME, name) else f"{what}-{hashlib.sha256(path.encode()).hexdigest()[:12]}"


def _affinity(pod: Pod) -> core.v1.AffinityArgs | None:
    """Keep what mounts the same storage on the node that has it. The first pod with the mark may go anywhere."""
    if not pod.together:
        return None
    term = core.v1.PodAffinityTermArgs(
        topology_key=_NODE, label_selector=meta.v1.LabelSelectorArgs(match_labels={**TOGETHER})
    )
    return core.v1.AffinityArgs(
        pod_affinity=core.v1.PodAffinityArgs(required_during_scheduling_ignored_during_execution=[term])
    )


def _spread(pod: Pod, key: str) -> core.v1.TopologySpreadConstraintArgs:
    """Wish for different nodes and zones. A wish alone: a cluster with one node is one."""
    return core.v1.TopologySpreadConstraintArgs(
        max_skew=1,
        topology_key=key,
        when_unsatisfiable="ScheduleAnyway",
        label_selector=meta.v1.LabelSelectorArgs(match_labels=pod.owner.labels(pod.component)),
        # Each release for itself: what is about to go does not count.
        match_label_keys=["pod-template-hash"],
    )
