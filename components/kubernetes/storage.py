"""A claim with a fixed name, which no release and no setting ever replaces.

It owns the protection of data. A claim that outlived its stack is found again by its name.
"""

from pulumi import ResourceOptions
from pulumi_kubernetes import core

from components import target
from components.args import StorageArgs
from components.kubernetes import metadata, quantities


class Storage(target.Source):
    """One PersistentVolumeClaim."""

    def __init__(self, name: str, args: StorageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Storage", name, {}, opts)
        claim = core.v1.PersistentVolumeClaim(
            f"{name}-claim",
            metadata=metadata.of(args.owner, args.role, args.network, name=args.role, annotations=metadata.SKIP_AWAIT),
            spec=core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=[args.access],
                storage_class_name=args.storage_class,
                resources=core.v1.VolumeResourceRequirementsArgs(
                    requests={"storage": quantities.gigabytes(args.size_gb)}
                ),
            ),
            opts=ResourceOptions(
                parent=self,
                protect=args.protect,
                retain_on_delete=args.protect,
                # The API changes none of them on a claim that is there, and another claim would be empty: what is
                # there stays as it is. Data moves to another class by dump and restore (docs).
                ignore_changes=["spec.accessModes", "spec.storageClassName"],
            ),
        )
        self.source = claim.metadata.apply(lambda it: str(it.name))
        self.register_outputs({"source": self.source})
