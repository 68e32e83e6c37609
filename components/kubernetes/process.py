"""Processes of the app beside those that serve it, such as workers of a queue. They may be sent requests.

Without a port they have no probes: one that ends is started again, and one that ends at once stops the release.
"""

from pulumi import ResourceOptions

from components import target
from components.args import ProcessArgs
from components.kubernetes import app, probes, workload
from components.kubernetes.pod import Claim, Pod, claims
from components.kubernetes.workload import Workload
from components.labels import RELEASE, process_role

SETTLE_SECONDS = 5
"""How long one must have run to count as started."""

STARTUP_SECONDS = 30

PRE_STOP_SECONDS = 5
"""How long one that listens and has to go still takes requests."""


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
            port=args.port,
            probes=probes.listens(args.port, STARTUP_SECONDS) if args.port is not None else None,
            stop_grace_seconds=args.stop_grace_seconds,
            # Until every node knows that it gets no requests any more.
            pre_stop_seconds=PRE_STOP_SECONDS if args.port is not None else 0,
            together=args.together,
            spread=True,
        )
        process = Workload(
            pod=spec, replicas=args.replicas, startup_seconds=STARTUP_SECONDS, settle_seconds=SETTLE_SECONDS
        )
        workload.create(name, process, args.networks[0], ResourceOptions(parent=self))
        workload.disruptions(name, process, args.networks[0], self)
        # Pods have no names that last.
        self.members = []
        self.register_outputs({"members": self.members})
