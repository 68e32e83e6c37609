"""An image that somebody else built. The nodes pull it when they need it."""

from pulumi import Output, ResourceOptions

from components import target
from components.args import PulledImageArgs


class PulledImage(target.Image):
    """One image from a registry."""

    def __init__(self, name: str, args: PulledImageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:PulledImage", name, {}, opts)
        self.id = Output.from_input(args.reference)
        self.register_outputs({"id": self.id})
