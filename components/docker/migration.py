"""The migration: ``manage.py migrate`` once, with the new image, before anything of the release serves."""

from pulumi import ResourceOptions

from components import target
from components.app import USER
from components.args import MigrationArgs
from components.docker.container import SECRETS_DIR, Container, Mount
from components.docker.task import Task, run
from components.labels import RELEASE


class Migration(target.Step):
    """The database is at a release."""

    def __init__(self, name: str, args: MigrationArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:Migration", name, {}, opts)
        container = Container(
            image=args.image,
            labels={**args.owner.labels("migration"), RELEASE: args.release},
            user=USER,
            resources=args.resources,
            networks=args.networks,
            command=args.command,
            environment=args.environment,
            mounts=[Mount(volume=args.secrets, target=SECRETS_DIR)],
            stop_grace_seconds=30,
        )
        task = Task(
            what="The migration",
            hint="Nothing of the release has started; what served before goes on serving. "
            "Mend the cause and run `pulumi up` again: it tries once more.",
            container=container,
            attempt=args.attempt,
            # An output of theirs would say nothing that is needed here, and couple what is deleted first (see Postgres).
            after=args.after,
            hidden=args.hidden,
            limit_seconds=args.limit_seconds,
        )
        self.ready = run(args.owner.named("migration"), task, self)
        self.register_outputs({"ready": self.ready})
