"""From settings to a served page: which target has which components, and what each gets from the ones before.

This module owns the order: datastores, migration, static files, web, switch. Whatever fails, what comes after it does
not happen, and what served before goes on serving. It computes nothing itself, and asks for no target by name.
"""

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output

from components import args, docker, environment, gunicorn, health, image, nginx, release, target, tuning
from components.docker import attempts
from components.labels import Owner
from components.secrets import Secrets
from components.settings import ROOT, Settings, Target

TARGETS: Mapping[Target, target.Target] = {
    Target.DOCKER: target.Target(
        networks=docker.Networks,
        storage=docker.Storage,
        secret_files=docker.SecretFiles,
        app_image=image.AppImage,
        pulled_image=docker.PulledImage,
        postgres=docker.Postgres,
        redis=docker.Redis,
        migration=docker.Migration,
        static_files=docker.StaticFiles,
        web=docker.Web,
        edge=docker.Edge,
        switch=docker.Switch,
        attempts=attempts.load,
    ),
}

DATABASE = "app"
"""Name of the database and of its user."""


class Deployment:
    """A Django project, deployed.

    What it tells is known before anything runs, so that it is in the stack's outputs even if the first update fails.
    """

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._make = TARGETS[settings.target]
        self._owner = Owner(project=settings.app.name, stack=pulumi.get_stack())
        self._attempts = self._make.attempts()
        self._release = release.plan(settings)

        self.release = self._release.identity
        """Identity of the release."""
        self.image = f"{settings.app.name}:{self.release}"
        """Name and tag of the app's image."""
        self.url = f"http://{settings.edge.address}:{settings.edge.port}/"
        """Where the edge serves on its host."""

        self._networks = self._make.networks("networks", args.NetworksArgs(owner=self._owner))
        self._media = self._storage("media", protect=settings.data.protect)
        self._static = self._storage("static")
        self._nginx = self._make.pulled_image("nginx", args.PulledImageArgs(reference=settings.edge.image))
        self._deploy()

    def _deploy(self) -> None:
        settings, owner = self._settings, self._owner
        app = self._app_image()
        postgres = self._postgres()
        redis = self._redis()
        files = self._app_secrets(postgres, redis)
        variables = environment.app(settings, self.release)
        migration = self._make.migration(
            "migration",
            args.MigrationArgs(
                owner=owner,
                image=app.id,
                release=self.release,
                resources=settings.web.resources,
                environment=variables,
                secrets=files,
                hidden=[self._secrets.django_key, self._secrets.postgres_password, self._secrets.redis_password],
                network=self._networks.internal,
                after=[postgres, redis],
                attempt=self._attempts.get("migration", 1),
            ),
        )
        static = self._make.static_files(
            "static-files",
            args.StaticFilesArgs(
                owner=owner,
                # Only then: a file without a hash in its name is also the one of the release that serves.
                image=once(app.id, migration.ready),
                release=self.release,
                resources=settings.web.resources,
                storage=self._static,
                attempt=self._attempts.get("static", 1),
            ),
        )
        web = self._make.web(
            "web",
            args.WebArgs(
                owner=owner,
                image=once(app.id, static.ready),
                release=self.release,
                replicas=settings.web.replicas,
                resources=settings.web.resources,
                # An image of the project's own brings its own command.
                command=None if settings.app.dockerfile else gunicorn.command(settings),
                environment=variables,
                secrets=files,
                networks=[self._networks.edge, self._networks.internal],
                storage=self._media,
                media_root=settings.app.media_root,
                health=health.command(settings.app.health_path, settings.domain),
                startup_seconds=settings.web.startup_seconds,
                stop_grace_seconds=settings.web.stop_grace_seconds,
            ),
        )
        self._serve(web)

    def _serve(self, web: target.Web) -> None:
        """Let the edge serve the release."""
        settings = self._settings
        configuration = self._storage("edge")
        edge = self._make.edge(
            "edge",
            args.EdgeArgs(
                owner=self._owner,
                image=self._nginx.id,
                resources=settings.edge.resources,
                command=nginx.edge_command(),
                health=nginx.edge_health_command(),
                address=settings.edge.address,
                port=settings.edge.port,
                network=self._networks.edge,
                configuration=configuration,
                static=self._static,
                media=self._media,
                stop_grace_seconds=settings.edge.timeout_seconds + 10,
            ),
        )
        self._make.switch(
            "switch",
            args.SwitchArgs(
                owner=self._owner,
                image=self._nginx.id,
                resources=settings.edge.resources,
                command=nginx.switch_command(),
                environment=Output.all(edge.host, *web.members).apply(
                    lambda names: nginx.switch_environment(nginx.site(settings), names[1:], names[0])
                ),
                network=self._networks.edge,
                configuration=configuration,
                after=[edge],
                attempt=self._attempts.get("switch", 1),
            ),
        )

    def _postgres(self) -> target.Server:
        settings = self._settings
        pulled = self._make.pulled_image("postgres-image", args.PulledImageArgs(reference=settings.postgres.image))
        return self._make.postgres(
            "postgres",
            args.PostgresArgs(
                owner=self._owner,
                image=pulled.id,
                resources=settings.postgres.resources,
                database=DATABASE,
                command=tuning.postgres_command(settings),
                shared_memory_mb=tuning.postgres_shm_mb(settings.postgres.resources),
                network=self._networks.internal,
                storage=self._storage("postgres", protect=settings.data.protect),
                secrets=self._secret_files("postgres", {"postgres_password": self._secrets.postgres_password}),
            ),
        )

    def _redis(self) -> target.Server:
        settings = self._settings
        pulled = self._make.pulled_image("redis-image", args.PulledImageArgs(reference=settings.redis.image))
        return self._make.redis(
            "redis",
            args.RedisArgs(
                owner=self._owner,
                image=pulled.id,
                resources=settings.redis.resources,
                command=tuning.redis_command(settings.redis.resources),
                network=self._networks.internal,
                storage=self._storage("redis"),
                secrets=self._secret_files(
                    "redis", {"redis.conf": self._secrets.redis_password.apply(tuning.redis_secrets)}
                ),
            ),
        )

    def _app_image(self) -> target.Image:
        bundle = self._settings.build.ca_bundle
        return self._make.app_image(
            "app",
            args.AppImageArgs(
                repository=self._settings.app.name,
                release=self.release,
                context=image.context(self._release),
                dockerfile=image.write(self._release, self._owner.stack),
                labels=self._release.labels,
                ca_bundle=(ROOT / bundle).read_text(encoding="utf-8") if bundle else None,
            ),
        )

    def _app_secrets(self, postgres: target.Server, redis: target.Server) -> Output[str]:
        database = Output.all(self._secrets.postgres_password, postgres.host, postgres.port, DATABASE)
        cache = Output.all(self._secrets.redis_password, redis.host, redis.port)
        return self._secret_files(
            "app",
            {
                environment.SECRET_KEY: self._secrets.django_key,
                environment.DATABASE_URL: database.apply(lambda it: environment.database_url(*it)),
                environment.REDIS_URL: cache.apply(lambda it: environment.redis_url(*it)),
            },
        )

    def _secret_files(self, role: str, files: Mapping[str, Input[str]]) -> Output[str]:
        return self._make.secret_files(
            f"{role}-secrets",
            args.SecretFilesArgs(owner=self._owner, role=role, image=self._nginx.id, files=files),
        ).source

    def _storage(self, role: str, *, protect: bool = False) -> Output[str]:
        return self._make.storage(
            f"{role}-storage", args.StorageArgs(owner=self._owner, role=role, protect=protect)
        ).source


def once(value: Input[str], *gates: Output[bool]) -> Output[str]:
    """Give a value that is there only once every gate has let the update pass."""
    return Output.all(value, *gates).apply(lambda values: str(values[0]))
