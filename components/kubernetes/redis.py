"""The cache: one Redis pod, its append-only file in a claim."""

from pulumi import Output, ResourceOptions

from components import datastores, target
from components.args import RedisArgs
from components.flows import REDIS_PORT
from components.kubernetes import probes, roles, server
from components.kubernetes.pod import Claim, Pod


class Redis(target.Server):
    """Redis."""

    def __init__(self, name: str, args: RedisArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Redis", name, {}, opts)
        startup = datastores.REDIS_STARTUP_SECONDS
        spec = Pod(
            owner=args.owner,
            component=roles.REDIS,
            image=args.image,
            user=datastores.USER,
            resources=args.resources,
            arguments=args.command,
            port=REDIS_PORT,
            secrets=args.secrets,
            claims=[Claim(role=roles.REDIS, name=args.storage, path=datastores.REDIS_DATA, writable=True)],
            probes=probes.program(datastores.REDIS_HEALTH, startup),
            stop_grace_seconds=datastores.REDIS_GRACE_SECONDS,
        )
        server.create(name, server.Server(pod=spec, port=REDIS_PORT, startup_seconds=startup), args.network, self)
        # Not the Service's output: see Postgres.
        self.host = Output.from_input(roles.REDIS)
        self.port = Output.from_input(REDIS_PORT)
        self.register_outputs({"host": self.host, "port": self.port})
