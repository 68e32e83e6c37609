"""The switch: hands the traffic to the web containers of a release, in one step, and waits until the edge says so."""

from pulumi import Output, ResourceOptions

from components import nginx, target
from components.args import SwitchArgs
from components.docker.container import Container, Mount
from components.docker.task import Task, run
from components.nginx import CONFIG_DIR


class Switch(target.Step):
    """The edge sends every new request to a release."""

    def __init__(self, name: str, args: SwitchArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Switch", name, {}, opts)
        container = Container(
            image=args.image,
            labels=args.owner.labels("switch"),
            # The volume belongs to root; without capabilities, root is merely its owner.
            user="0:0",
            resources=args.resources,
            networks=[args.network],
            command=nginx.switch_command(),
            environment=Output.all(args.edge_host, *args.members).apply(
                lambda names: nginx.switch_environment(args.site, names[1:], names[0])
            ),
            mounts=[Mount(volume=args.configuration, target=CONFIG_DIR, writable=True)]
            if args.configuration is not None
            else [],
            stop_grace_seconds=5,
        )
        task = Task(
            what="The switch",
            hint="The edge goes on serving what it served. What nginx does not understand comes from slipway:edge.locations, "
            "or else is Slipway's fault. Mend the cause and run `pulumi up` again: it tries once more.",
            container=container,
            attempt=args.attempt,
            # An output of theirs would say nothing that is needed here, and couple what is deleted first (see Postgres).
            after=args.after,
        )
        self.ready = run(args.owner.named("switch"), task, self)
        self.register_outputs({"ready": self.ready})
