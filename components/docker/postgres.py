"""The database: one PostgreSQL container on the internal network, its data in a volume.

It does not make users beyond the first one, and no backups.
"""

from pulumi import Output, ResourceOptions

from components import datastores, target
from components.args import PostgresArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create
from components.flows import POSTGRES_PORT

_USER = f"{datastores.USER}:{datastores.USER}"


class Postgres(target.Server):
    """PostgreSQL."""

    def __init__(self, name: str, args: PostgresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Postgres", name, {}, opts)
        host = args.owner.named("postgres")
        create(
            f"{name}-server",
            Container(
                name=host,
                image=args.image,
                labels=args.owner.labels("postgres"),
                user=_USER,
                resources=args.resources,
                networks=[args.network],
                command=args.command,
                environment=datastores.postgres_environment(args.database, SECRETS_DIR),
                mounts=[
                    Mount(volume=args.storage, target=datastores.POSTGRES_DATA, writable=True),
                    Mount(volume=args.secrets, target=SECRETS_DIR),
                ],
                memory_mounts={"/tmp": 64, datastores.POSTGRES_SOCKET: 1},  # noqa: S108 - paths in a container
                shared_memory_mb=args.shared_memory_mb,
                health=Health(
                    command=datastores.postgres_health(args.database),
                    startup_seconds=datastores.POSTGRES_STARTUP_SECONDS,
                ),
                # SIGINT: end transactions and shut down. SIGTERM would wait for every client to go.
                stop_signal="SIGINT",
                stop_grace_seconds=datastores.POSTGRES_GRACE_SECONDS,
            ),
            ResourceOptions(parent=self),
        )
        # Not the container's output: whatever takes one from a container that is deleted first, as one with a fixed
        # name is, is deleted before it too, which would be every web container.
        self.host = Output.from_input(host)
        self.port = Output.from_input(POSTGRES_PORT)
        self.register_outputs({"host": self.host, "port": self.port})
