"""Processes of the app beside those that serve it, such as workers of a queue. Nobody asks them anything.

They have no probes: one that ends is started again, and one that ends at once stops the release.
"""

from pulumi import ResourceOptions

from components import target
from components.args import ProcessArgs
from components.flows import process_role
from components.kubernetes import app, workload
from components.kubernetes.pod import Claim, Pod, claims
from components.kubernetes.workload import Workload
from components.labels import RELEASE

SETTLE_SECONDS = 5
"""How long one must have run to count as started."""

STARTUP_SECONDS = 30


class Process(target.Process):
    """The pods of one kind of process."""

    def __init__(self, name: str, args: ProcessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Process", name, {}, opts)
        spec = Pod(
            owner=args.owner,
            component=process_role(args.process),
            image=args.image,
            user=app.USER,
            resources=args.resources,
            labels={RELEASE: args.release},
            arguments=args.command,
            environment=args.environment,
            secrets=args.secrets,
            claims=[Claim(role="media", name=args.storage, path=args.media_root, writable=True), *claims(args.files)],
            stop_grace_seconds=args.stop_grace_seconds,
            together=args.together,
            spread=True,
        )
        process = Workload(
            pod=spec, replicas=args.replicas, startup_seconds=STARTUP_SECONDS, settle_seconds=SETTLE_SECONDS
        )
        workload.create(name, process, args.networks[0], ResourceOptions(parent=self))
        workload.disruptions(name, process, args.networks[0], self)
        self.register_outputs({})
