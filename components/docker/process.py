"""Containers of the app beside those that serve it: workers of a queue, schedulers, whatever settings name.

A release gets new ones beside the old, which finish what they do once it is served. One that does not stay up fails the
update: Docker starts it again and again, so that it always seems to run; what is asked is how long it has, or whether it
takes connections, where it should.
"""

from pulumi import ResourceOptions

from components import health, target
from components.app import USER
from components.args import ProcessArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create
from components.labels import RELEASE, process_role

STEADY_SECONDS = 10
"""How long one must have run to count as running."""

STARTUP_SECONDS = 30
"""How long it has for that, with the attempts that failed."""

# The first process of the container began when the container was started last. All of it is in ticks of 10 ms.
STEADY = (
    "read -r up _ </proc/uptime; read -r all </proc/1/stat; set -- ${all##*)}; shift 19; "
    f"[ $(( ${{up%.*}} - $1 / 100 )) -ge {STEADY_SECONDS} ]"
)


class Process(target.Process):
    """Running containers of one release."""

    def __init__(self, name: str, args: ProcessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Process", name, {}, opts)
        role = process_role(args.process)
        containers = [
            create(args.owner.named(f"{role}-{number}"), self._container(args, role), ResourceOptions(parent=self))
            for number in range(1, args.replicas + 1)
        ]
        port = args.port
        self.members = [each.name.apply(lambda host: f"{host}:{port}") for each in containers if port is not None]
        self.register_outputs({"members": self.members})

    @staticmethod
    def _container(args: ProcessArgs, role: str) -> Container:
        return Container(
            image=args.image,
            labels={**args.owner.labels(role), RELEASE: args.release},
            user=USER,
            resources=args.resources,
            networks=args.networks,
            command=args.command,
            environment=args.environment,
            mounts=[
                Mount(volume=args.storage, target=args.media_root, writable=True),
                Mount(volume=args.secrets, target=SECRETS_DIR),
                *(Mount(volume=each.storage, target=each.path, writable=each.writable) for each in args.files),
            ],
            health=Health(
                command=["sh", "-c", STEADY] if args.port is None else health.listens(args.port),
                startup_seconds=STARTUP_SECONDS,
                interval_seconds=5,
            ),
            stop_grace_seconds=args.stop_grace_seconds,
        )
