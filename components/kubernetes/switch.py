"""The switch: proves that a release serves, and that nothing else does.

The Deployment hands the traffic over pod by pod, but the plugin may call it ready too early. So a Job asks each pod of
the release, waits until the Service has no other, and asks through the edge.
"""

from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import core

from components import app, nginx, target
from components.args import SwitchArgs
from components.kubernetes import exposure, job, metadata, roles
from components.kubernetes.edge import USER
from components.kubernetes.pod import Pod
from components.labels import RELEASE, REVISION


class Switch(target.Step):
    """Every request gets to a release."""

    def __init__(self, name: str, args: SwitchArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Switch", name, {}, opts)
        labels: dict[str, Input[str]] = {**args.owner.labels(roles.WEB), REVISION: args.revision}
        addresses = core.v1.Service(
            f"{name}-release",
            metadata=metadata.of(args.owner, "switch", args.network, annotations=metadata.SKIP_AWAIT),
            spec=core.v1.ServiceSpecArgs(
                cluster_ip="None",
                selector=labels,
                ports=[core.v1.ServicePortArgs(port=app.PORT, target_port=app.PORT, protocol="TCP")],
            ),
            opts=ResourceOptions(parent=self),
        )
        spec = Pod(
            owner=args.owner,
            component="switch",
            image=args.image,
            user=USER,
            resources=args.resources,
            # Another revision is another Job: what was proved of the one before says nothing of it.
            labels={RELEASE: args.release, REVISION: args.revision},
            program=nginx.verify_command(),
            environment=nginx.verify_environment(
                nginx.Verification(
                    replicas=args.replicas,
                    release=addresses.metadata.apply(lambda it: str(it.name)),
                    everything=roles.WEB_PODS,
                    port=app.PORT,
                    edge=Output.concat(args.edge_host, ":", str(exposure.PORT)),
                    check=args.health,
                )
            ),
            stop_grace_seconds=5,
            once=True,
        )
        limit = nginx.verify_seconds(args.replicas)
        self.ready = job.run(name, spec, args.network, limit, ResourceOptions(parent=self, depends_on=[*args.after]))
        self.register_outputs({"ready": self.ready})
