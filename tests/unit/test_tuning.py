"""The command lines of PostgreSQL and Redis."""

import pytest

from components import tuning
from components.model import Resources
from tests.sample import settings


def _postgres(memory_mb: int, cpus: float = 1, kind: str = "dev") -> dict[str, str]:
    said = {
        "environment": kind,
        "domain": "shop.example.org",
        "postgres": {"resources": {"memory_mb": memory_mb, "cpus": cpus}},
    }
    command = tuning.postgres_command(settings(said))
    assert command[0] == "postgres"
    assert set(command[1::2]) == {"-c"}
    return dict(part.split("=", 1) for part in command[2::2])


def test_the_whole_command_of_a_small_database() -> None:
    """Every flag of a development database, exactly."""
    assert _postgres(512) == {
        "max_connections": "100",
        "shared_buffers": "128MB",
        "effective_cache_size": "384MB",
        "maintenance_work_mem": "32MB",
        "work_mem": "4096kB",
        "wal_buffers": "4MB",
        "min_wal_size": "80MB",
        "max_wal_size": "512MB",
        "wal_compression": "lz4",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
        "jit": "off",
        "idle_in_transaction_session_timeout": "60s",
        "log_min_duration_statement": "500ms",
        "huge_pages": "off",
    }


@pytest.mark.parametrize(
    ("memory_mb", "expected", "shm"),
    [
        (512, ["128MB", "384MB", "32MB", "4096kB", "4MB"], 128),
        (1024, ["256MB", "768MB", "64MB", "4096kB", "8MB"], 256),
        (2048, ["512MB", "1536MB", "128MB", "4854kB", "16MB"], 256),
        (4096, ["1024MB", "3072MB", "256MB", "9709kB", "16MB"], 512),
        (8192, ["2048MB", "6144MB", "512MB", "19418kB", "16MB"], 1024),
    ],
)
def test_postgres_follows_its_memory(memory_mb: int, expected: list[str], shm: int) -> None:
    """The values are those of pgtune for a web application with 100 connections."""
    values = _postgres(memory_mb)
    keys = ("shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem", "wal_buffers")
    assert [values[key] for key in keys] == expected
    assert tuning.postgres_shm_mb(Resources(memory_mb=memory_mb, cpus=1)) == shm


def test_parallel_queries_need_four_cpus() -> None:
    """Below four CPUs nothing is said about parallel queries."""
    parallel = {"max_worker_processes", "max_parallel_workers", "max_parallel_workers_per_gather"}
    assert not parallel & _postgres(4096, 3).keys()
    values = _postgres(4096, 6)
    assert [values[key] for key in sorted(parallel)] == ["6", "3", "6"]
    assert _postgres(4096, 32)["max_parallel_workers_per_gather"] == "4"


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("dev", ("80MB", "512MB")), ("review", ("80MB", "512MB")), ("staging", ("1GB", "4GB")), ("prod", ("1GB", "4GB"))],
)
def test_disposable_databases_keep_little_log(kind: str, sizes: tuple[str, str]) -> None:
    """Where data is thrown away, the disk matters more than the speed of writing."""
    values = _postgres(512, kind=kind)
    assert (values["min_wal_size"], values["max_wal_size"]) == sizes


@pytest.mark.parametrize(("replicas", "expected"), [(1, 100), (3, 100), (5, 100), (6, 200), (12, 300)])
def test_connections_grow_in_steps(replicas: int, expected: int) -> None:
    """Another replica seldom changes the command of the database, which would restart it."""
    assert tuning.max_connections(settings({"web": {"replicas": replicas}})) == expected


def test_redis_command() -> None:
    """The whole command: the password's file first, a queue survives a restart, a full cache drops only the cache."""
    assert tuning.redis_command(Resources(memory_mb=128, cpus=0.5)) == [
        "redis-server",
        "/run/secrets/redis.conf",
        "--port",
        "6379",
        "--dir",
        "/data",
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--maxmemory",
        "96mb",
        "--maxmemory-policy",
        "volatile-lru",
    ]


@pytest.mark.parametrize(
    ("password", "text"),
    [("abc", 'requirepass "abc"'), ('a"b\\c', 'requirepass "a\\"b\\\\c"'), ("a b#c", 'requirepass "a b#c"')],
)
def test_redis_password_is_quoted(password: str, text: str) -> None:
    """Any password reaches Redis as it is, with snapshots turned off beside it."""
    assert tuning.redis_secrets(password) == f'{text}\nsave ""\n'


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"processes": {"worker": {"command": "a", "replicas": 5}}}, 200),
        (
            {
                "target": "kubernetes",
                "kubernetes": {"registry": "registry.example.org", "autoscale": {"enabled": True, "max": 20}},
            },
            400,
        ),
    ],
)
def test_connections_of_all_that_can_run(said: dict[str, object], expected: int) -> None:
    """Processes beside web, and the web processes that autoscaling may add, find a connection too."""
    assert tuning.max_connections(settings(said)) == expected
