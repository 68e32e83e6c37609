"""A server with data: one pod with a fixed name, its claim, and a Service in front of it.

A change replaces the pod, the old one first: two servers on one claim would destroy it. The claim is not the
StatefulSet's own, so that it has the name of its role and outlives whatever happens to the StatefulSet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import CustomTimeouts, Input, ResourceOptions
from pulumi_kubernetes import apps, core

from components.kubernetes import metadata, pod, roles
from components.kubernetes.pod import Pod

ROOM_SECONDS = 240
"""What pulling an image, making a volume and stopping the old pod may take beside the start."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """What differs from one server to the next."""

    pod: Pod
    """Its pod. The server's name in the namespace is that of the pod's component."""
    port: int
    """Where it listens."""
    startup_seconds: int
    """How long it may take to start."""
    more_ports: Sequence[int] = ()
    """Where else it listens."""


def create(
    name: str,
    server: Server,
    namespace: Input[str],
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource] = (),
) -> None:
    """Register a server; its pod comes after what it needs."""
    role, owner = server.pod.component, server.pod.owner
    seconds = f"{server.startup_seconds + ROOM_SECONDS}s"
    options = ResourceOptions(parent=parent)
    several = bool(server.more_ports)
    ports = [
        core.v1.ServicePortArgs(name=f"port-{port}" if several else None, port=port, target_port=port, protocol="TCP")
        for port in (server.port, *server.more_ports)
    ]
    for suffix, service, headless in (("pods", roles.pods(role), True), ("service", role, False)):
        core.v1.Service(
            f"{name}-{suffix}",
            metadata=metadata.of(owner, role, namespace, name=service, annotations=metadata.SKIP_AWAIT),
            spec=core.v1.ServiceSpecArgs(
                cluster_ip="None" if headless else None, selector=owner.labels(role), ports=ports
            ),
            opts=options,
        )
    apps.v1.StatefulSet(
        f"{name}-server",
        metadata=metadata.of(owner, role, namespace, name=role),
        spec=apps.v1.StatefulSetSpecArgs(
            # These three can never change.
            selector=metadata.selector(owner, role),
            service_name=roles.pods(role),
            # The other policy waits for a pod that never gets ready, and would not take the change that mends it.
            pod_management_policy="Parallel",
            replicas=1,
            template=pod.template(server.pod),
        ),
        opts=ResourceOptions(
            parent=parent,
            depends_on=[*after],
            custom_timeouts=CustomTimeouts(create=seconds, update=seconds),
        ),
    )
