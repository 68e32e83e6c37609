"""The static files of a release, copied from the app's image to where the edge serves them from.

Files of earlier releases stay: pages that were served before the switch still ask for them.
"""

from pulumi import ResourceOptions

from components import steps, target
from components.args import StaticFilesArgs
from components.kubernetes import app, job
from components.kubernetes.pod import Claim, Pod
from components.labels import RELEASE


class StaticFiles(target.Step):
    """The static files of a release are where the edge serves them from."""

    def __init__(self, name: str, args: StaticFilesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:StaticFiles", name, {}, opts)
        spec = Pod(
            owner=args.owner,
            component="static",
            image=args.image,
            user=app.USER,
            resources=args.resources,
            labels={RELEASE: args.release},
            arguments=steps.publish_static(),
            claims=[Claim(role="static", name=args.storage, path=steps.PUBLISHED, writable=True)],
            together=args.together,
            stop_grace_seconds=5,
            once=True,
        )
        self.ready = job.run(name, spec, args.network, steps.STATIC_SECONDS, ResourceOptions(parent=self))
        self.register_outputs({"ready": self.ready})
