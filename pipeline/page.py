"""Asking the served page over HTTP, as a browser would.

It follows no redirect and sends nothing but the question.
"""

import http.client
import time
from dataclasses import dataclass

from components.settings import Settings

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1"}  # noqa: S104 - compared with, never bound
SERVER_ERROR = 500


@dataclass(frozen=True)
class Page:
    """The answer to one question."""

    url: str
    status: int | None
    seconds: float
    error: str = ""

    @property
    def served(self) -> bool:
        """Whether the application answered, be it with a redirect or "not found"."""
        return self.status is not None and self.status < SERVER_ERROR


def url(settings: Settings) -> str:
    """The address to open in a browser."""
    edge = settings.edge
    host = ANY_ADDRESS.get(edge.address, edge.address)
    if settings.domain != "localhost":
        host = settings.domain
    return f"http://{host}/" if edge.port == http.client.HTTP_PORT else f"http://{host}:{edge.port}/"


def ask(settings: Settings, path: str = "/", timeout: float = 10) -> Page:
    """Ask once, at the published address, with the domain's name."""
    address = ANY_ADDRESS.get(settings.edge.address, settings.edge.address)
    start = time.monotonic()
    connection = http.client.HTTPConnection(address, settings.edge.port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Host": settings.domain, "Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        return Page(url(settings), answer.status, time.monotonic() - start)
    except (OSError, http.client.HTTPException) as error:
        return Page(url(settings), None, time.monotonic() - start, str(error) or type(error).__name__)
    finally:
        connection.close()


def wait(settings: Settings, limit: float = 15) -> Page:
    """Ask until the application answers, for a bounded time."""
    end = time.monotonic() + limit
    while True:
        page = ask(settings)
        if page.served or time.monotonic() > end:
            return page
        time.sleep(0.2)
