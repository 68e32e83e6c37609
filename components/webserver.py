"""The command line of the server of the app, and how many processes and connections it means.

This module owns the flags of gunicorn, uvicorn and daphne. It does not know containers; ``dockerfile.py`` bakes a
command into the image as a default, and the web containers pass the one of their stack.
"""

from collections.abc import Sequence
from math import ceil

from components.app import PORT
from components.model import App, Server, Settings, Web

WORKER_MB = 150
"""Memory that one worker of an ordinary Django project may grow to, in MiB (80 to 200 measured elsewhere)."""

MIN_WORKERS, MAX_WORKERS = 2, 12
"""Two, so that one stuck worker is not an outage; twelve is where gunicorn's documentation stops seeing a gain."""

TIMEOUT_SECONDS = 30
"""A worker that has not reported for so long is killed. Threads report while a request runs, so slow requests live."""

KEEPALIVE_SECONDS = 75
"""Longer than nginx keeps an idle connection (60), so that the server never closes one that nginx is about to use."""

ASYNC_CONNECTIONS = 20
"""What one worker of an ASGI server may hold open of the database: Django gives each request a thread of its own."""

ENVIRONMENT = {"HOME": "/tmp"}  # noqa: S108 - a tmpfs of the container's own
"""What gunicorn needs on a read-only root: from 25.1 on it puts a control socket under ``$HOME``.

The flag that turns the socket off is unknown to older versions, and a project brings its own version.
"""

ASGI = frozenset({Server.GUNICORN_ASGI, Server.UVICORN, Server.DAPHNE})
"""The servers that run the project's ASGI application."""

_WORKER_CLASSES = {Server.GUNICORN: "gthread", Server.GUNICORN_ASGI: "uvicorn_worker.UvicornWorker"}
_ACCESS_LOG = '%({x-forwarded-for}i)s "%(r)s" %(s)s %(b)s %(L)ss'


def workers(web: Web) -> int:
    """Count the worker processes: ``2 * cpus + 1`` between 2 and 12, and no more than 80 % of the memory holds.

    The limit of the container counts, not the cores of the host, which is what gunicorn itself would see. daphne is one
    process.
    """
    if web.server is Server.DAPHNE:
        return 1
    by_cpu = min(max(int(2 * web.resources.cpus) + 1, MIN_WORKERS), MAX_WORKERS)
    by_memory = int(web.resources.memory_mb * 0.8 / WORKER_MB)
    return max(1, min(by_cpu, by_memory))


def graceful_seconds(web: Web) -> int:
    """How long the server lets requests finish after SIGTERM: a little less than the container gets before SIGKILL.

    A fifth less, at most 5 seconds, never below 1 second.
    """
    grace = web.stop_grace_seconds
    return max(1, grace - min(5, ceil(grace / 5)))


def connections(web: Web) -> int:
    """How many database connections the web containers may hold open while a release replaces another one."""
    each = ASYNC_CONNECTIONS if web.server in ASGI else web.threads
    return 2 * web.replicas * workers(web) * each


def kind(web: Web) -> str:
    """Name the interface that the server speaks with the app: ``wsgi`` or ``asgi``."""
    return "asgi" if web.server in ASGI else "wsgi"


def application(app: App, web: Web) -> str:
    """Give the application that the server runs, as ``MODULE:NAME``."""
    return app.asgi_module if kind(web) == "asgi" else app.wsgi_module


def command(settings: Settings) -> list[str]:
    """Give the command of a web container of this stack, program first."""
    web = settings.web
    if web.command is not None:
        return [*web.command]
    return _command(settings.app, web, processes=workers(web), threads=web.threads, graceful=graceful_seconds(web))


def default_command(app: App, web: Web) -> list[str]:
    """Give the command that the image holds: the same for every stack, so that stacks can share an image."""
    return _command(app, web, processes=MIN_WORKERS, threads=4, graceful=25)


def _command(app: App, web: Web, *, processes: int, threads: int, graceful: int) -> list[str]:
    runs = application(app, web)
    match web.server:
        case Server.UVICORN:
            return _uvicorn(runs, processes, graceful)
        case Server.DAPHNE:
            return _daphne(runs, graceful)
        case _:
            workers_are = web.worker_class or _WORKER_CLASSES[web.server]
            # Other classes than this one have no threads.
            threaded = [f"--threads={threads}"] if workers_are == "gthread" else []
            return _gunicorn(runs, workers_are, processes, threaded, graceful)


def _gunicorn(application: str, kind: str, processes: int, threads: Sequence[str], graceful: int) -> list[str]:
    return [
        "gunicorn",
        application,
        f"--bind=0.0.0.0:{PORT}",
        f"--worker-class={kind}",
        f"--workers={processes}",
        *threads,
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


def _uvicorn(application: str, processes: int, graceful: int) -> list[str]:
    return [
        "uvicorn",
        application,
        "--host=0.0.0.0",
        f"--port={PORT}",
        f"--workers={processes}",
        f"--timeout-graceful-shutdown={graceful}",
        f"--timeout-keep-alive={KEEPALIVE_SECONDS}",
        "--proxy-headers",
        "--forwarded-allow-ips=*",
    ]


def _daphne(application: str, graceful: int) -> list[str]:
    return [
        "daphne",
        "--bind=0.0.0.0",
        f"--port={PORT}",
        "--proxy-headers",
        "--access-log=-",
        f"--application-close-timeout={graceful}",
        application,
    ]
