"""Processes that run for ever, as a Deployment: a release comes up beside the one before, and replaces it pod by pod.

A new pod must be well before an old one goes, so a release that does not start leaves the old one as it was.
"""

from dataclasses import dataclass

import pulumi
from pulumi import CustomTimeouts, Input, ResourceOptions
from pulumi_kubernetes import apps, policy

from components.kubernetes import metadata, pod, roles
from components.kubernetes.pod import Pod

ROOM_SECONDS = 60
"""What one rollout may take beside its pods: pulling the image first of all."""

POD_SECONDS = 15
"""What each pod may take beside its start: the next is made only once the one before is well."""

LONGEST_SECONDS = 1800
"""How long an update waits for a rollout at most."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What differs from one Deployment to the next."""

    pod: Pod
    """Its pods. The Deployment's name in the namespace is that of the pod's component."""
    replicas: int
    """How many there are, or may be at most where the load decides it."""
    startup_seconds: int
    """How long a new one may take to be well."""
    scaled: bool = False
    """Whether the load decides how many there are."""
    settle_seconds: int = 0
    """How long a new one must have run before it counts as well."""


def create(name: str, workload: Workload, namespace: Input[str], opts: ResourceOptions) -> apps.v1.Deployment:
    """Register a Deployment."""
    owner, role = workload.pod.owner, workload.pod.component
    seconds = timeout(workload)
    return apps.v1.Deployment(
        f"{name}-deployment",
        metadata=metadata.of(owner, role, namespace, name=role),
        spec=apps.v1.DeploymentSpecArgs(
            selector=metadata.selector(owner, role),
            replicas=None if workload.scaled else workload.replicas,
            strategy=apps.v1.DeploymentStrategyArgs(
                type="RollingUpdate",
                rolling_update=apps.v1.RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0),
            ),
            min_ready_seconds=workload.settle_seconds or None,
            progress_deadline_seconds=workload.startup_seconds + ROOM_SECONDS,
            # Slipway goes back by its own means; each of these is one object more.
            revision_history_limit=2,
            template=pod.template(workload.pod),
        ),
        opts=ResourceOptions.merge(
            opts,
            ResourceOptions(
                custom_timeouts=CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s"),
                # Left out alone, the number of a Deployment that had one would fall to 1 until the autoscaler sees it.
                ignore_changes=["spec.replicas"] if workload.scaled else None,
            ),
        ),
    )


def create_single(name: str, workload: Workload, namespace: Input[str], opts: ResourceOptions) -> apps.v1.StatefulSet:
    """Register a StatefulSet of one: the old pod has ended before the new one is made."""
    owner, role = workload.pod.owner, workload.pod.component
    seconds = timeout(workload)
    return apps.v1.StatefulSet(
        f"{name}-single",
        metadata=metadata.of(owner, role, namespace, name=role),
        spec=apps.v1.StatefulSetSpecArgs(
            selector=metadata.selector(owner, role),
            # Nobody asks it anything, so no Service has that name.
            service_name=roles.pods(role),
            # The other policy waits for a pod that never gets ready, and would not take the change that mends it.
            pod_management_policy="Parallel",
            replicas=1,
            min_ready_seconds=workload.settle_seconds or None,
            revision_history_limit=2,
            template=pod.template(workload.pod),
        ),
        opts=ResourceOptions.merge(
            opts, ResourceOptions(custom_timeouts=CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s"))
        ),
    )


def timeout(workload: Workload) -> int:
    """Give how long an update waits for a rollout, in seconds."""
    each = workload.startup_seconds + workload.settle_seconds + POD_SECONDS
    return min(LONGEST_SECONDS, ROOM_SECONDS + workload.replicas * each)


def disruptions(name: str, workload: Workload, namespace: Input[str], parent: pulumi.Resource) -> None:
    """Register how many of the pods a person may take away at once, by draining a node for example.

    Where there is but one, it may go: nothing else would ever let the node be drained. Pods that are not well do not
    count, so that they stand in nobody's way.
    """
    owner, role = workload.pod.owner, workload.pod.component
    several = workload.replicas > 1
    policy.v1.PodDisruptionBudget(
        f"{name}-disruptions",
        metadata=metadata.of(owner, role, namespace, name=role),
        spec=policy.v1.PodDisruptionBudgetSpecArgs(
            selector=metadata.selector(owner, role),
            min_available=1 if several else None,
            max_unavailable=None if several else 1,
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=ResourceOptions(parent=parent),
    )
