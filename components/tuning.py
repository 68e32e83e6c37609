"""The command lines of PostgreSQL and Redis, computed from the memory and the CPUs that their containers get.

This module owns the values. It does not know containers, volumes or passwords; the one secret, Redis' password,
comes in through a file that Redis includes.
Sources: the formulas of pgtune for web applications, the PostgreSQL 17 and Redis 8 manuals.
"""

from math import ceil

from components import webserver
from components.budget import web_replicas
from components.model import Kind, Resources, Settings

REDIS_SECRETS_FILE = "/run/secrets/redis.conf"
"""Where the Redis container finds ``redis_secrets()``."""

_PROCESS_CONNECTIONS = 10
"""What one process beside web may hold open: a worker of a queue runs a few tasks at once."""

_SPARE_CONNECTIONS = 20
"""For the migration, backups, and a person who looks."""


def max_connections(settings: Settings) -> int:
    """Count the connections that the database allows: what two releases at once need, and some to spare.

    In steps of 100, so that another replica does not restart the database.
    """
    web = settings.web.model_copy(update={"replicas": web_replicas(settings)})
    processes = sum(process.replicas for process in settings.processes.values())
    needed = webserver.connections(web) + 2 * processes * _PROCESS_CONNECTIONS + _SPARE_CONNECTIONS
    return 100 * ceil(needed / 100)


def postgres_shm_mb(resources: Resources) -> int:
    """Size of /dev/shm in MiB, which parallel queries use; Docker's own 64 MiB are too small for them.

    An eighth of the memory, or up to 256 MiB where that is a quarter of it.
    """
    return max(resources.memory_mb // 8, min(256, resources.memory_mb // 4))


def postgres_command(settings: Settings) -> list[str]:
    """Give the command of the PostgreSQL container, program first."""
    parameters = postgres_parameters(settings)
    return ["postgres", *(part for key, value in parameters.items() for part in ("-c", f"{key}={value}"))]


def postgres_parameters(settings: Settings) -> dict[str, str]:
    """Give the configuration of PostgreSQL, by name."""
    memory = settings.postgres.resources.memory_mb
    cpus = int(settings.postgres.resources.cpus)
    connections = max_connections(settings)
    shared = memory // 4
    # Three sorts at once for each connection; 8 stands for the workers of parallel queries (pgtune).
    work_kb = max(4 * 1024, (memory - shared) * 1024 // ((connections + 8) * 3))
    disposable = settings.environment in {Kind.DEV, Kind.REVIEW}
    values = {
        "max_connections": str(connections),
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "maintenance_work_mem": f"{min(memory // 16, 2048)}MB",
        "work_mem": f"{work_kb}kB",
        "wal_buffers": f"{min(16, ceil(shared * 0.03))}MB",
        "min_wal_size": "80MB" if disposable else "1GB",
        "max_wal_size": "512MB" if disposable else "4GB",
        "wal_compression": "lz4",
        # Volumes lie on SSDs: a random page costs hardly more than the next one.
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
        # Compiling a query costs more than the short queries of a web application take.
        "jit": "off",
        # A transaction that somebody forgot holds back vacuum for all.
        "idle_in_transaction_session_timeout": "60s",
        "log_min_duration_statement": "500ms",
    }
    if shared < 2048:  # noqa: PLR2004 - 2 GiB, below which huge pages gain nothing (pgtune)
        values["huge_pages"] = "off"
    if cpus >= 4:  # noqa: PLR2004 - with fewer, parallel queries take CPUs from one another (pgtune)
        gather = str(min(4, ceil(cpus / 2)))
        values |= {
            "max_worker_processes": str(cpus),
            "max_parallel_workers": str(cpus),
            "max_parallel_workers_per_gather": gather,
            "max_parallel_maintenance_workers": gather,
        }
    return values


def redis_command(resources: Resources) -> list[str]:
    """Give the command of the Redis container, program first.

    One Redis holds the cache and may hold a queue. ``volatile-lru`` drops only keys that have a time to live, which
    entries of Django's cache have and messages of a queue have not: a full cache never costs a job. The append-only
    file, written to the volume every second, keeps queue and counters over a restart.
    A quarter of the memory stays free for buffers and for the copy that rewriting the file makes.
    """
    return [
        "redis-server",
        REDIS_SECRETS_FILE,
        "--port",
        "6379",
        "--dir",
        "/data",
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--maxmemory",
        f"{resources.memory_mb * 3 // 4}mb",
        "--maxmemory-policy",
        "volatile-lru",
    ]


def redis_secrets(password: str) -> str:
    """Give the text of the file that Redis includes: the password, quoted as Redis' configuration wants it.

    It also turns snapshots off: that takes an empty argument, which the Docker plugin refuses in a command line.
    """
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'requirepass "{quoted}"\nsave ""\n'
