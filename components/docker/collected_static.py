"""The static files of a release, collected by the project where it writes some itself while it runs.

Files of earlier releases stay: pages that were served before the switch still ask for them.
"""

from pulumi import ResourceOptions

from components import target
from components.app import USER
from components.args import CollectedStaticArgs
from components.docker.container import SECRETS_DIR, Container, Mount
from components.docker.task import Task, run
from components.labels import RELEASE


class CollectedStatic(target.Step):
    """The static files of a release are where the project and the edge find them."""

    def __init__(self, name: str, args: CollectedStaticArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:CollectedStatic", name, {}, opts)
        container = Container(
            image=args.image,
            labels={**args.owner.labels("static"), RELEASE: args.release},
            user=USER,
            resources=args.resources,
            networks=args.networks,
            command=args.command,
            environment=args.environment,
            mounts=[
                Mount(volume=args.files.storage, target=args.files.path, writable=args.files.writable),
                Mount(volume=args.secrets, target=SECRETS_DIR),
            ],
            stop_grace_seconds=5,
        )
        task = Task(
            what="Collecting the static files",
            hint="Nothing of the release serves; what served before goes on serving. STATIC_ROOT of the project must be "
            f"slipway:static.root ({args.files.path}). Mend the cause and run `pulumi up` again: it tries once more.",
            container=container,
            attempt=args.attempt,
            hidden=args.hidden,
        )
        self.ready = run(args.owner.named("static"), task, self)
        self.register_outputs({"ready": self.ready})
