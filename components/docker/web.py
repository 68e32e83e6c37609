"""The containers that serve the app. A release gets new ones beside the old; nobody asks them before the switch."""

from pulumi import Output, ResourceOptions

from components import health, target
from components.app import USER
from components.args import WebArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create
from components.labels import RELEASE


class Web(target.Web):
    """Healthy containers of one release."""

    def __init__(self, name: str, args: WebArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Web", name, {}, opts)
        containers = [
            create(args.owner.named(f"web-{number}"), self._container(args), ResourceOptions(parent=self))
            for number in range(1, args.replicas + 1)
        ]
        self.members = [container.name.apply(lambda host: f"{host}:{args.port}") for container in containers]
        # Each has a name of its own, and another one has another.
        self.revision = Output.from_input(args.release)
        self.register_outputs({"members": self.members, "revision": self.revision})

    @staticmethod
    def _container(args: WebArgs) -> Container:
        return Container(
            image=args.image,
            labels={**args.owner.labels("web"), RELEASE: args.release},
            user=USER,
            resources=args.resources,
            networks=args.networks,
            command=args.command,
            environment=args.environment,
            mounts=[
                Mount(volume=args.storage, target=args.media_root, writable=True),
                Mount(volume=args.secrets, target=SECRETS_DIR),
            ],
            health=Health(command=health.command(args.health), startup_seconds=args.startup_seconds),
            stop_grace_seconds=args.stop_grace_seconds,
        )
