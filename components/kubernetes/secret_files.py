"""Secrets as files: a Secret with an automatic name, which its readers mount.

Another value makes another Secret, and thereby rolls what reads it; the old one goes when the update succeeded.
"""

from pulumi import Output, ResourceOptions
from pulumi_kubernetes import core

from components import target
from components.args import SecretFilesArgs
from components.kubernetes import metadata


class SecretFiles(target.Source):
    """One set of secret files."""

    def __init__(self, name: str, args: SecretFilesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:SecretFiles", name, {}, opts)
        secret = core.v1.Secret(
            f"{args.role}-secrets",
            metadata=metadata.of(args.owner, f"{args.role}-secrets", args.network),
            immutable=True,
            string_data={file: Output.secret(args.files[file]) for file in sorted(args.files)},
            opts=ResourceOptions(parent=self),
        )
        self.source = Output.unsecret(secret.metadata.apply(lambda it: str(it.name)))
        self.register_outputs({"source": self.source})
