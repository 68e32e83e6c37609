"""The edge: nginx as a Deployment, and everything between it and the visitors. No release ever replaces it.

It asks the Service ``web``, which is made here since nginx looks the name up once, at its start. Which pods are behind
it is the cluster's affair: an old one is out of it before it stops.
"""

import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions
from pulumi_kubernetes import core, networking

from components import app as shared
from components import edge_rules, nginx, target
from components.args import EdgeArgs
from components.kubernetes import app, certificate, exposure, metadata, probes, roles, workload
from components.kubernetes.pod import Claim, Pod
from components.kubernetes.workload import Workload
from components.model import Expose

USER = 101
"""The numeric user of nginx in the official images."""

PRE_STOP_SECONDS = 5
"""How long a pod that has to go still takes requests: until every node knows that it gets none any more."""

STARTUP_SECONDS = 30

_UPSTREAM = f"{roles.WEB}:{shared.PORT}"


class Edge(target.Edge):
    """nginx."""

    def __init__(self, name: str, args: EdgeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Edge", name, {}, opts)
        services = self._services(name, args)
        configuration = core.v1.ConfigMap(
            f"{name}-configuration",
            metadata=metadata.of(args.owner, roles.EDGE, args.network),
            immutable=True,
            data=dict(
                nginx.standalone(args.site, _UPSTREAM, {role: f"{role}:{p}" for role, p in args.upstreams.items()})
            ),
            opts=ResourceOptions(parent=self),
        )
        edge = Workload(
            pod=self._pod(args, configuration.metadata.apply(lambda it: str(it.name))),
            replicas=args.replicas,
            startup_seconds=STARTUP_SECONDS,
        )
        # nginx does not start as long as the name of the web processes means nothing.
        workload.create(name, edge, args.network, ResourceOptions(parent=self, depends_on=services))
        workload.disruptions(name, edge, args.network, self)
        self._expose(name, args)
        self.host = Output.from_input(roles.EDGE)
        self.port = Output.from_input(exposure.PORT)
        self.url = Output.concat("http://", roles.EDGE, ".", args.network, ".svc/")
        self.register_outputs({"host": self.host, "port": self.port, "url": self.url})

    def _services(self, name: str, args: EdgeArgs) -> list[core.v1.Service]:
        """Make the Services of what gets requests: one address for all of it, and for web the addresses of each."""
        named = [(roles.WEB, roles.WEB, None, shared.PORT), (roles.WEB, roles.WEB_PODS, "None", shared.PORT)]
        named += [(role, role, None, port) for role, port in args.upstreams.items()]
        return [
            core.v1.Service(
                f"{name}-{service}",
                metadata=metadata.of(args.owner, role, args.network, name=service, annotations=metadata.SKIP_AWAIT),
                spec=core.v1.ServiceSpecArgs(
                    cluster_ip=address,
                    selector=args.owner.labels(role),
                    ports=[core.v1.ServicePortArgs(port=port, target_port=port, protocol="TCP")],
                ),
                opts=ResourceOptions(parent=self),
            )
            for role, service, address, port in named
        ]

    def _expose(self, name: str, args: EdgeArgs) -> None:
        core.v1.Service(
            f"{name}-service",
            metadata=metadata.of(
                args.owner, roles.EDGE, args.network, name=roles.EDGE, annotations=metadata.SKIP_AWAIT
            ),
            spec=exposure.service(args.exposure, args.owner.labels(roles.EDGE)),
            opts=ResourceOptions(parent=self),
        )
        tls = args.exposure.tls
        secret = certificate.create(f"{name}-certificate", args, tls, self) if tls else None
        if args.exposure.kind is Expose.INGRESS:
            networking.v1.Ingress(
                f"{name}-ingress",
                metadata=metadata.of(
                    args.owner,
                    roles.EDGE,
                    args.network,
                    name=roles.EDGE,
                    annotations=exposure.annotations(args.exposure),
                ),
                spec=exposure.ingress(args.exposure, [args.domain, *args.hosts], secret),
                opts=ResourceOptions(parent=self),
            )
        if args.exposure.kind is Expose.GATEWAY:
            kubernetes.apiextensions.CustomResource(
                f"{name}-route",
                api_version=exposure.ROUTE_VERSION,
                kind=exposure.ROUTE_KIND,
                metadata=metadata.of(
                    args.owner, roles.EDGE, args.network, name=roles.EDGE, annotations=metadata.SKIP_AWAIT
                ),
                spec=exposure.route(args.exposure, [args.domain, *args.hosts]),
                opts=ResourceOptions(parent=self),
            )

    @staticmethod
    def _pod(args: EdgeArgs, configuration: Output[str]) -> Pod:
        return Pod(
            owner=args.owner,
            component=roles.EDGE,
            image=args.image,
            user=USER,
            # The group of what the app wrote: the claims belong to one group, whoever mounts them.
            files_group=app.USER,
            resources=args.resources,
            program=nginx.standalone_command(),
            port=nginx.HTTP_PORT,
            configuration=(configuration, nginx.CONFIG_DIR),
            secrets=args.secrets,
            claims=[
                *(
                    [Claim(role="static", name=args.static, path=edge_rules.STATIC_DIR)]
                    if args.static is not None
                    else []
                ),
                Claim(role="media", name=args.media, path=edge_rules.MEDIA_DIR),
            ],
            # Uploads and slow answers wait here, in memory.
            memory_mounts={nginx.RUN_DIR: args.resources.memory_mb // 2},
            probes=probes.status("/id", nginx.STATUS_PORT, STARTUP_SECONDS),
            stop_grace_seconds=args.stop_grace_seconds,
            pre_stop_seconds=PRE_STOP_SECONDS,
            together=args.together,
            spread=True,
        )
