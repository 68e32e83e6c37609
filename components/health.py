"""The health check of a web container: one request, asked with what every Python image holds.

This module owns the command. How often it runs and how long a container may take to become healthy is decided
by whoever starts the container.
"""

from dataclasses import dataclass

from components.app import PORT

TIMEOUT_SECONDS = 5
"""How long one answer may take. Docker's own time-out of the check should be one second longer."""


@dataclass(frozen=True, kw_only=True)
class HealthPage:
    """The page that answers below 400 when the app can serve."""

    path: str
    """Its path."""
    host: str
    """The public host name, which Django answers to."""


# The C module below `socket`, and HTTP/1.0 by hand: `http.client` costs 60 ms of CPU in an image whose standard library
# is not compiled, as in the official ones, and this runs every few seconds in every web container.
_SCRIPT = """\
import _socket, os, sys
host = {host!r} or os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*") or "localhost"
answer = b""
try:
    connection = _socket.socket()
    connection.settimeout({timeout})
    connection.connect(("127.0.0.1", {port}))
    lines = ["GET " + {path!r} + " HTTP/1.0", "Host: " + host, "X-Forwarded-Proto: https", "Connection: close", "", ""]
    connection.send("\\r\\n".join(lines).encode())
    while len(answer) < 10000 and (part := connection.recv(10000)):
        answer += part
    head, _, body = answer.decode("utf-8", "replace").partition("\\r\\n\\r\\n")
    _, status, *reason = head.split("\\r\\n")[0].split(" ", 2)
    failed = int(status) >= 400
except Exception as error:
    sys.exit(f"no answer: {{error}}")
print(status, *reason)
if failed:
    sys.exit(body[:400].strip() or "no text")
"""


_LISTENS = """\
import _socket, sys
connection = _socket.socket()
connection.settimeout({timeout})
try:
    connection.connect(("127.0.0.1", {port}))
except Exception as error:
    sys.exit(f"nothing takes connections on port {port}: {{error}}")
"""


def listens(port: int, *, timeout: int = TIMEOUT_SECONDS) -> list[str]:
    """Give the command that exits 0 when something takes connections on a port, and else says so and exits 1."""
    return ["python3", "-I", "-S", "-c", _LISTENS.format(port=port, timeout=timeout)]


def command(path: str, host: str | None = None, *, timeout: int = TIMEOUT_SECONDS) -> list[str]:
    """Give the command that exits 0 when the app answers below 400, and else prints why not and exits 1.

    It sends the ``Host`` that Django allows and ``X-Forwarded-Proto: https``, so that neither ``ALLOWED_HOSTS`` nor
    ``SECURE_SSL_REDIRECT`` stands in the way. A redirect counts as an answer and is not followed.
    What it prints on a failure, ``docker inspect`` shows.

    Args:
        path: path of the health page, such as ``/healthz``.
        host: public host name; without one, the first entry of ``ALLOWED_HOSTS`` in the container's environment,
            so that one image serves every environment.
        timeout: seconds to wait for the connection and for each part of the answer.
    """
    # -I and -S: the standard library alone, so that nothing of the project runs, and it starts a quarter faster.
    return ["python3", "-I", "-S", "-c", _SCRIPT.format(host=host or "", path=path, port=PORT, timeout=timeout)]
