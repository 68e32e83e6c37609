"""A server beside the app that settings name: one pod with a fixed name, its data in claims."""

from pulumi import Output, ResourceOptions

from components import services, target
from components.args import ServiceArgs
from components.kubernetes import probes, server
from components.kubernetes.pod import Claim, Pod
from components.kubernetes.probes import Probes
from components.labels import Owner

WRITABLE_MB = 64
"""Size of each folder in memory."""


def host(_owner: Owner, name: str) -> str:
    """Name the host of a service."""
    return services.role(name)


class Service(target.Server):
    """A StatefulSet of one."""

    def __init__(self, name: str, args: ServiceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Service", name, {}, opts)
        spec = Pod(
            owner=args.owner,
            component=services.role(args.service),
            image=args.image,
            user=args.user,
            resources=args.resources,
            program=args.program,
            arguments=args.command,
            environment=args.environment,
            port=args.ports[0],
            secrets=args.secrets,
            folders=args.folders,
            claims=[
                Claim(role=f"volume-{each}", name=volume.storage, path=volume.path, writable=True)
                for each, volume in args.volumes.items()
            ],
            memory_mounts=dict.fromkeys(["/tmp", *args.writable], WRITABLE_MB),  # noqa: S108 - a path in a container
            read_only=args.read_only,
            probes=_probes(args),
            stop_grace_seconds=args.stop_grace_seconds,
        )
        one = server.Server(
            pod=spec, port=args.ports[0], more_ports=args.ports[1:], startup_seconds=args.startup_seconds
        )
        server.create(name, one, args.network, self, args.after)
        # Not the Service's output: see Postgres.
        self.host = Output.from_input(args.host)
        self.port = Output.from_input(args.ports[0])
        self.register_outputs({"host": self.host, "port": self.port})


def _probes(args: ServiceArgs) -> Probes | None:
    if args.health_command is not None:
        return probes.program(args.health_command, args.startup_seconds)
    return probes.tcp(args.ports[0], args.startup_seconds) if args.health_tcp else None
