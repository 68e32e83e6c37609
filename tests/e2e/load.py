"""Load on one address, for tests and for numbers: visitors that read, that write a row, and that ask a slow page.

Every request is a new connection, as from a new visitor. It counts what was answered wrongly or not at all, and knows
which rows were acknowledged, so that each can be looked for in the database. By hand:

    python tests/e2e/load.py --port 8080 --seconds 10
"""

import argparse
import http.client
import json
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

TIMEOUT_SECONDS = 15
SHOWN_FAILURES = 10


@dataclass(frozen=True)
class Kind:
    """One kind of visitor: how many there are, and how long each waits between two requests."""

    name: str
    visitors: int
    pause: float


KINDS = (Kind("read", 4, 0.04), Kind("write", 2, 0.1), Kind("slow", 2, 0.1))


@dataclass
class Load:
    """Visitors that come until they are told to stop; use it as a context."""

    port: int
    address: str = "127.0.0.1"
    kinds: tuple[Kind, ...] = KINDS
    slow_seconds: float = 3
    answered: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Prepare, and ask nothing yet."""
        self._mark = secrets.token_hex(4)
        self._written = 0
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def requests(self) -> int:
        """Every request so far."""
        return sum(self.answered.values()) + len(self.failures)

    def __enter__(self) -> Self:
        """Let the visitors come."""
        cookie, token = self._form()
        self._headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self._token = token
        work: dict[str, Callable[[], None]] = {"read": self._read, "write": self._write, "slow": self._slow}
        for kind in self.kinds:
            for number in range(kind.visitors):
                # Slow ones come one after the other, so that at any time one of them has long to wait yet.
                first = self.slow_seconds * number / kind.visitors if kind.name == "slow" else 0
                thread = threading.Thread(target=self._visit, args=(kind, work[kind.name], first), daemon=True)
                self._threads.append(thread)
                thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the last answers."""
        self._end.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS * 2)

    def wait_for(self, requests: int, limit: float = 30) -> None:
        """Wait until that many more requests were answered."""
        goal, end = self.requests + requests, time.monotonic() + limit
        while self.requests < goal:
            assert time.monotonic() < end, f"only {self.requests} of {goal} requests within {limit} s: {self.summary()}"
            time.sleep(0.05)

    def summary(self) -> str:
        """What was asked and what failed, in one line."""
        p99 = quantiles(self.latencies, n=100)[98] * 1000 if len(self.latencies) > 1 else 0
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(self.answered.items()))
        failed = f"{len(self.failures)} failed"
        if self.failures:
            failed += ": " + "; ".join(self.failures[:SHOWN_FAILURES])
        return f"{self.requests} requests ({kinds}), p99 of reading {p99:.0f} ms, {failed}"

    def _visit(self, kind: Kind, work: Callable[[], None], first: float) -> None:
        self._end.wait(first)
        while not self._end.is_set():
            begun = time.monotonic()
            try:
                work()
            except (OSError, http.client.HTTPException, AssertionError) as error:
                with self._lock:
                    after = time.monotonic() - begun
                    self.failures.append(f"{kind.name} after {after:.2f} s: {type(error).__name__} {error}")
            else:
                with self._lock:
                    self.answered[kind.name] += 1
            self._end.wait(kind.pause)

    def _ask(
        self, path: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Connection": "close", **(headers or {})})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _form(self) -> tuple[str, str]:
        answer, body = self._ask("/")
        found = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', body)
        cookie = answer.getheader("Set-Cookie")
        assert answer.status == http.HTTPStatus.OK, f"status {answer.status}"
        assert found, "no form on the page"
        assert cookie, "no cookie with the form"
        return cookie.partition(";")[0], found[1].decode()

    def _read(self) -> None:
        begun = time.monotonic()
        answer, body = self._ask("/version")
        assert answer.status == http.HTTPStatus.OK, f"status {answer.status}"
        with self._lock:
            self.latencies.append(time.monotonic() - begun)
            self.versions[json.loads(body)["version"]] += 1

    def _write(self) -> None:
        with self._lock:
            self._written += 1
            message = f"load-{self._mark}-{self._written}"
        form = urlencode({"csrfmiddlewaretoken": self._token, "name": "Load", "message": message})
        answer, _ = self._ask("/", "POST", form, self._headers)
        assert answer.status == http.HTTPStatus.FOUND, f"status {answer.status}"
        with self._lock:
            self.acknowledged.append(message)

    def _slow(self) -> None:
        answer, body = self._ask(f"/slow?seconds={self.slow_seconds:g}")
        assert answer.status == http.HTTPStatus.OK, f"status {answer.status}"
        assert body.startswith(b"waited"), "half an answer"


def main() -> None:
    """Put load on an address for some seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    with Load(arguments.port) as load:
        time.sleep(arguments.seconds)
    print(load.summary())


if __name__ == "__main__":
    main()
