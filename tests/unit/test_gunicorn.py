"""The command line of gunicorn."""

import pytest

from components import gunicorn
from tests.sample import settings


@pytest.mark.parametrize(
    ("memory_mb", "cpus", "expected"),
    [
        (512, 1.0, 2),  # 3 by CPU, 2 by memory
        (1024, 1.0, 3),
        (256, 0.5, 1),
        (128, 0.25, 1),  # never none
        (4096, 0.5, 2),
        (4096, 2.0, 5),
        (8192, 4.0, 9),
        (65536, 16.0, 12),
        (1024, 16.0, 5),
    ],
)
def test_workers_follow_cpus_and_memory(memory_mb: int, cpus: float, expected: int) -> None:
    """Workers are 2 * cpus + 1 between 2 and 12, unless the memory holds fewer."""
    web = settings({"web": {"resources": {"memory_mb": memory_mb, "cpus": cpus}}}).web
    assert gunicorn.workers(web) == expected


@pytest.mark.parametrize(
    ("grace", "graceful"), [(0, 1), (1, 1), (2, 1), (5, 4), (10, 8), (30, 25), (35, 30), (600, 595)]
)
def test_requests_finish_before_the_container_is_killed(grace: int, graceful: int) -> None:
    """Gunicorn's own limit lies below the container's, and is never 0, which would mean no grace at all."""
    assert gunicorn.graceful_seconds(settings({"web": {"stop_grace_seconds": grace}}).web) == graceful


def test_connections_count_two_releases() -> None:
    """Old and new containers run together for a while, so each connection counts twice."""
    web = settings({"web": {"replicas": 3, "threads": 4, "resources": {"memory_mb": 1024, "cpus": 1}}}).web
    assert gunicorn.connections(web) == 2 * 3 * 3 * 4


def test_command_of_a_stack() -> None:
    """The whole command, exactly."""
    assert gunicorn.command(settings()) == [
        "gunicorn",
        "config.wsgi:application",
        "--bind=0.0.0.0:8000",
        "--worker-class=gthread",
        "--workers=2",
        "--threads=4",
        "--timeout=30",
        "--graceful-timeout=30",
        "--keep-alive=75",
        "--worker-tmp-dir=/dev/shm",
        "--forwarded-allow-ips=*",
        "--access-logfile=-",
        '--access-logformat=%({x-forwarded-for}i)s "%(r)s" %(s)s %(b)s %(L)ss',
    ]


def test_command_of_the_image_is_the_same_for_every_stack() -> None:
    """Stacks that differ in replicas or memory share an image, so its command knows nothing of them."""
    command = gunicorn.default_command("config.wsgi:application")
    assert command[:2] == ["gunicorn", "config.wsgi:application"]
    assert {part.split("=")[0] for part in command} == {part.split("=")[0] for part in gunicorn.command(settings())}


def test_no_flag_is_newer_than_the_versions_that_projects_use() -> None:
    """The control socket of 25.1 gets a writable home instead of the flag that older versions refuse."""
    assert not any("control-socket" in part for part in gunicorn.command(settings()))
    assert gunicorn.ENVIRONMENT == {"HOME": "/tmp"}  # noqa: S108 - a tmpfs of the container
