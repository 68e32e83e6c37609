"""How the kubelet learns that a container has started, can serve and lives. Pure.

Readiness is asked often and acts at once: it only takes a pod out of its Service. Liveness kills, so it waits minutes:
a slow database or a full CPU is no reason to restart what would only start slowly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from pulumi_kubernetes import core

from components import health
from components.health import HealthCheck
from components.model import Check

STARTUP_SECONDS = 2
"""How often a container is asked until it answers for the first time."""

READINESS_SECONDS = 5
READINESS_FAILURES = 2
LIVENESS_SECONDS = 20
LIVENESS_FAILURES = 15
TIMEOUT_SECONDS = 5
"""How long one answer may take."""

SLOW_STARTUP_SECONDS, SLOW_LIVENESS_SECONDS, SLOW_LIVENESS_FAILURES, SLOW_TIMEOUT_SECONDS = 5, 60, 5, 20
"""The same for commands of the project's own."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The three questions to a container."""

    startup: core.v1.ProbeArgs
    """Asked until it is answered; the others begin then."""
    readiness: core.v1.ProbeArgs | None
    """Whether it gets requests; None for what nobody asks anything."""
    liveness: core.v1.ProbeArgs
    """Whether it goes on running."""


@dataclass(frozen=True, kw_only=True)
class _Question:
    """One thing that can be asked. One field is set."""

    http: core.v1.HTTPGetActionArgs | None = None
    tcp: core.v1.TCPSocketActionArgs | None = None
    command: core.v1.ExecActionArgs | None = None


def of(check: HealthCheck, port: int, startup_seconds: int) -> Probes:
    """Ask the app what tells that it can serve."""
    return _probes(startup_seconds, _app(health.starting(check), port), _app(health.steady(check), port))


def status(path: str, port: int, startup_seconds: int) -> Probes:
    """Ask a page that needs no headers."""
    question = _Question(http=core.v1.HTTPGetActionArgs(path=path, port=port))
    return _probes(startup_seconds, question, question)


def program(command: Sequence[str], startup_seconds: int) -> Probes:
    """Run a command in the container that exits 0 when it is well."""
    question = _Question(command=core.v1.ExecActionArgs(command=[*command]))
    return _probes(startup_seconds, question, question)


def process(command: Sequence[str], startup_seconds: int) -> Probes:
    """Run a command of the project's own. It may start Django each time, so it is asked seldom and may take long."""
    run = core.v1.ExecActionArgs(command=[*command])
    ask = partial(core.v1.ProbeArgs, exec_=run, timeout_seconds=SLOW_TIMEOUT_SECONDS)
    return Probes(
        startup=ask(
            period_seconds=SLOW_STARTUP_SECONDS, failure_threshold=ceil(startup_seconds / SLOW_STARTUP_SECONDS)
        ),
        readiness=None,
        liveness=ask(period_seconds=SLOW_LIVENESS_SECONDS, failure_threshold=SLOW_LIVENESS_FAILURES),
    )


def _app(check: HealthCheck, port: int) -> _Question:
    """Ask the page as a visitor behind TLS would, the port, or the container itself.

    The headers keep ``ALLOWED_HOSTS`` and ``SECURE_SSL_REDIRECT`` out of the way. A redirect counts as an answer.
    """
    if check.kind is Check.TCP:
        return _Question(tcp=core.v1.TCPSocketActionArgs(port=port))
    if check.kind is Check.COMMAND or check.statuses != health.USUAL:
        # The kubelet itself knows no other statuses than the usual ones.
        return _Question(command=core.v1.ExecActionArgs(command=health.command(check)))
    headers = {"Host": check.host or "", "X-Forwarded-Proto": "https"}
    return _Question(
        http=core.v1.HTTPGetActionArgs(
            path=check.path,
            port=port,
            http_headers=[core.v1.HTTPHeaderArgs(name=name, value=value) for name, value in headers.items()],
        )
    )


def _probes(startup_seconds: int, first: _Question, later: _Question) -> Probes:
    def probe(question: _Question, period: int, failures: int, timeout: int = TIMEOUT_SECONDS) -> core.v1.ProbeArgs:
        return core.v1.ProbeArgs(
            http_get=question.http,
            tcp_socket=question.tcp,
            exec_=question.command,
            period_seconds=period,
            failure_threshold=failures,
            timeout_seconds=timeout,
        )

    return Probes(
        startup=probe(first, STARTUP_SECONDS, ceil(startup_seconds / STARTUP_SECONDS)),
        readiness=probe(later, READINESS_SECONDS, READINESS_FAILURES),
        liveness=probe(later, LIVENESS_SECONDS, LIVENESS_FAILURES, 2 * TIMEOUT_SECONDS),
    )
