"""Processes of the app beside those that serve it, such as workers of a queue. They may be sent requests.

Without a port, and where settings name no command that tells, they have no probes: one that ends is started again, and one that ends at
once stops the release. What there must never be two of is a StatefulSet, which lets one pod end before it makes the
next; what runs by the clock is a CronJob.
"""

from pulumi import ResourceOptions

from components import steps, target
from components.args import ProcessArgs
from components.kubernetes import app, cron_job, probes, workload
from components.kubernetes.pod import Claim, Pod, claims
from components.kubernetes.probes import Probes
from components.kubernetes.workload import Workload
from components.labels import RELEASE, process_role

SETTLE_SECONDS = 5
"""How long one must have run to count as started."""

PRE_STOP_SECONDS = 5
"""How long one that listens and has to go still takes requests."""


class Process(target.Process):
    """The pods of one kind of process."""

    def __init__(self, name: str, args: ProcessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Process", name, {}, opts)
        options = ResourceOptions(parent=self, depends_on=[*args.after])
        namespace = args.networks[0]
        if args.schedule is not None:
            cron_job.create(name, self._pod(args), args.schedule, namespace, options)
        else:
            process = Workload(
                pod=self._pod(args),
                replicas=args.replicas,
                startup_seconds=args.startup_seconds,
                settle_seconds=SETTLE_SECONDS,
            )
            create = workload.create_single if args.singleton else workload.create
            create(name, process, namespace, options)
            workload.disruptions(name, process, namespace, self)
        # Pods have no names that last.
        self.members = []
        self.register_outputs({"members": self.members})

    @staticmethod
    def _pod(args: ProcessArgs) -> Pod:
        by_the_clock = args.schedule is not None
        return Pod(
            owner=args.owner,
            component=process_role(args.process),
            image=args.image,
            user=app.USER,
            resources=args.resources,
            labels={RELEASE: args.release},
            # Each run is a new pod, which the network knows a moment later.
            arguments=steps.when_reachable(args.command) if by_the_clock else args.command,
            environment=args.environment,
            secrets=args.secrets,
            claims=[Claim(role="media", name=args.storage, path=args.media_root, writable=True), *claims(args.files)],
            port=args.port,
            probes=_probes(args),
            stop_grace_seconds=args.stop_grace_seconds,
            # Until every node knows that it gets no requests any more.
            pre_stop_seconds=PRE_STOP_SECONDS if args.port is not None else 0,
            together=args.together,
            spread=not (by_the_clock or args.singleton),
            once=by_the_clock,
        )


def _probes(args: ProcessArgs) -> Probes | None:
    if args.health_command:
        return probes.process(args.health_command, args.startup_seconds)
    return probes.listens(args.port, args.startup_seconds) if args.port is not None else None
