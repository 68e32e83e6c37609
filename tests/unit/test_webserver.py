"""The command line of what serves the app."""

import pytest

from components import webserver
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
    assert webserver.workers(web) == expected


@pytest.mark.parametrize(
    ("grace", "graceful"), [(0, 1), (1, 1), (2, 1), (5, 4), (10, 8), (30, 25), (35, 30), (600, 595)]
)
def test_requests_finish_before_the_container_is_killed(grace: int, graceful: int) -> None:
    """Gunicorn's own limit lies below the container's, and is never 0, which would mean no grace at all."""
    assert webserver.graceful_seconds(settings({"web": {"stop_grace_seconds": grace}}).web) == graceful


def test_connections_count_two_releases() -> None:
    """Old and new containers run together for a while, so each connection counts twice."""
    web = settings({"web": {"replicas": 3, "threads": 4, "resources": {"memory_mb": 1024, "cpus": 1}}}).web
    assert webserver.connections(web) == 2 * 3 * 3 * 4


def test_command_of_a_stack() -> None:
    """The whole command, exactly."""
    assert webserver.command(settings()) == [
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
    command = webserver.default_command(settings().app, settings().web)
    assert command[:2] == ["gunicorn", "config.wsgi:application"]
    assert {part.split("=")[0] for part in command} == {part.split("=")[0] for part in webserver.command(settings())}


def test_no_flag_is_newer_than_the_versions_that_projects_use() -> None:
    """The control socket of 25.1 gets a writable home instead of the flag that older versions refuse."""
    assert not any("control-socket" in part for part in webserver.command(settings()))
    assert webserver.ENVIRONMENT == {"HOME": "/tmp"}  # noqa: S108 - a tmpfs of the container


@pytest.mark.parametrize(
    ("web", "expected"),
    [
        (
            {"server": "uvicorn", "resources": {"memory_mb": 1024, "cpus": 1}},
            (
                "uvicorn config.asgi:application --host=0.0.0.0 --port=8000 --workers=3 --timeout-graceful-shutdown=30 "
                "--timeout-keep-alive=75 --proxy-headers --forwarded-allow-ips=*"
            ),
        ),
        (
            {"server": "daphne"},
            (
                "daphne --bind=0.0.0.0 --port=8000 --proxy-headers --access-log=- --application-close-timeout=30 "
                "config.asgi:application"
            ),
        ),
        ({"command": "granian --port 8000 shop"}, "granian --port 8000 shop"),
    ],
)
def test_command_of_other_servers(web: dict[str, object], expected: str) -> None:
    """The whole command, exactly."""
    assert webserver.command(settings({"web": web})) == expected.split()


@pytest.mark.parametrize(
    ("web", "application", "kind", "threads"),
    [
        ({}, "config.wsgi:application", "gthread", True),
        ({"server": "gunicorn_asgi"}, "config.asgi:application", "uvicorn_worker.UvicornWorker", False),
        ({"worker_class": "gevent"}, "config.wsgi:application", "gevent", False),
        ({"server": "gunicorn_asgi", "worker_class": "shop.W"}, "config.asgi:application", "shop.W", False),
    ],
)
def test_workers_of_gunicorn(web: dict[str, str], application: str, kind: str, threads: bool) -> None:  # noqa: FBT001 - a fact
    """The class follows the server unless settings name one, and threads are for the usual class alone."""
    command = webserver.command(settings({"web": web}))

    assert command[:2] == ["gunicorn", application]
    assert f"--worker-class={kind}" in command
    assert any(part.startswith("--threads=") for part in command) is threads


def test_connections_of_asynchronous_servers() -> None:
    """Threads do not bound them: each request has one of its own; daphne is one process."""
    assert webserver.connections(settings({"web": {"server": "uvicorn"}}).web) == 2 * 1 * 2 * 20
    assert webserver.connections(settings({"web": {"server": "daphne"}}).web) == 2 * 1 * 1 * 20
