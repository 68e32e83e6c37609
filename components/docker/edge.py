"""The edge: nginx, the only container that publishes a port. No release ever replaces it.

It follows what the switch writes into its configuration volume; ``components/nginx.py`` owns what that is.
"""

from pulumi import Output, ResourceOptions

from components import gateway, nginx, target
from components.args import EdgeArgs
from components.docker.container import Container, Health, Mount, Port, create
from components.edge_rules import MEDIA_DIR, PASSWORDS_DIR, STATIC_DIR
from components.nginx import CONFIG_DIR, HTTP_PORT


def _names(args: EdgeArgs) -> dict[str, list[str]]:
    """Give the network of the gateway, if there is one, and how the edge is found on it."""
    if args.gateway is None:
        return {}
    hosts = [host for host in [args.domain, *args.hosts] if not host.startswith("*.")]
    return {gateway.network(args.gateway): [gateway.alias(host) for host in dict.fromkeys(hosts)]}


class Edge(target.Edge):
    """nginx."""

    def __init__(self, name: str, args: EdgeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Edge", name, {}, opts)
        host = args.owner.named("edge")
        create(
            f"{name}-server",
            Container(
                name=host,
                image=args.image,
                labels=args.owner.labels("edge"),
                user="101:101",
                resources=args.resources,
                networks=[args.network],
                aliases=_names(args),
                command=nginx.edge_command(),
                mounts=[
                    *([Mount(volume=args.configuration, target=CONFIG_DIR)] if args.configuration is not None else []),
                    *([Mount(volume=args.static, target=STATIC_DIR)] if args.static is not None else []),
                    Mount(volume=args.media, target=MEDIA_DIR),
                    *([Mount(volume=args.secrets, target=PASSWORDS_DIR)] if args.secrets is not None else []),
                ],
                # Uploads and slow answers wait here, in memory.
                memory_mounts={"/tmp": args.resources.memory_mb // 2},  # noqa: S108 - a path in a container
                health=Health(command=nginx.edge_health_command(), startup_seconds=30),
                port=None if args.gateway else Port(address=args.address, external=args.port, internal=HTTP_PORT),
                stop_signal="SIGTERM",
                stop_grace_seconds=args.stop_grace_seconds,
            ),
            ResourceOptions(parent=self),
        )
        # Not the container's output: see Postgres.
        self.host = Output.from_input(host)
        self.port = Output.from_input(HTTP_PORT if args.gateway else args.port)
        shown = "127.0.0.1" if args.address == "0.0.0.0" else args.address  # noqa: S104 - compared, not bound
        self.url = Output.from_input(f"http://{args.domain}/" if args.gateway else f"http://{shown}:{args.port}/")
        self.register_outputs({"host": self.host, "port": self.port, "url": self.url})
