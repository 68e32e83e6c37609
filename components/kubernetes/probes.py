"""How the kubelet learns that a container has started, can serve and lives. Pure.

Readiness is asked often and acts at once: it only takes a pod out of its Service. Liveness kills, so it waits minutes:
a slow database or a full CPU is no reason to restart what would only start slowly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from pulumi_kubernetes import core

from components.health import HealthPage

STARTUP_SECONDS = 2
"""How often a container is asked until it answers for the first time."""

READINESS_SECONDS = 5
READINESS_FAILURES = 2
LIVENESS_SECONDS = 20
LIVENESS_FAILURES = 15
TIMEOUT_SECONDS = 5
"""How long one answer may take."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The three questions to a container."""

    startup: core.v1.ProbeArgs
    """Asked until it is answered; the others begin then."""
    readiness: core.v1.ProbeArgs
    """Whether it gets requests."""
    liveness: core.v1.ProbeArgs
    """Whether it goes on running."""


def page(health: HealthPage, port: int, startup_seconds: int) -> Probes:
    """Ask the health page of the app, as a visitor behind TLS would.

    The headers keep ``ALLOWED_HOSTS`` and ``SECURE_SSL_REDIRECT`` out of the way. A redirect counts as an answer.
    """
    return _probes(
        startup_seconds,
        http=core.v1.HTTPGetActionArgs(
            path=health.path,
            port=port,
            http_headers=[
                core.v1.HTTPHeaderArgs(name="Host", value=health.host),
                core.v1.HTTPHeaderArgs(name="X-Forwarded-Proto", value="https"),
            ],
        ),
    )


def status(path: str, port: int, startup_seconds: int) -> Probes:
    """Ask a page that needs no headers."""
    return _probes(startup_seconds, http=core.v1.HTTPGetActionArgs(path=path, port=port))


def program(command: Sequence[str], startup_seconds: int) -> Probes:
    """Run a command in the container that exits 0 when it is well."""
    return _probes(startup_seconds, command=core.v1.ExecActionArgs(command=[*command]))


def listens(port: int, startup_seconds: int) -> Probes:
    """Connect to a port, and say nothing."""
    return _probes(startup_seconds, connection=core.v1.TCPSocketActionArgs(port=port))


def _probes(
    startup_seconds: int,
    *,
    http: core.v1.HTTPGetActionArgs | None = None,
    command: core.v1.ExecActionArgs | None = None,
    connection: core.v1.TCPSocketActionArgs | None = None,
) -> Probes:
    def probe(period: int, failures: int, timeout: int = TIMEOUT_SECONDS) -> core.v1.ProbeArgs:
        return core.v1.ProbeArgs(
            http_get=http,
            exec_=command,
            tcp_socket=connection,
            period_seconds=period,
            failure_threshold=failures,
            timeout_seconds=timeout,
        )

    return Probes(
        startup=probe(STARTUP_SECONDS, ceil(startup_seconds / STARTUP_SECONDS)),
        readiness=probe(READINESS_SECONDS, READINESS_FAILURES),
        liveness=probe(LIVENESS_SECONDS, LIVENESS_FAILURES, 2 * TIMEOUT_SECONDS),
    )
