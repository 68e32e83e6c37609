"""Asking the served page over HTTP, as a browser would.

It follows no redirect and sends nothing but the question. Where to ask is for the module of each target to know.
"""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SERVER_ERROR = 500
LIMIT_SECONDS = 15
PAUSE_SECONDS = 0.2


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


def ask(
    url: str, connect: Callable[[], http.client.HTTPConnection], headers: Mapping[str, str], path: str = "/"
) -> Page:
    """Ask once."""
    start = time.monotonic()
    try:
        connection = connect()
        try:
            connection.request("GET", path, headers={**headers, "Connection": "close"})
            answer = connection.getresponse()
            answer.read()
            return Page(url, answer.status, time.monotonic() - start)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return Page(url, None, time.monotonic() - start, str(error) or type(error).__name__)


def wait(once: Callable[[], Page], limit: float = LIMIT_SECONDS) -> Page:
    """Ask until the application answers, for a bounded time."""
    end = time.monotonic() + limit
    while True:
        page = once()
        if page.served or time.monotonic() > end:
            return page
        time.sleep(PAUSE_SECONDS)
