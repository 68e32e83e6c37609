"""The database: one PostgreSQL pod, its data in a claim. It makes no users beyond the first one, and no backups."""

from pulumi import Output, ResourceOptions

from components import datastores, target
from components.args import PostgresArgs
from components.flows import POSTGRES_PORT
from components.kubernetes import probes, roles, server
from components.kubernetes.pod import SECRETS_DIR, Claim, Pod

_FOLDER = f"{datastores.POSTGRES_DATA}/pgdata"
"""Below the top of the claim, which may hold a ``lost+found`` and has modes of its own."""


class Postgres(target.Server):
    """PostgreSQL."""

    def __init__(self, name: str, args: PostgresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Postgres", name, {}, opts)
        startup = datastores.POSTGRES_STARTUP_SECONDS
        spec = Pod(
            owner=args.owner,
            component=roles.POSTGRES,
            image=args.image,
            user=datastores.USER,
            resources=args.resources,
            arguments=args.command,
            environment={**datastores.postgres_environment(args.database, SECRETS_DIR), "PGDATA": _FOLDER},
            port=POSTGRES_PORT,
            secrets=args.secrets,
            claims=[Claim(role=roles.POSTGRES, name=args.storage, path=datastores.POSTGRES_DATA, writable=True)],
            memory_mounts={"/tmp": 64, datastores.POSTGRES_SOCKET: 1, "/dev/shm": args.shared_memory_mb},  # noqa: S108 - paths in a container
            probes=probes.program(datastores.postgres_health(args.database), startup),
            # The image asks for SIGINT, which ends transactions and shuts down.
            stop_grace_seconds=datastores.POSTGRES_GRACE_SECONDS,
        )
        server.create(name, server.Server(pod=spec, port=POSTGRES_PORT, startup_seconds=startup), args.network, self)
        # Not the Service's output: it says nothing more, and a preview knows this one.
        self.host = Output.from_input(roles.POSTGRES)
        self.port = Output.from_input(POSTGRES_PORT)
        self.register_outputs({"host": self.host, "port": self.port})
