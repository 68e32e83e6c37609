"""Containers of the app beside those that serve it: workers of a queue, schedulers, whatever settings name.

A release gets new ones beside the old, which finish what they do when it is served. One that does not stay up fails the
update.
"""

from pulumi import ResourceOptions

from components import target
from components.app import USER
from components.args import ProcessArgs
from components.docker.container import SECRETS_DIR, Container, Mount, create
from components.flows import process_role
from components.labels import RELEASE


class Process(target.Process):
    """Running containers of one release."""

    def __init__(self, name: str, args: ProcessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Process", name, {}, opts)
        role = process_role(args.process)
        for number in range(1, args.replicas + 1):
            create(args.owner.named(f"{role}-{number}"), self._container(args, role), ResourceOptions(parent=self))
        self.register_outputs({})

    @staticmethod
    def _container(args: ProcessArgs, role: str) -> Container:
        return Container(
            image=args.image,
            labels={**args.owner.labels(role), RELEASE: args.release},
            user=USER,
            resources=args.resources,
            networks=args.networks,
            command=args.command,
            environment=args.environment,
            mounts=[
                Mount(volume=args.storage, target=args.media_root, writable=True),
                Mount(volume=args.secrets, target=SECRETS_DIR),
            ],
            stop_grace_seconds=args.stop_grace_seconds,
        )
