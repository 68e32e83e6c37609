"""Secrets as files in a volume of their own.

The plugin cannot put a file into a container with a read-only root, not even where a volume is mounted: it copies to
``/``, which the daemon refuses. So a container that never starts takes the files, into a volume that the readers mount.
Another secret makes another volume, and thereby replaces what reads it; the old one goes when the update succeeded.
"""

import hashlib
import json

import pulumi
import pulumi_docker as docker
from pulumi import Output, ResourceOptions

from components import target
from components.args import SecretFilesArgs
from components.docker.container import SECRETS_DIR


class SecretFiles(target.Source):
    """One set of secret files."""

    def __init__(self, name: str, args: SecretFilesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:SecretFiles", name, {}, opts)
        labels = sorted(args.owner.labels(f"{args.role}-secrets").items())
        physical = args.owner.named(f"{args.role}-secrets")
        # Other contents make another one, with another id. A fingerprint as the trigger itself would be in clear in the
        # state: the SDK loses the value of a secret trigger.
        contents = pulumi.Stash(
            f"{name}-contents",
            input=_fingerprint(args),
            opts=ResourceOptions(parent=self, replace_on_changes=["input"], delete_before_replace=False),
        )
        volume = docker.Volume(
            physical,
            labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in labels],
            opts=ResourceOptions(parent=self, replacement_trigger=contents.id, delete_before_replace=False),
        )
        writer = docker.Container(
            physical,
            image=args.image,
            command=["true"],
            labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in labels],
            start=False,
            must_run=False,
            user="65534:65534",
            network_mode="none",
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            memory=16,
            memory_swap=16,
            destroy_grace_seconds=1,
            mounts=[docker.ContainerMountArgs(type="volume", source=volume.name, target=SECRETS_DIR)],
            uploads=[
                docker.ContainerUploadArgs(
                    file=f"{SECRETS_DIR}/{file}", content=Output.secret(args.files[file]), permissions="0444"
                )
                for file in sorted(args.files)
            ],
            opts=ResourceOptions(
                parent=self,
                delete_before_replace=False,
                replace_on_changes=["#initerror"],
                # Nothing of the image runs, so a newer one is no reason to touch what reads the files.
                ignore_changes=["image"],
            ),
        )
        self.source = Output.all(volume.name, writer.id).apply(lambda both: str(both[0]))
        self.register_outputs({"source": self.source})


def _fingerprint(args: SecretFilesArgs) -> Output[str]:
    """Tell one set of contents from another without keeping the contents once more."""
    names = sorted(args.files)
    contents = Output.all(*(args.files[name] for name in names))
    return Output.secret(contents.apply(lambda texts: hashlib.sha256(json.dumps([names, texts]).encode()).hexdigest()))
