"""Load on one address, for tests and for numbers: visitors that read, that write a row, and that ask a slow page.

Every request is a new connection, as from a new visitor. It counts what was answered wrongly or not at all, and knows
which rows were acknowledged, so that each can be looked for in the database. It needs nothing but Python, so that it
runs in a pod too (``tests/e2e/cluster_load.py``), where it says all the time how far it is. By hand:

    python tests/e2e/load.py --port 8080 --seconds 10
"""

import argparse
import http.client
import json
import re
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from types import TracebackType
from typing import Any, Self
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


@dataclass(kw_only=True)
class Report:
    """What came of it."""

    seconds: float = 0
    answered: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    written: list[float] = field(default_factory=list)
    """When rows were acknowledged, on the clock of whoever asked."""

    @property
    def requests(self) -> int:
        """Every request so far."""
        return sum(self.answered.values()) + len(self.failures)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def silence(self) -> float:
        """The longest time between two acknowledged rows."""
        return max((after - before for before, after in pairwise(self.written)), default=0.0)

    @property
    def p99(self) -> float:
        """How long all but one in a hundred readers waited at most, in milliseconds."""
        return quantiles(self.latencies, n=100)[98] * 1000 if len(self.latencies) > 1 else 0.0

    def summary(self) -> str:
        """What was asked and what failed, in one line."""
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(self.answered.items()))
        failed = f"{len(self.failures)} failed"
        if self.failures:
            failed += ": " + "; ".join(self.failures[:SHOWN_FAILURES])
        return f"{self.requests} requests ({kinds}), p99 of reading {self.p99:.0f} ms, {failed}"

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """Take a report out of JSON."""
        return cls(**{**values, "answered": Counter(values["answered"]), "versions": Counter(values["versions"])})


@dataclass
class Load(Report):
    """Visitors that come until they are told to stop; use it as a context."""

    port: int
    address: str = "127.0.0.1"
    host: str | None = None
    """The name that is asked for, where it is not the address."""
    kinds: tuple[Kind, ...] = KINDS
    slow_seconds: float = 3

    def __post_init__(self) -> None:
        """Prepare, and ask nothing yet."""
        self._mark = secrets.token_hex(4)
        self._written = 0
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Let the visitors come."""
        cookie, token = self._form()
        self._begun = time.monotonic()
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
        self.seconds = time.monotonic() - self._begun
        self._end.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS * 2)

    def wait_for(self, requests: int, limit: float = 30) -> None:
        """Wait until that many more requests were answered."""
        goal, end = self.requests + requests, time.monotonic() + limit
        while self.requests < goal:
            assert time.monotonic() < end, f"only {self.requests} of {goal} requests within {limit} s: {self.summary()}"
            time.sleep(0.05)

    def report(self) -> dict[str, Any]:
        """What came of it, as JSON can have it."""
        return {each.name: getattr(self, each.name) for each in fields(Report)}

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
            named = {"Host": self.host} if self.host else {}
            connection.request(method, path, body, {"Connection": "close", **named, **(headers or {})})
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
            self.written.append(time.monotonic())

    def _slow(self) -> None:
        answer, body = self._ask(f"/slow?seconds={self.slow_seconds:g}")
        assert answer.status == http.HTTPStatus.OK, f"status {answer.status}"
        assert body.startswith(b"waited"), "half an answer"


def main() -> None:
    """Put load on an address for some seconds, or until a file appears."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="127.0.0.1", help="where to ask; a name is looked up once")
    parser.add_argument("--host", help="the name to ask for, where it is not the address")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--seconds", type=float, default=10, help="how long, at most")
    parser.add_argument("--kinds", type=json.loads, help="JSON: a list of [kind, visitors, pause]")
    parser.add_argument("--slow-seconds", type=float, default=3)
    parser.add_argument("--until", type=Path, help="a file that ends it; then reports are JSON, several a second")
    arguments = parser.parse_args()
    load = Load(
        arguments.port,
        # Every request is a new connection: a name would be asked for as often.
        address=socket.gethostbyname(arguments.address),
        host=arguments.host,
        kinds=tuple(Kind(*each) for each in arguments.kinds) if arguments.kinds else KINDS,
        slow_seconds=arguments.slow_seconds,
    )
    end = time.monotonic() + arguments.seconds
    with load:
        while time.monotonic() < end and not (arguments.until and arguments.until.exists()):
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))
            if arguments.until:
                print(json.dumps({"answered": load.answered, "failed": len(load.failures)}), flush=True)
    print(json.dumps(load.report()) if arguments.until else load.summary(), flush=True)


if __name__ == "__main__":
    main()
