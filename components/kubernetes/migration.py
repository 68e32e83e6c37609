"""The migration: ``manage.py migrate`` once, with the new image, before anything of the release serves."""

from pulumi import ResourceOptions

from components import steps, target
from components.args import MigrationArgs
from components.kubernetes import app, job
from components.kubernetes.pod import Pod
from components.labels import RELEASE


class Migration(target.Step):
    """The database is at a release."""

    def __init__(self, name: str, args: MigrationArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Migration", name, {}, opts)
        spec = Pod(
            owner=args.owner,
            component="migration",
            image=args.image,
            user=app.USER,
            resources=args.resources,
            labels={RELEASE: args.release},
            arguments=steps.when_reachable(args.command),
            environment=args.environment,
            secrets=args.secrets,
            stop_grace_seconds=30,
            once=True,
        )
        self.ready = job.run(
            name,
            spec,
            args.networks[0],
            args.limit_seconds,
            ResourceOptions(parent=self, depends_on=[*args.after]),
        )
        self.register_outputs({"ready": self.ready})
