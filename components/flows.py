"""Who talks to whom: every connection that a stack needs, and no other. Pure.

Both ends are named as the labels name their components. Names are looked up by everybody, which is not listed.
"""

from dataclasses import dataclass

from components.app import PORT
from components.model import PostgresProvider, RedisProvider, Settings
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


def process_role(name: str) -> str:
    """Name the component of a process that settings name."""
    return f"process-{name}"


def process_name(role: str) -> str | None:
    """Give the name in the settings of the process whose component it is; None for any other component."""
    prefix, _, name = role.partition("-")
    return name if prefix == "process" and name else None


def flows(settings: Settings) -> list[Flow]:
    """List every connection of a stack, sorted and each once."""
    processes = [process_role(name) for name in settings.processes]
    clients = ["web", "migration", *processes]
    postgres, redis = settings.postgres.provider, settings.redis.provider
    found = [
        Flow(ANYWHERE, "edge", HTTP_PORT),
        Flow("edge", "web", PORT),
        Flow("switch", "edge", HTTP_PORT),
        Flow("switch", "edge", STATUS_PORT),
        Flow("switch", "web", PORT),
        *(Flow(each, INTERNET, ANY_PORT) for each in ["web", *processes]),
    ]
    if PostgresProvider.EXTERNAL is not postgres:
        found += [Flow(each, "postgres", POSTGRES_PORT) for each in clients]
    if RedisProvider.EXTERNAL is not redis:
        found += [Flow(each, "redis", REDIS_PORT) for each in clients]
    if postgres is PostgresProvider.EXTERNAL or redis is RedisProvider.EXTERNAL:
        found += [Flow("migration", INTERNET, ANY_PORT)]
    if postgres is PostgresProvider.CLOUDNATIVE_PG:
        # Its instances copy from one another and ask the API server who leads; the operator asks each how it is.
        found += [
            Flow("postgres", "postgres", POSTGRES_PORT),
            Flow("postgres", "postgres", OPERATOR_PORT),
            Flow("postgres", INTERNET, ANY_PORT),
            Flow(ANYWHERE, "postgres", OPERATOR_PORT),
        ]
    return sorted(set(found))
