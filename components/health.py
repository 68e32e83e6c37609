"""The health check of a web container: asked with what every Python image holds.

This module owns what is asked and the command that asks it. How often it runs and how long a container may take to
become healthy is decided by whoever starts the container.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from components import environment
from components.app import PORT
from components.model import App, Check, Health, Settings

TIMEOUT_SECONDS = 5
"""How long one answer may take. Docker's own time-out of the check should be one second longer."""

USUAL = "200-399"
"""The statuses that every platform takes for good."""

_REACHED = "100-501,505-599"

STARTED = "/tmp/slipway-started"  # noqa: S108 - in memory of the container's own, gone when it starts again
"""What is there once the page for the start was good."""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """What tells that the app can serve."""

    kind: Check
    """What is asked."""
    path: str
    """The page."""
    host: str | None
    """The public host name, which Django answers to; None for the first of ``ALLOWED_HOSTS`` in the environment."""
    statuses: str = USUAL
    """Statuses that are good: numbers and ranges, with commas between."""
    startup_path: str | None = None
    """The page that is asked first, until it is good; None for the same."""
    command: Sequence[str] = ()
    """The command, program first."""


# The C module below `socket`, and HTTP/1.0 by hand: `http.client` costs 60 ms of CPU in an image whose standard library
# is not compiled, as in the official ones, and this runs every few seconds in every web container.
_SCRIPT = """\
import _socket, os, sys
host = {host!r} or os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*") or "localhost"
{page}answer = b""
try:
    connection = _socket.socket()
    connection.settimeout({timeout})
    connection.connect(("127.0.0.1", {port}))
    lines = ["GET " + page + " HTTP/1.0", "Host: " + host, "X-Forwarded-Proto: https", "Connection: close", "", ""]
    connection.send("\\r\\n".join(lines).encode())
    while len(answer) < 10000 and (part := connection.recv(10000)):
        answer += part
    head, _, body = answer.decode("utf-8", "replace").partition("\\r\\n\\r\\n")
    _, status, *reason = head.split("\\r\\n")[0].split(" ", 2)
    good = any(first <= int(status) <= last for first, last in {ranges})
except Exception as error:
    sys.exit(f"no answer: {{error}}")
print(status, *reason, flush=True)
if not good:
    sys.exit(body[:400].strip() or "no text")
{after}"""

_FIRST = """\
starting = not os.path.exists({started!r})
page = {startup!r} if starting else {path!r}
"""

_NOTE = """\
if starting:
    open({started!r}, "w").close()
"""

_CONNECT = """\
import _socket, sys
try:
    connection = _socket.socket()
    connection.settimeout({timeout})
    connection.connect(("127.0.0.1", {port}))
except Exception as error:
    sys.exit(f"{why}: {{error}}")
"""


def listens(port: int, *, timeout: int = TIMEOUT_SECONDS) -> list[str]:
    """Give the command that exits 0 when something takes connections on a port, and else says so and exits 1."""
    return _program(_CONNECT.format(port=port, timeout=timeout, why=f"nothing takes connections on port {port}"))


def of(settings: Settings) -> HealthCheck:
    """Give what a stack asks its app."""
    check = _check(settings.app, settings.health, settings.domain)
    return replace(check, command=environment.exporting(settings.app, check.command)) if check.command else check


def of_image(app: App, health: Health) -> HealthCheck:
    """Give what the image asks by itself: the same for every stack, so that stacks can share an image."""
    return _check(app, health, None)


def _check(app: App, said: Health, host: str | None) -> HealthCheck:
    return HealthCheck(
        kind=said.check,
        path=app.health_path,
        host=host,
        statuses=said.status,
        startup_path=said.startup_path,
        command=said.command or (),
    )


def starting(check: HealthCheck) -> HealthCheck:
    """Give what is asked at the start alone, for platforms that tell the start from what comes after."""
    return replace(check, path=check.startup_path or check.path, startup_path=None)


def steady(check: HealthCheck) -> HealthCheck:
    """Give what is asked from then on."""
    return replace(check, startup_path=None)


def through_the_edge(check: HealthCheck) -> str:
    """Give the statuses of the page that say that the app answers, where a page is all that can be asked.

    Where the page is not what tells, it may say anything but that the edge did not reach the app.
    """
    return check.statuses if check.kind is Check.PAGE else _REACHED


def ranges(statuses: str) -> list[tuple[int, int]]:
    """Read statuses as the first and the last of each range."""
    pairs = (part.partition("-") for part in statuses.split(","))
    return [(int(first), int(last or first)) for first, _, last in pairs]


def command(check: HealthCheck, *, timeout: int = TIMEOUT_SECONDS) -> list[str]:
    """Give the command that exits 0 when the app can serve, and else prints why not and exits 1.

    It sends the ``Host`` that Django allows and ``X-Forwarded-Proto: https``, so that neither ``ALLOWED_HOSTS`` nor
    ``SECURE_SSL_REDIRECT`` stands in the way. A redirect counts as an answer and is not followed.
    What it prints on a failure, ``docker inspect`` shows.

    Args:
        check: what is asked.
        timeout: seconds to wait for the connection and for each part of the answer.
    """
    if check.kind is Check.COMMAND:
        return [*check.command]
    if check.kind is Check.TCP:
        return _program(_CONNECT.format(port=PORT, timeout=timeout, why="no answer"))
    first = check.startup_path
    return _program(
        _SCRIPT.format(
            host=check.host or "",
            page=f"page = {check.path!r}\n"
            if first is None
            else _FIRST.format(started=STARTED, startup=first, path=check.path),
            port=PORT,
            timeout=timeout,
            ranges=ranges(check.statuses),
            after="" if first is None else _NOTE.format(started=STARTED),
        )
    )


def _program(text: str) -> list[str]:
    # -I and -S: the standard library alone, so that nothing of the project runs, and it starts a quarter faster.
    return ["python3", "-I", "-S", "-c", text]
