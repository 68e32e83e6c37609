"""An image that somebody else built, on the Docker host.

Containers take its identity, so that a tag that moved changes nothing until somebody asks for it. One that is named by its
identity is on the host already: there is nothing to pull, and no registry that would know it.
"""

import pulumi_docker as docker
from pulumi import Output, ResourceOptions

from components import target
from components.args import PulledImageArgs


class PulledImage(target.Image):
    """One image from a registry."""

    def __init__(self, name: str, args: PulledImageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:PulledImage", name, {}, opts)
        if args.reference.startswith("sha256:"):
            self.id = Output.from_input(args.reference)
        else:
            self.id = docker.RemoteImage(
                f"{name}-image", name=args.reference, keep_locally=True, opts=ResourceOptions(parent=self)
            ).image_id
        self.register_outputs({"id": self.id})
