"""The cache: one Redis container on the internal network, its append-only file in a volume."""

from pulumi import Output, ResourceOptions

from components import target
from components.args import RedisArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create

PORT = 6379

# PING needs no password to be answered: a refusal is an answer, and the only one that a check without secrets gets.
_ALIVE = "redis-cli -h 127.0.0.1 ping 2>&1 | grep -Eq 'PONG|NOAUTH'"


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
                user="999:999",
                resources=args.resources,
                networks=[args.network],
                command=args.command,
                mounts=[
                    Mount(volume=args.storage, target="/data", writable=True),
                    Mount(volume=args.secrets, target=SECRETS_DIR),
                ],
                health=Health(command=["sh", "-c", _ALIVE], startup_seconds=60),
                stop_grace_seconds=30,
            ),
            ResourceOptions(parent=self),
        )
        # Not the container's output: see Postgres.
        self.host = Output.from_input(host)
        self.port = Output.from_input(PORT)
        self.register_outputs({"host": self.host, "port": self.port})
