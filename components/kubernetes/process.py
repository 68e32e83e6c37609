"""Processes of the app beside those that serve it, such as workers of a queue. Nobody asks them anything.

Where settings name no command that tells, they have no probes: one that ends is started again, and one that ends at
once stops the release. What there must never be two of is a StatefulSet, which lets one pod end before it makes the
next; what runs by the clock is a CronJob.
"""

from pulumi import ResourceOptions

from components import steps, target
from components.args import ProcessArgs
from components.flows import process_role
from components.kubernetes import app, cron_job, probes, workload
from components.kubernetes.pod import Claim, Pod
from components.kubernetes.workload import Workload
from components.labels import RELEASE

SETTLE_SECONDS = 5
"""How long one must have run to count as started."""


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
        self.register_outputs({})

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
            claims=[Claim(role="media", name=args.storage, path=args.media_root, writable=True)],
            probes=probes.process(args.health_command, args.startup_seconds) if args.health_command else None,
            stop_grace_seconds=args.stop_grace_seconds,
            together=args.together,
            spread=not (by_the_clock or args.singleton),
            once=by_the_clock,
        )
