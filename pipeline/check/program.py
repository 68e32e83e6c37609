"""The Pulumi program of a check: one image, built as an update builds it, in a state that is thrown away.

It runs in a process of its own, by way of ``build.py``, which tells it what to build in a file, and the credentials of
the build, which no file may hold, in a variable.
"""

import json
import os
from pathlib import Path

import pulumi

from components import image
from components.args import AppImageArgs

PLAN, NETRC = "SLIPWAY_CHECK_BUILD", "SLIPWAY_CHECK_NETRC"
"""Variables that tell the file and the credentials."""


class Check(pulumi.ComponentResource):
    """What a check builds."""

    def __init__(self, name: str, args: AppImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:check:Check", name, {}, opts)
        image.build(name, args, self, push=False)
        self.register_outputs({})


def main() -> None:
    """Register the image."""
    said = json.loads(Path(os.environ[PLAN]).read_text(encoding="utf-8"))
    netrc = os.environ.get(NETRC)
    bundle = said["ca_bundle"]
    Check(
        "app",
        AppImageArgs(
            repository=said["repository"],
            release=said["release"],
            context=said["context"],
            dockerfile=said["dockerfile"],
            labels=said["labels"],
            ca_bundle=Path(bundle).read_text(encoding="utf-8") if bundle else None,
            netrc=pulumi.Output.secret(netrc) if netrc else None,
            known_hosts=said["known_hosts"],
            ssh_agent=said["ssh_agent"],
        ),
    )
