"""A server beside the app that settings name: one container on the internal network, its data in volumes.

Like a datastore it has a fixed name and is deleted before its successor exists. What it is called in itself is fixed
too, since some servers keep their data under that name.
"""

import pulumi
from pulumi import Input, Output, ResourceOptions

from components import services, target
from components.args import ServiceArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create
from components.docker.task import Task, run
from components.labels import Owner
from components.model import Resources

WRITABLE_MB = 64
"""Size of each folder in memory."""

_COMMAND_SECONDS = 10
"""How long a health command may take: some of them start a virtual machine of their own."""


def host(owner: Owner, name: str) -> str:
    """Name the host of a service."""
    return owner.named(services.role(name))


class Service(target.Server):
    """A running container."""

    def __init__(self, name: str, args: ServiceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Service", name, {}, opts)
        # Whoever owns a folder of the image, its user owns the volume; what is there stays as it is.
        image = _given(args, self) if args.volumes else args.image
        create(f"{name}-server", _container(args, image), ResourceOptions(parent=self, depends_on=[*args.after]))
        # Not the container's output: see Postgres.
        self.host = Output.from_input(args.host)
        self.port = Output.from_input(args.ports[0])
        self.register_outputs({"host": self.host, "port": self.port})


def _container(args: ServiceArgs, image: Input[str]) -> Container:
    return Container(
        name=args.host,
        hostname=args.service,
        image=image,
        labels=args.owner.labels(services.role(args.service)),
        user=f"{args.user}:{args.user}",
        read_only=args.read_only,
        resources=args.resources,
        networks=[args.network],
        entrypoint=args.program,
        command=args.command,
        environment=args.environment,
        mounts=[
            *(Mount(volume=each.storage, target=each.path, writable=True) for each in args.volumes.values()),
            *([Mount(volume=args.secrets, target=SECRETS_DIR)] if args.secrets is not None else []),
            *(Mount(volume=files, target=folder) for folder, files in args.folders.items()),
        ],
        memory_mounts=dict.fromkeys(["/tmp", *args.writable], WRITABLE_MB),  # noqa: S108 - a path in a container
        health=_health(args),
        stop_grace_seconds=args.stop_grace_seconds,
    )


def _health(args: ServiceArgs) -> Health | None:
    startup = args.startup_seconds
    if args.health_command is not None:
        return Health(
            command=args.health_command, startup_seconds=startup, interval_seconds=5, timeout_seconds=_COMMAND_SECONDS
        )
    return Health(command=services.listens(args.ports[0]), startup_seconds=startup) if args.health_tcp else None


def _given(args: ServiceArgs, parent: pulumi.Resource) -> Output[str]:
    """Give new volumes to the user of the service, and the image once that is done."""
    role = f"{services.role(args.service)}-volumes"
    folders = {each: f"/volumes/{each}" for each in args.volumes}
    container = Container(
        image=args.helper,
        labels=args.owner.labels(role),
        user="0:0",
        capabilities=["CHOWN", "DAC_OVERRIDE"],
        resources=Resources(memory_mb=32, cpus=0.5),
        networks=[],
        command=["sh", "-c", _GIVE, "sh", f"{args.user}:{args.user}", *folders.values()],
        mounts=[
            Mount(volume=volume.storage, target=folders[each], writable=True) for each, volume in args.volumes.items()
        ],
        stop_grace_seconds=1,
    )
    task = Task(
        what=f"Giving the volumes of service {args.service} to its user",
        hint=f"What served before goes on serving. slipway:services.{args.service}.user and .volumes say what was tried.",
        container=container,
        attempt=args.attempt,
    )
    ready = run(args.owner.named(role), task, parent)
    return Output.all(args.image, ready).apply(lambda both: str(both[0]))


# Docker fills an empty volume from the folder of the image, whose owner it would have then. A hidden folder keeps it
# from that; servers that want an empty folder do not count those.
_GIVE = """\
owner=$1
shift
for folder; do
    [ -e "$folder/.slipway" ] || mkdir "$folder/.slipway"
    chown "$owner" "$folder" "$folder/.slipway"
done"""
