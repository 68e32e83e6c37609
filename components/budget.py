"""What a whole stack may use at once, with a release under way and room on top. Pure.

Whoever runs a stack beside others can hold it to that. What each process may use is in the settings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from components.model import PostgresProvider, RedisProvider, Resources, ServeStatic, Settings

ROOM = 1.5
"""How much more than what is counted is allowed: for a person who looks, and for steps that are tried again."""

REQUEST_SHARE = 0.1
"""The part of its CPU limit that a process is promised. A web application waits most of the time, and a whole stack fits
on the two cores of a small cluster."""

LEAST_REQUEST = 0.025
"""The least that is promised, in cores."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most that a stack uses."""

    cpus_limit: float
    """Sum of the CPU limits, in cores."""
    memory_mb_limit: int
    """Sum of the memory limits, in MiB."""
    cpus_request: float
    """Sum of what is promised, in cores."""
    memory_mb_request: int
    """Sum of what is promised, in MiB."""
    pods: int
    """How many run at once."""
    claims: int
    """How many places for files there are."""
    storage_gb: int
    """What they hold together, in GiB."""


def cpu_request(cpus: float) -> float:
    """Give what is promised of a CPU limit, in cores."""
    return max(LEAST_REQUEST, round(cpus * REQUEST_SHARE, 3))


def web_replicas(settings: Settings) -> int:
    """Count the web processes that there can be, without those of another release."""
    scale = settings.kubernetes.autoscale
    return max(settings.web.replicas, scale.max) if scale.enabled else settings.web.replicas


def budget(settings: Settings) -> Budget:
    """Give the budget of a stack."""
    running = list(_running(settings))
    sizes = list(_storage(settings))
    memory = _with_room(sum(count * each.memory_mb for count, each in running))
    return Budget(
        cpus_limit=round(ROOM * sum(count * each.cpus for count, each in running), 3),
        memory_mb_limit=memory,
        cpus_request=round(ROOM * sum(count * cpu_request(each.cpus) for count, each in running), 3),
        memory_mb_request=memory,
        pods=_with_room(sum(count for count, _ in running)),
        claims=_with_room(len(sizes)),
        storage_gb=_with_room(sum(sizes)),
    )


def running_memory_mb(settings: Settings) -> int:
    """Give the sum of the memory limits of what runs all the time, in MiB, without a release under way."""
    counted = [(web_replicas(settings), settings.web.resources), (1, settings.edge.resources)]
    counted += [(each.replicas, each.resources) for each in settings.processes.values() if each.schedule is None]
    counted += [(1, each.resources) for each in settings.services.values()]
    if settings.postgres.provider.deployed:
        counted.append((1, settings.postgres.resources))
    if settings.redis.provider.deployed:
        counted.append((1, settings.redis.resources))
    return sum(count * each.memory_mb for count, each in counted)


def _with_room(value: int) -> int:
    return ceil(ROOM * value)


def _running(settings: Settings) -> Iterator[tuple[int, Resources]]:
    """Give what may run at once: how many, and what each may use. Old processes finish while new ones are there."""
    web, edge = settings.web, settings.edge
    yield 2 * web_replicas(settings), web.resources
    for process in settings.processes.values():
        yield 2 * process.replicas, process.resources
    yield 2 * settings.kubernetes.edge_replicas, edge.resources
    # The migration and the static files have what web has, the switch what the edge has.
    yield 2, web.resources
    yield 1, edge.resources
    if settings.postgres.provider.deployed:
        yield _databases(settings), settings.postgres.resources
    if settings.redis.provider.deployed:
        yield 1, settings.redis.resources
    for service in settings.services.values():
        yield 1, service.resources


def _databases(settings: Settings) -> int:
    """Count the processes of the database: the operator makes an instance beside the others with a job of its own."""
    managed = settings.postgres.provider is PostgresProvider.CLOUDNATIVE_PG
    return settings.kubernetes.instances + 1 if managed else 1


def _storage(settings: Settings) -> Iterator[int]:
    """Give the size of each place for files."""
    sizes = settings.kubernetes.storage
    yield sizes.media_gb
    if settings.static.serve is not ServeStatic.PROJECT:
        yield sizes.static_gb
    yield from (volume.size_gb for volume in settings.volumes.values())
    if settings.postgres.provider is PostgresProvider.SLIPWAY:
        yield sizes.postgres_gb
    if settings.postgres.provider is PostgresProvider.CLOUDNATIVE_PG:
        for _ in range(_databases(settings)):
            yield sizes.postgres_gb
    if settings.redis.provider is RedisProvider.SLIPWAY:
        yield sizes.redis_gb
    for service in settings.services.values():
        for _ in service.volumes:
            yield service.size_gb
