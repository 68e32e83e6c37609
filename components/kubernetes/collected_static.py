"""The static files of a release, collected by the project where it writes some itself while it runs.

Files of earlier releases stay: pages that were served before the switch still ask for them.
"""

from pulumi import ResourceOptions

from components import steps, target
from components.args import CollectedStaticArgs
from components.kubernetes import app, job
from components.kubernetes.pod import Pod, claims
from components.labels import RELEASE


class CollectedStatic(target.Step):
    """The static files of a release are where the project and the edge find them."""

    def __init__(self, name: str, args: CollectedStaticArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:CollectedStatic", name, {}, opts)
        spec = Pod(
            owner=args.owner,
            component="static",
            image=args.image,
            user=app.USER,
            resources=args.resources,
            labels={RELEASE: args.release},
            arguments=steps.when_reachable(args.command),
            environment=args.environment,
            secrets=args.secrets,
            claims=claims([args.files]),
            together=args.together,
            stop_grace_seconds=5,
            once=True,
        )
        limit = steps.STATIC_SECONDS + steps.REACHABLE_SECONDS
        self.ready = job.run(name, spec, args.networks[0], limit, ResourceOptions(parent=self))
        self.register_outputs({"ready": self.ready})
