"""The database: one PostgreSQL container on the internal network, its data in a volume.

It does not make users beyond the first one, and no backups.
"""

from pulumi import Output, ResourceOptions

from components import target
from components.args import PostgresArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create

PORT = 5432

_DATA_DIR = "/var/lib/postgresql/data"


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
                user="999:999",
                resources=args.resources,
                networks=[args.network],
                command=args.command,
                environment={
                    "POSTGRES_DB": args.database,
                    "POSTGRES_USER": args.database,
                    "POSTGRES_PASSWORD_FILE": f"{SECRETS_DIR}/postgres_password",
                    "POSTGRES_INITDB_ARGS": "--data-checksums",
                },
                mounts=[
                    Mount(volume=args.storage, target=_DATA_DIR, writable=True),
                    Mount(volume=args.secrets, target=SECRETS_DIR),
                ],
                memory_mounts={"/tmp": 64, "/var/run/postgresql": 1},  # noqa: S108 - paths in a container
                shared_memory_mb=args.shared_memory_mb,
                # The script that sets up a new database answers on the socket alone, so the network is asked.
                health=Health(
                    command=[
                        "pg_isready",
                        "--host=127.0.0.1",
                        f"--username={args.database}",
                        f"--dbname={args.database}",
                    ],
                    startup_seconds=120,
                ),
                # SIGINT: end transactions and shut down. SIGTERM would wait for every client to go.
                stop_signal="SIGINT",
                stop_grace_seconds=120,
            ),
            ResourceOptions(parent=self),
        )
        # Not the container's output: whatever takes one from a container that is deleted first, as one with a fixed
        # name is, is deleted before it too, which would be every web container.
        self.host = Output.from_input(host)
        self.port = Output.from_input(PORT)
        self.register_outputs({"host": self.host, "port": self.port})
