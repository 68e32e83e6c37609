"""The pods that serve the app. A release gets new ones beside the old; an old one goes when a new one can serve."""

import hashlib

from pulumi import Output, ResourceOptions
from pulumi_kubernetes import autoscaling

from components import target
from components.args import WebArgs
from components.kubernetes import app, autoscaler, metadata, probes, roles, workload
from components.kubernetes.pod import Claim, Pod
from components.kubernetes.workload import Workload
from components.labels import RELEASE, REVISION

PRE_STOP_SECONDS = 5
"""How long a pod that has to go still takes requests: until every node knows that it gets none any more."""


class Web(target.Web):
    """The pods of one release, each well."""

    def __init__(self, name: str, args: WebArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Web", name, {}, opts)
        namespace, scale = args.networks[0], args.autoscale
        self.revision = _revision(args)
        web = Workload(
            pod=self._pod(args),
            replicas=scale.max if scale else args.replicas,
            startup_seconds=args.startup_seconds,
            scaled=scale is not None,
        )
        workload.create(name, web, namespace, ResourceOptions(parent=self))
        workload.disruptions(name, web, namespace, self)
        if scale:
            autoscaling.v2.HorizontalPodAutoscaler(
                f"{name}-autoscaler",
                metadata=metadata.of(args.owner, roles.WEB, namespace, name=roles.WEB),
                spec=autoscaler.spec(roles.WEB, scale, args.resources),
                opts=ResourceOptions(parent=self),
            )
        # Pods have no names that last; the switch asks the cluster for their addresses.
        self.members = []
        self.register_outputs({"members": self.members, "revision": self.revision})

    def _pod(self, args: WebArgs) -> Pod:
        return Pod(
            owner=args.owner,
            component=roles.WEB,
            image=args.image,
            user=app.USER,
            resources=args.resources,
            labels={RELEASE: args.release, REVISION: self.revision},
            arguments=args.command,
            environment=args.environment,
            port=args.port,
            secrets=args.secrets,
            claims=[Claim(role="media", name=args.storage, path=args.media_root, writable=True)],
            probes=probes.of(args.health, args.port, args.startup_seconds),
            stop_grace_seconds=args.stop_grace_seconds,
            pre_stop_seconds=PRE_STOP_SECONDS,
            together=args.together,
            spread=True,
        )


def _revision(args: WebArgs) -> Output[str]:
    """Name what the pods are made of. A change of settings or secrets rolls them as a release does."""
    said = repr(
        (
            args.release,
            args.command,
            sorted(args.environment.items()),
            args.resources,
            args.media_root,
            args.health,
            args.port,
            args.startup_seconds,
            args.stop_grace_seconds,
            args.together,
        )
    )
    made = Output.all(args.image, args.secrets, args.storage)
    return made.apply(lambda names: hashlib.sha256("\n".join([said, *map(str, names)]).encode()).hexdigest()[:12])
