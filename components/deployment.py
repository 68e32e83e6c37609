"""From settings to a served page: which target has which components, and what each gets from the ones before.

This module owns the order: datastores, services beside the app, migration, static files, web and other processes, switch. Whatever fails, what
comes after it does not happen, and what served before goes on serving. It computes nothing itself, and asks for no
target by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import pulumi
from pulumi import Input, Output, Resource, ResourceOptions

from components import (
    address,
    agent,
    args,
    edge_rules,
    environment,
    health,
    image,
    nginx,
    ownership,
    release,
    routes,
    services,
    steps,
    storage,
    target,
    tuning,
    webserver,
)
from components.app import PORT
from components.budget import budget
from components.flows import flows
from components.labels import Owner, process_role
from components.model import Access, PostgresProvider, RedisProvider, ServeStatic, Service, Settings, Target, TlsFrom
from components.secrets import Secrets
from components.settings import ROOT


def _docker() -> target.Target:
    from components.docker.row import ROW  # noqa: PLC0415 - a stack imports the plugins of its own target alone

    return ROW


def _kubernetes() -> target.Target:
    from components.kubernetes.row import ROW  # noqa: PLC0415 - half a second, for those who need it

    return ROW


TARGETS: Mapping[Target, Callable[[], target.Target]] = {Target.DOCKER: _docker, Target.KUBERNETES: _kubernetes}
"""Gives the components of a target."""

DATABASE = "app"
"""Name of the database and of its user."""


@dataclass(frozen=True, kw_only=True)
class _Store:
    """A datastore, whoever runs it."""

    url: Output[str]
    """Its address, with the password."""
    after: list[Resource]
    """What must be ready before anybody asks it."""


def _nowhere() -> _Store:
    """Give what a project has that has no such store."""
    return _Store(url=Output.from_input(""), after=[])


class Deployment:
    """A Django project, deployed.

    What it tells is known before anything runs, so that it is in the stack's outputs even if the first update fails.
    """

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._make = TARGETS[settings.target]()
        ownership.check(settings)
        self._make.check(settings)
        self._owner = Owner(project=settings.app.name, stack=pulumi.get_stack())
        self._attempts = self._make.attempts()
        self._together = settings.kubernetes.storage.shared_access is Access.ONE_NODE
        self._health = health.of(settings)

        promoted = settings.promoted
        # What was built elsewhere needs nothing of the project.
        planned = release.plan(settings) if promoted.image is None else None
        self.release = planned.identity if planned else promoted.release or ""
        """Identity of the release."""
        self.commit = planned.commit if planned else None
        """The commit that it was built from; None for a project in a folder, and for an image that was promoted."""
        self._built = self._image_args(planned) if planned else None
        self._services = environment.service_names(
            settings.services, lambda name: self._make.service_host(self._owner, name)
        )
        self._environment = environment.app(settings, self.release, self._services)
        self.image = image.tag(self._built) if self._built else promoted.image or ""
        """Name of the app's image: with its tag, or with its digest where it was promoted."""
        self.url = address.url(settings)
        """Where the edge serves."""

        self._networks = self._make.networks("networks", self._network_args())
        self._opts = ResourceOptions(providers=[*self._networks.providers])
        self._media = self._storage("media", settings.kubernetes.storage.media_gb, shared=True, protected=True)
        self._static = self._static_storage()
        self._volumes = {
            storage.volume_role(name): self._storage(
                storage.volume_role(name), volume.size_gb, shared=True, protected=True
            )
            for name, volume in settings.volumes.items()
        }
        self._nginx = self._pulled("nginx", settings.edge.image)
        self._deploy()

    def _deploy(self) -> None:
        settings, owner = self._settings, self._owner
        app = self._app_image()
        postgres = self._postgres()
        redis = self._redis()
        known = self._known(postgres, redis)
        files = self._app_secrets(postgres, redis, known)
        beside = self._beside(postgres, redis, known)
        migration = self._make.migration(
            "migration",
            args.MigrationArgs(
                owner=owner,
                image=app.id,
                release=self.release,
                resources=settings.web.resources,
                command=environment.exporting(settings.app, steps.release(settings.release)),
                environment={**(steps.PATIENT if settings.postgres.provider.deployed else {}), **self._environment},
                secrets=files,
                hidden=self._hidden(),
                networks=self._to_the_datastores(),
                limit_seconds=settings.release.timeout_seconds,
                after=[*postgres.after, *redis.after, *beside],
                servers=self._servers(),
                attempt=self._attempts.get("migration", 1),
            ),
            self._opts,
        )
        # Only then: a static file without a hash in its name is also the one of the release that serves.
        migrated = once(app.id, migration.ready)
        static = self._publish_static(migrated, files)
        ready = once(app.id, static.ready) if static is not None else migrated
        web = self._web(ready, files)
        self._serve(web, self._processes(ready, files, web))

    def _app_image(self) -> target.Image:
        """Give the image of the app: built here, or the one that ran in another stack."""
        if self._built is not None:
            return self._make.app_image("app", self._built, self._opts)
        return self._pulled("app", self.image)

    def _publish_static(self, app: Output[str], files: Output[str]) -> target.Step | None:
        """Bring the static files of the release to where the edge serves them from, if it does."""
        settings = self._settings
        if self._static is None:
            return None
        if settings.static.serve is ServeStatic.VOLUME:
            return self._make.collected_static(
                "collected-static",
                args.CollectedStaticArgs(
                    owner=self._owner,
                    image=app,
                    release=self.release,
                    resources=settings.web.resources,
                    command=environment.exporting(settings.app, steps.collect_static()),
                    environment=self._environment,
                    secrets=files,
                    hidden=self._hidden(),
                    networks=self._to_the_datastores(),
                    files=args.Files(
                        role=storage.COLLECTED, storage=self._static, path=settings.static.root or "", writable=True
                    ),
                    attempt=self._attempts.get("static", 1),
                    together=self._together,
                ),
                self._opts,
            )
        return self._make.static_files(
            "static-files",
            args.StaticFilesArgs(
                owner=self._owner,
                image=app,
                release=self.release,
                resources=settings.web.resources,
                network=self._networks.edge,
                storage=self._static,
                attempt=self._attempts.get("static", 1),
                together=self._together,
            ),
            self._opts,
        )

    def _static_storage(self) -> Output[str] | None:
        """Give the place that the edge serves static files from; None where it does not."""
        size = self._settings.kubernetes.storage.static_gb
        match self._settings.static.serve:
            case ServeStatic.NGINX:
                return self._storage("static", size, shared=True)
            case ServeStatic.VOLUME:
                return self._storage(storage.COLLECTED, size, shared=True)
            case ServeStatic.PROJECT:
                return None

    def _files(self, process: str) -> list[args.Files]:
        """Give what a process mounts beside the uploads."""
        made = {**self._volumes, storage.COLLECTED: self._static}
        return [
            args.Files(role=place.role, storage=found, path=place.path, writable=place.writable)
            for place in storage.places(self._settings, process)
            if (found := made[place.role]) is not None
        ]

    def _web(self, app: Output[str], files: Output[str]) -> target.Web:
        settings = self._settings
        scale = settings.kubernetes.autoscale
        return self._make.web(
            "web",
            args.WebArgs(
                owner=self._owner,
                image=app,
                release=self.release,
                replicas=settings.web.replicas,
                resources=settings.web.resources,
                # An image of the project's own brings its own command.
                command=None
                if settings.app.dockerfile and settings.web.command is None
                else environment.exporting(settings.app, webserver.command(settings)),
                environment=self._environment,
                secrets=files,
                networks=[self._networks.edge, self._networks.internal],
                storage=self._media,
                media_root=settings.media.root,
                files=self._files(storage.WEB),
                health=self._health,
                port=PORT,
                startup_seconds=settings.web.startup_seconds,
                stop_grace_seconds=settings.web.stop_grace_seconds,
                autoscale=args.Autoscale(min=scale.min, max=scale.max, cpu_percent=scale.cpu_percent)
                if scale.enabled
                else None,
                together=self._together,
            ),
            self._opts,
        )

    def _processes(self, app: Output[str], files: Output[str], web: target.Web) -> list[target.Process]:
        settings = self._settings
        return [
            self._make.process(
                process_role(name),
                args.ProcessArgs(
                    owner=self._owner,
                    image=app,
                    release=self.release,
                    process=name,
                    replicas=process.replicas,
                    resources=process.resources,
                    command=environment.exporting(settings.app, process.command),
                    environment=self._environment,
                    secrets=files,
                    networks=[self._networks.edge, self._networks.internal],
                    storage=self._media,
                    media_root=settings.media.root,
                    files=self._files(name),
                    port=process.port,
                    startup_seconds=process.startup_seconds,
                    stop_grace_seconds=process.stop_grace_seconds,
                    health_command=environment.exporting(settings.app, process.health_command)
                    if process.health_command
                    else None,
                    schedule=process.schedule,
                    singleton=process.singleton,
                    # It ends before its successor starts, so not before the release is known to come up.
                    after=[web] if process.singleton or process.schedule is not None else [],
                    together=self._together,
                ),
                self._opts,
            )
            for name, process in settings.processes.items()
        ]

    def _serve(self, web: target.Web, processes: list[target.Process]) -> None:
        """Let the edge serve the release."""
        settings = self._settings
        site = nginx.site(settings)
        upstreams = routes.upstreams(settings)
        roles = [process_role(name) for name in settings.processes]
        routed = [
            member.apply(partial(routes.member, role))
            for role, process in zip(roles, processes, strict=True)
            if role in upstreams
            for member in process.members
        ]
        configuration = self._configuration()
        edge = self._make.edge(
            "edge",
            args.EdgeArgs(
                owner=self._owner,
                image=self._nginx.id,
                resources=settings.edge.resources,
                site=site,
                domain=settings.domain,
                hosts=edge_rules.further_hosts(settings.edge),
                upstreams=upstreams,
                replicas=settings.kubernetes.edge_replicas,
                address=settings.edge.address,
                port=settings.edge.port,
                gateway=settings.edge.gateway,
                secrets=self._passwords(),
                exposure=self._exposure(),
                network=self._networks.edge,
                configuration=configuration,
                static=self._static,
                media=self._media,
                stop_grace_seconds=settings.edge.timeout_seconds + 10,
                together=self._together,
            ),
            self._opts,
        )
        scale = settings.kubernetes.autoscale
        self._make.switch(
            "switch",
            args.SwitchArgs(
                owner=self._owner,
                image=self._nginx.id,
                resources=settings.edge.resources,
                release=self.release,
                site=site,
                members=[*web.members, *routed],
                revision=web.revision,
                replicas=scale.min if scale.enabled else settings.web.replicas,
                edge_host=edge.host,
                health=self._health,
                network=self._networks.edge,
                configuration=configuration,
                after=[web, edge, *processes],
                attempt=self._attempts.get("switch", 1),
            ),
            self._opts,
        )

    def _passwords(self) -> Output[str] | None:
        """Give the secret files with who may see the site; None for everybody."""
        user, password = self._settings.edge.basic_auth, self._secrets.basic_auth_password
        if user is None or password is None:
            return None
        return self._secret_files("edge", {edge_rules.PASSWORDS: password.apply(partial(edge_rules.passwords, user))})

    def _exposure(self) -> args.Exposure:
        cluster, secrets = self._settings.kubernetes, self._secrets
        tls = args.Tls(
            kind=cluster.tls, certificate=secrets.tls_certificate, key=secrets.tls_key, issuer=cluster.issuer
        )
        return args.Exposure(
            kind=cluster.expose,
            ingress_class=cluster.ingress_class,
            gateway=cluster.gateway,
            tls=None if cluster.tls is TlsFrom.NONE else tls,
        )

    def _postgres(self) -> _Store:
        settings, secrets = self._settings, self._secrets
        if settings.postgres.provider is PostgresProvider.NONE:
            return _nowhere()
        if secrets.database_url is not None:
            return _Store(url=secrets.database_url, after=[])
        if secrets.postgres_password is None:
            raise AssertionError("there is a password for a database of our own")
        pulled = self._pulled("postgres-image", settings.postgres.image)
        managed = settings.postgres.provider is PostgresProvider.CLOUDNATIVE_PG
        server = (
            self._managed_postgres(pulled.id, secrets.postgres_password)
            if managed
            else self._own_postgres(pulled.id, secrets.postgres_password)
        )
        parts = Output.all(secrets.postgres_password, server.host, server.port, DATABASE)
        return _Store(url=parts.apply(lambda it: environment.database_url(*it)), after=[server])

    def _own_postgres(self, image_id: Output[str], password: Output[str]) -> target.Server:
        settings = self._settings
        return self._make.postgres(
            "postgres",
            args.PostgresArgs(
                owner=self._owner,
                image=image_id,
                resources=settings.postgres.resources,
                database=DATABASE,
                command=tuning.postgres_command(settings),
                shared_memory_mb=tuning.postgres_shm_mb(settings.postgres.resources),
                network=self._networks.internal,
                storage=self._storage("postgres", settings.kubernetes.storage.postgres_gb, protected=True),
                secrets=self._secret_files("postgres", {"postgres_password": password}),
            ),
            self._opts,
        )

    def _managed_postgres(self, image_id: Output[str], password: Output[str]) -> target.Server:
        settings = self._settings
        if self._make.managed_postgres is None:
            raise AssertionError("settings refuse this provider for a target that does not have it")
        return self._make.managed_postgres(
            "postgres",
            args.ManagedPostgresArgs(
                owner=self._owner,
                image=image_id,
                resources=settings.postgres.resources,
                database=DATABASE,
                password=password,
                parameters=tuning.postgres_parameters(settings),
                instances=settings.kubernetes.instances,
                network=self._networks.internal,
                size_gb=settings.kubernetes.storage.postgres_gb,
                storage_class=settings.kubernetes.storage_class,
                protect=settings.data.protect,
            ),
            self._opts,
        )

    def _redis(self) -> _Store:
        settings, secrets = self._settings, self._secrets
        if settings.redis.provider is RedisProvider.NONE:
            return _nowhere()
        if secrets.redis_url is not None:
            return _Store(url=secrets.redis_url, after=[])
        if secrets.redis_password is None:
            raise AssertionError("there is a password for a cache of our own")
        server = self._make.redis(
            "redis",
            args.RedisArgs(
                owner=self._owner,
                image=self._pulled("redis-image", settings.redis.image).id,
                resources=settings.redis.resources,
                command=tuning.redis_command(settings.redis.resources),
                network=self._networks.internal,
                storage=self._storage("redis", settings.kubernetes.storage.redis_gb),
                secrets=self._secret_files("redis", {"redis.conf": secrets.redis_password.apply(tuning.redis_secrets)}),
            ),
            self._opts,
        )
        parts = Output.all(secrets.redis_password, server.host, server.port)
        return _Store(url=parts.apply(lambda it: environment.redis_url(*it)), after=[server])

    def _beside(self, postgres: _Store, redis: _Store, known: Output[environment.Known]) -> list[target.Server]:
        """Make the services beside the app. Each comes after the stores that it names, and none after another one."""
        return [
            self._service(
                name, service, [*postgres.after] * ("database" in named) + [*redis.after] * ("redis" in named), known
            )
            for name, service in self._settings.services.items()
            for named in [services.groups(services.texts(service))]
        ]

    def _service(
        self, name: str, service: Service, after: list[Resource], known: Output[environment.Known]
    ) -> target.Server:
        role = services.role(name)
        plain = environment.Known(plain={**environment.plain(self._settings, self.release), **self._services})
        return self._make.service(
            role,
            args.ServiceArgs(
                owner=self._owner,
                service=name,
                host=self._services[f"services.{name}.host"],
                image=self._pulled(f"{role}-image", service.image).id,
                helper=self._nginx.id,
                resources=service.resources,
                program=services.program(service),
                command=service.command or None,
                environment=services.plain_environment(service, plain),
                user=service.user,
                writable=service.writable,
                read_only=service.read_only,
                volumes={
                    each: args.ServiceVolume(
                        storage=self._storage(services.storage_role(name, each), service.size_gb, protected=True),
                        path=path,
                    )
                    for each, path in service.volumes.items()
                },
                secrets=self._service_files(role, service, environment.SECRETS_DIR, known)
                if services.reads_secrets(service)
                else None,
                folders={
                    each: self._service_files(services.folder_role(name, each), service, each, known)
                    for each in services.folders(service)
                },
                network=self._networks.internal,
                ports=services.ports(service),
                health_command=service.health_command or None,
                health_tcp=service.health_tcp,
                startup_seconds=service.startup_seconds,
                stop_grace_seconds=service.stop_grace_seconds,
                after=after,
                attempt=self._attempts.get(f"{role}-volumes", 1),
            ),
            self._opts,
        )

    def _service_files(self, role: str, service: Service, folder: str, known: Output[environment.Known]) -> Output[str]:
        """Give the files of a service in one folder."""
        contents = known.apply(lambda it: services.contents(service, folder, it))
        return self._secret_files(role, {name: contents[name] for name in services.file_names(service, folder)})

    def _servers(self) -> list[str]:
        """List where the services beside the app are asked."""
        found = self._services
        return [f"{found[f'services.{name}.host']}:{service.port}" for name, service in self._settings.services.items()]

    def _known(self, postgres: _Store, redis: _Store) -> Output[environment.Known]:
        """Give what the names of templates stand for."""
        plain = {**environment.plain(self._settings, self.release), **self._services}
        urls = services.addresses(self._settings)
        return Output.all(postgres.url, redis.url, self._secrets.own).apply(
            lambda it: environment.Known(
                plain=plain, database_url=it[0], redis_url=it[1], secrets=it[2], service_urls=urls
            )
        )

    def _to_the_datastores(self) -> list[Output[str]]:
        """Give the networks of what needs the datastores alone. Those that somebody else runs are outside."""
        settings = self._settings
        outside = (
            settings.postgres.provider is PostgresProvider.EXTERNAL or settings.redis.provider is RedisProvider.EXTERNAL
        )
        return [self._networks.edge, self._networks.internal] if outside else [self._networks.internal]

    def _hidden(self) -> list[Output[str]]:
        """Give what no error message may show."""
        secrets = self._secrets
        urls = [url for url in (secrets.database_url, secrets.redis_url) if url is not None]
        values = [secrets.django_key, secrets.postgres_password, secrets.redis_password, *urls, *secrets.own.values()]
        return [
            *(value for value in values if value is not None),
            *(url.apply(environment.password_in) for url in urls),
        ]

    def _network_args(self) -> args.NetworksArgs:
        settings = self._settings
        return args.NetworksArgs(
            owner=self._owner,
            flows=flows(settings),
            budget=budget(settings),
            place=args.Place(context=settings.kubernetes.context, namespace=settings.kubernetes.namespace or ""),
            protect=settings.data.protect,
            registry_auth=self._secrets.registry_auth,
        )

    def _image_args(self, planned: release.Release) -> args.AppImageArgs:
        bundle = self._settings.build.ca_bundle
        return args.AppImageArgs(
            repository=self._settings.app.name,
            release=self.release,
            context=image.context(planned),
            dockerfile=image.write(planned, self._owner.stack),
            labels=planned.labels,
            ca_bundle=(ROOT / bundle).read_text(encoding="utf-8") if bundle else None,
            netrc=self._secrets.netrc,
            known_hosts=image.known_hosts(self._settings),
            ssh_agent=agent.place(self._owner.stack, ROOT) if self._settings.dependencies.ssh_hosts else None,
            registry=self._settings.kubernetes.registry,
        )

    def _app_secrets(self, postgres: _Store, redis: _Store, known: Output[environment.Known]) -> Output[str]:
        app = self._settings.app
        contents = known.apply(lambda it: environment.contents(app, it))
        return self._secret_files(
            "app",
            {
                environment.SECRET_KEY: self._secrets.django_key,
                **({environment.DATABASE_URL: postgres.url} if environment.has_database(self._settings) else {}),
                **({environment.REDIS_URL: redis.url} if environment.has_redis(self._settings) else {}),
                **{name: contents[name] for name in environment.files(app)},
            },
        )

    def _pulled(self, name: str, reference: str) -> target.Image:
        return self._make.pulled_image(name, args.PulledImageArgs(reference=reference), self._opts)

    def _secret_files(self, role: str, files: Mapping[str, Input[str]]) -> Output[str]:
        return self._make.secret_files(
            f"{role}-secrets",
            args.SecretFilesArgs(
                owner=self._owner, role=role, network=self._networks.internal, image=self._nginx.id, files=files
            ),
            self._opts,
        ).source

    def _storage(self, role: str, size_gb: int, *, protected: bool = False, shared: bool = False) -> Output[str]:
        made = self._storage_args(role, size_gb, protected=protected, shared=shared)
        return self._make.storage(f"{role}-storage", made, self._opts).source

    def _configuration(self) -> Output[str] | None:
        """Give the storage that the switch writes for the edge, where the target has that."""
        make = self._make.configuration
        return make("edge-storage", self._storage_args("edge", 1), self._opts).source if make else None

    def _storage_args(
        self, role: str, size_gb: int, *, protected: bool = False, shared: bool = False
    ) -> args.StorageArgs:
        settings, cluster = self._settings, self._settings.kubernetes
        return args.StorageArgs(
            owner=self._owner,
            role=role,
            network=self._networks.internal,
            protect=protected and settings.data.protect,
            size_gb=size_gb,
            shared=shared,
            storage_class=(cluster.storage.shared_class if shared else None) or cluster.storage_class,
            access=cluster.storage.shared_access if shared else Access.ONE_NODE,
        )


def once(value: Input[str], *gates: Output[bool]) -> Output[str]:
    """Give a value that is there only once every gate has let the update pass."""
    return Output.all(value, *gates).apply(lambda values: str(values[0]))
