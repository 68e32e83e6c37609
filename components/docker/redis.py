"""The cache: one Redis container on the internal network, its append-only file in a volume."""

from pulumi import Output, ResourceOptions

from components import datastores, target
from components.args import RedisArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create
from components.flows import REDIS_PORT

_USER = f"{datastores.USER}:{datastores.USER}"


class Redis(target.Server):
    """Redis."""

    def __init__(self, name: str, args: RedisArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Redis", name, {}, opts)
        host = args.owner.named("redis")
        create(
            f"{name}-server",
            Container(
                name=host,
                image=args.image,
                labels=args.owner.labels("redis"),
                user=_USER,
                resources=args.resources,
                networks=[args.network],
                command=args.command,
                mounts=[
                    Mount(volume=args.storage, target=datastores.REDIS_DATA, writable=True),
                    Mount(volume=args.secrets, target=SECRETS_DIR),
                ],
                health=Health(command=datastores.REDIS_HEALTH, startup_seconds=datastores.REDIS_STARTUP_SECONDS),
                stop_grace_seconds=datastores.REDIS_GRACE_SECONDS,
            ),
            ResourceOptions(parent=self),
        )
        # Not the container's output: see Postgres.
        self.host = Output.from_input(host)
        self.port = Output.from_input(REDIS_PORT)
        self.register_outputs({"host": self.host, "port": self.port})
