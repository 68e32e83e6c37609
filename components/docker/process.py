"""Containers of the app beside those that serve it: workers of a queue, schedulers, whatever settings name.

A release gets new ones beside the old, which finish what they do once it is served. One that does not stay up fails the
update: Docker starts it again and again, so that it always seems to run; what is asked is how long it has.
What there must never be two of has a fixed name, so that the old one is gone before the new one is made. So has what
runs by the clock, which Docker does not have: one container waits for the time and runs the command then.
"""

from pulumi import ResourceOptions

from components import schedule, target
from components.app import USER
from components.args import ProcessArgs
from components.docker.container import SECRETS_DIR, Container, Health, Mount, create
from components.flows import process_role
from components.labels import RELEASE

STEADY_SECONDS = 10
"""How long one must have run to count as running."""

CHECK_SECONDS, CHECK_TIMEOUT_SECONDS = 10, 20
"""How often a check of the project's own is asked, and how long it may take."""

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
        options = ResourceOptions(parent=self, depends_on=[*args.after])
        if args.singleton or args.schedule is not None:
            host = args.owner.named(role)
            create(host, self._container(args, role, host), options)
        else:
            for number in range(1, args.replicas + 1):
                create(args.owner.named(f"{role}-{number}"), self._container(args, role), options)
        self.register_outputs({})

    @staticmethod
    def _container(args: ProcessArgs, role: str, name: str | None = None) -> Container:
        command = args.command if args.schedule is None else schedule.waiting(args.schedule, args.command)
        return Container(
            name=name,
            image=args.image,
            labels={**args.owner.labels(role), RELEASE: args.release},
            user=USER,
            resources=args.resources,
            networks=args.networks,
            command=command,
            environment=args.environment,
            mounts=[
                Mount(volume=args.storage, target=args.media_root, writable=True),
                Mount(volume=args.secrets, target=SECRETS_DIR),
            ],
            health=_health(args),
            stop_grace_seconds=args.stop_grace_seconds,
        )


def _health(args: ProcessArgs) -> Health:
    if args.health_command is None:
        return Health(command=["sh", "-c", STEADY], startup_seconds=args.startup_seconds, interval_seconds=5)
    # A command of the project's own may start Django each time.
    return Health(
        command=args.health_command,
        startup_seconds=args.startup_seconds,
        interval_seconds=CHECK_SECONDS,
        timeout_seconds=CHECK_TIMEOUT_SECONDS,
    )
