"""The command line of gunicorn, and how many processes and connections it means.

This module owns gunicorn's flags. It does not know containers; ``dockerfile.py`` bakes the command into the image as
a default, and the web containers pass the one of their stack.
"""

from math import ceil

from components.app import PORT
from components.model import Settings, Web

WORKER_MB = 150
"""Memory that one worker of an ordinary Django project may grow to, in MiB (80 to 200 measured elsewhere)."""

MIN_WORKERS, MAX_WORKERS = 2, 12
"""Two, so that one stuck worker is not an outage; twelve is where gunicorn's documentation stops seeing a gain."""

TIMEOUT_SECONDS = 30
"""A worker that has not reported for so long is killed. Threads report while a request runs, so slow requests live."""

KEEPALIVE_SECONDS = 75
"""Longer than nginx keeps an idle connection (60), so that gunicorn never closes one that nginx is about to use."""

ENVIRONMENT = {"HOME": "/tmp"}  # noqa: S108 - a tmpfs of the container's own
"""What gunicorn needs on a read-only root: from 25.1 on it puts a control socket under ``$HOME``.

The flag that turns the socket off is unknown to older versions, and a project brings its own version.
"""

_ACCESS_LOG = '%({x-forwarded-for}i)s "%(r)s" %(s)s %(b)s %(L)ss'


def workers(web: Web) -> int:
    """Count the worker processes: ``2 * cpus + 1`` between 2 and 12, and no more than 80 % of the memory holds.

    The limit of the container counts, not the cores of the host, which is what gunicorn itself would see.
    """
    by_cpu = min(max(int(2 * web.resources.cpus) + 1, MIN_WORKERS), MAX_WORKERS)
    by_memory = int(web.resources.memory_mb * 0.8 / WORKER_MB)
    return max(1, min(by_cpu, by_memory))


def graceful_seconds(web: Web) -> int:
    """How long gunicorn lets requests finish after SIGTERM: a little less than the container gets before SIGKILL.

    A fifth less, at most 5 seconds, never below 1 second.
    """
    grace = web.stop_grace_seconds
    return max(1, grace - min(5, ceil(grace / 5)))


def connections(web: Web) -> int:
    """How many database connections the web containers may hold open while a release replaces another one."""
    return 2 * web.replicas * workers(web) * web.threads


def _command(wsgi: str, *, processes: int, threads: int, graceful: int) -> list[str]:
    return [
        "gunicorn",
        wsgi,
        f"--bind=0.0.0.0:{PORT}",
        "--worker-class=gthread",
        f"--workers={processes}",
        f"--threads={threads}",
        f"--timeout={TIMEOUT_SECONDS}",
        f"--graceful-timeout={graceful}",
        f"--keep-alive={KEEPALIVE_SECONDS}",
        # The heartbeat file on a disk blocks a worker when the disk is busy; /dev/shm is memory.
        "--worker-tmp-dir=/dev/shm",
        # Only nginx and the data stores share a network with gunicorn, and nginx overwrites these headers.
        "--forwarded-allow-ips=*",
        "--access-logfile=-",
        f"--access-logformat={_ACCESS_LOG}",
    ]


def command(settings: Settings) -> list[str]:
    """Give the command of a web container of this stack, program first."""
    web = settings.web
    return _command(
        settings.app.wsgi_module, processes=workers(web), threads=web.threads, graceful=graceful_seconds(web)
    )


def default_command(wsgi: str) -> list[str]:
    """Give the command that the image holds: the same for every stack, so that stacks can share an image."""
    return _command(wsgi, processes=MIN_WORKERS, threads=4, graceful=25)
