"""The static files of a release, copied from the app's image to where the edge serves them from.

Files of earlier releases stay: pages that were served before the switch still ask for them.
"""

from pulumi import ResourceOptions

from components import steps, target
from components.args import StaticFilesArgs
from components.docker.container import Container, Mount
from components.docker.task import Task, run
from components.labels import RELEASE


class StaticFiles(target.Step):
    """The static files of a release are where the edge serves them from."""

    def __init__(self, name: str, args: StaticFilesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:StaticFiles", name, {}, opts)
        container = Container(
            image=args.image,
            labels={**args.owner.labels("static"), RELEASE: args.release},
            # The volume belongs to root; without capabilities, root is merely its owner.
            user="0:0",
            resources=args.resources,
            networks=[],
            command=steps.publish_static(),
            mounts=[Mount(volume=args.storage, target=steps.PUBLISHED, writable=True)],
            stop_grace_seconds=5,
        )
        task = Task(
            what="Publishing the static files",
            hint="Nothing of the release serves; what served before goes on serving. "
            "Mend the cause and run `pulumi up` again: it tries once more.",
            container=container,
            attempt=args.attempt,
        )
        self.ready = run(args.owner.named("static"), task, self)
        self.register_outputs({"ready": self.ready})
