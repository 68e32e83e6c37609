"""A volume with a fixed name, which no release ever replaces.

It owns the protection of data. Who may write to it is decided where it is mounted.
"""

import pulumi_docker as docker
from pulumi import ResourceOptions

from components import target
from components.args import StorageArgs


class Storage(target.Source):
    """One named volume."""

    def __init__(self, name: str, args: StorageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Storage", name, {}, opts)
        volume = docker.Volume(
            f"{name}-volume",
            name=args.owner.named(args.role),
            labels=[
                docker.VolumeLabelArgs(label=label, value=value)
                for label, value in sorted(args.owner.labels(args.role).items())
            ],
            opts=ResourceOptions(
                parent=self,
                protect=args.protect,
                retain_on_delete=args.protect,
                # Changing any of them replaces the volume: the data would be gone.
                ignore_changes=["labels", "driver", "driverOpts"],
            ),
        )
        self.source = volume.name
        self.register_outputs({"source": self.source})
