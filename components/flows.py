"""Who talks to whom: every connection that a stack needs, and no other. Pure.

Both ends are named as the labels name their components. Names are looked up by everybody, which is not listed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components import routes, services
from components.app import PORT
from components.labels import process_role
from components.model import PostgresProvider, RedisProvider, ServeStatic, Settings
from components.nginx import HTTP_PORT, STATUS_PORT

ANYWHERE = "anywhere"
"""Where visitors are."""

INTERNET = "internet"
"""Everything that does not belong to the stack."""

ANY_PORT = 0
"""Whatever port the other side has."""

POSTGRES_PORT, REDIS_PORT = 5432, 6379
"""Where the datastores listen."""

OPERATOR_PORT = 8000
"""Where CloudNativePG asks a database how it is."""


@dataclass(frozen=True, order=True)
class Flow:
    """One kind of connection."""

    source: str
    """Who connects: a component, or ANYWHERE."""
    to: str
    """To whom: a component, or INTERNET."""
    port: int
    """To which port; ANY_PORT for all."""


def flows(settings: Settings) -> list[Flow]:
    """List every connection of a stack, sorted and each once."""
    processes = [process_role(name) for name in settings.processes]
    postgres, redis = settings.postgres.provider, settings.redis.provider
    # With static files on a volume, the project collects them with all of its settings.
    steps = ["migration", *(["static"] if settings.static.serve is ServeStatic.VOLUME else [])]
    clients = ["web", *steps, *processes]
    asked = {name: services.groups(services.texts(service)) for name, service in settings.services.items()}
    to_postgres = [*clients, *(services.role(name) for name, groups in asked.items() if "database" in groups)]
    to_redis = [*clients, *(services.role(name) for name, groups in asked.items() if "redis" in groups)]
    found = [
        Flow(ANYWHERE, "edge", HTTP_PORT),
        Flow("edge", "web", PORT),
        *(Flow("edge", role, port) for role, port in routes.upstreams(settings).items()),
        Flow("switch", "edge", HTTP_PORT),
        Flow("switch", "edge", STATUS_PORT),
        Flow("switch", "web", PORT),
        *(Flow(each, INTERNET, ANY_PORT) for each in ["web", *processes]),
    ]
    if postgres.deployed:
        found += [Flow(each, "postgres", POSTGRES_PORT) for each in to_postgres]
    if redis.deployed:
        found += [Flow(each, "redis", REDIS_PORT) for each in to_redis]
    if postgres is PostgresProvider.EXTERNAL or redis is RedisProvider.EXTERNAL:
        found += [Flow(each, INTERNET, ANY_PORT) for each in steps]
    found += _to_services(settings, clients)
    if postgres is PostgresProvider.CLOUDNATIVE_PG:
        # Its instances copy from one another and ask the API server who leads; the operator asks each how it is.
        found += [
            Flow("postgres", "postgres", POSTGRES_PORT),
            Flow("postgres", "postgres", OPERATOR_PORT),
            Flow("postgres", INTERNET, ANY_PORT),
            Flow(ANYWHERE, "postgres", OPERATOR_PORT),
        ]
    return sorted(set(found))


def _to_services(settings: Settings, clients: Sequence[str]) -> Iterator[Flow]:
    """List who asks the services beside the app: the app, and each service that names another one."""
    for name, service in settings.services.items():
        others = [
            services.role(other)
            for other, its in settings.services.items()
            if other != name and name in services.mentioned(services.texts(its))
        ]
        for each in [*clients, *others]:
            for port in services.ports(service):
                yield Flow(each, services.role(name), port)
