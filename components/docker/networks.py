"""The networks of a stack.

The edge network joins nginx and the web containers. The internal one joins them to the datastores, and has no way out:
what is on it alone reaches nothing else and cannot be reached.
"""

import pulumi_docker as docker
from pulumi import ResourceOptions

from components import target
from components.args import NetworksArgs


class Networks(target.Networks):
    """The edge network and the internal one."""

    def __init__(self, name: str, args: NetworksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Networks", name, {}, opts)
        self.edge = self._network(f"{name}-edge", args, "edge", internal=False).name
        self.internal = self._network(f"{name}-internal", args, "internal", internal=True).name
        self.register_outputs({"edge": self.edge, "internal": self.internal})

    def _network(self, name: str, args: NetworksArgs, role: str, *, internal: bool) -> docker.Network:
        return docker.Network(
            name,
            name=args.owner.named(role),
            driver="bridge",
            internal=internal,
            labels=[
                docker.NetworkLabelArgs(label=label, value=value)
                for label, value in sorted(args.owner.labels(role).items())
            ],
            opts=ResourceOptions(parent=self),
        )
