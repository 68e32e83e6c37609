"""The gateway: nginx, the one container that publishes a port for many stacks, and the network that it shares with them.

Another configuration is another container, under the same name: for a second or two, nobody is served.
"""

import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from components import gateway, nginx
from components.args import GatewayArgs, PulledImageArgs
from components.docker.container import Container, Health, Port, create
from components.docker.pulled_image import PulledImage


class Gateway(ComponentResource):
    """nginx and its network."""

    network: Output[str]
    """The network that stacks join."""

    def __init__(self, name: str, args: GatewayArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Gateway", name, {}, opts)
        labels = gateway.labels(args.name)
        network = docker.Network(
            f"{name}-network",
            name=gateway.network(args.name),
            driver="bridge",
            labels=[docker.NetworkLabelArgs(label=label, value=value) for label, value in sorted(labels.items())],
            opts=ResourceOptions(parent=self),
        )
        image = PulledImage(f"{name}-image", PulledImageArgs(reference=args.image), ResourceOptions(parent=self))
        create(
            f"{name}-server",
            Container(
                name=gateway.container(args.name),
                image=image.id,
                labels=labels,
                user="101:101",
                resources=args.resources,
                networks=[network.name],
                command=gateway.command(),
                environment={gateway.SITE: args.site},
                memory_mounts={"/tmp": args.resources.memory_mb // 2},  # noqa: S108 - a path in a container
                health=Health(command=nginx.edge_health_command(), startup_seconds=30, interval_seconds=2),
                port=Port(address=args.address, external=args.port, internal=gateway.PORT),
                stop_signal="SIGQUIT",
                stop_grace_seconds=10,
            ),
            ResourceOptions(parent=self),
        )
        self.network = network.name
        self.register_outputs({"network": self.network})
