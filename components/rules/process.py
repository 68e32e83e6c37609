"""What the settings of processes ask of each other: how many, how they are asked, how they end. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.health import ranges
from components.keys import KEYS, Path_
from components.model import Check, Edge, Health, Kind, Process, Server, Web
from components.problems import Problem, config_rm, config_set, full_key, show
from components.rules.needed import required

_LEAST_MEMORY = {"web": 128, "postgres": 128, "redis": 32, "edge": 32}
"""MiB below which the process does not start reliably."""


def between(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong with what runs: what it may use, how many there are, how they are asked and how they end."""
    for name in _LEAST_MEMORY:
        if name in parts:
            yield from _memory(name, parts[name].resources.memory_mb, stack)
    if "processes" in parts:
        yield from _processes(parts["processes"], stack)
    if "health" in parts:
        yield from _health(parts["health"], stack)
    if "web" in parts:
        yield from _web(parts["web"], stack)
    if parts.get("environment") is Kind.PROD and {"web", "edge"} <= set(parts):
        yield from _grace(parts["web"], parts["edge"], stack)


def _memory(name: str, memory_mb: int, stack: str) -> Iterator[Problem]:
    """Find a limit with which nothing starts."""
    least = _LEAST_MEMORY[name]
    if memory_mb < least:
        path: Path_ = (name, "resources", "memory_mb")
        yield Problem(
            key=full_key(path),
            found=show(memory_mb),
            allowed=f"at least {least}, below which {name} does not start",
            mend=config_set(path, least, stack),
        )


def _grace(web: Web, edge: Edge, stack: str) -> Iterator[Problem]:
    """Find that a release would cut requests short."""
    if web.stop_grace_seconds < edge.timeout_seconds:
        path: Path_ = ("web", "stop_grace_seconds")
        yield Problem(
            key=full_key(path),
            found=show(web.stop_grace_seconds),
            allowed=f"in prod at least slipway:edge.timeout_seconds ({edge.timeout_seconds}), "
            "or a release cuts requests that the edge still waits for",
            mend=config_set(path, edge.timeout_seconds, stack),
        )


def _processes(processes: Mapping[str, Process], stack: str) -> Iterator[Problem]:
    """Find processes that there can be but one of, and which are said to be several, or cannot be asked."""
    for name, process in processes.items():
        above: Path_ = ("processes", name)
        alone = "schedule" if process.schedule is not None else "singleton"
        if process.replicas > 1 and (process.singleton or process.schedule is not None):
            path = (*above, "replicas")
            yield Problem(
                key=full_key(path),
                found=show(process.replicas),
                allowed=f"1, since {full_key((*above, alone))} lets there be one",
                mend=config_set(path, 1, stack),
            )
        if process.schedule is not None and process.port is not None:
            path = (*above, "port")
            yield Problem(
                key=full_key(path),
                found=show(process.port),
                allowed=f"nothing, since it does not run all the time ({full_key((*above, 'schedule'))})",
                mend=config_rm(path, stack),
            )
        if process.schedule is not None and process.health_command is not None:
            path = (*above, "health_command")
            yield Problem(
                key=full_key(path),
                found="a command",
                allowed=f"nothing, since it does not run all the time ({full_key((*above, 'schedule'))})",
                mend=config_rm(path, stack),
            )


def _health(health: Health, stack: str) -> Iterator[Problem]:
    """Find a check without what it asks, and what another check would ask."""
    if health.check is Check.COMMAND and health.command is None:
        yield required(("health", "command"), "slipway:health.check is command", stack)
    for name, check in (("command", Check.COMMAND), ("startup_path", Check.PAGE)):
        if getattr(health, name) is not None and health.check is not check:
            path: Path_ = ("health", name)
            yield Problem(
                key=full_key(path),
                found=show(getattr(health, name)),
                allowed=f"nothing, unless slipway:health.check is {check}",
                mend=config_set(("health", "check"), check, stack),
            )
    for first, last in ranges(health.status):
        if first > last:
            path = ("health", "status")
            yield Problem(
                key=full_key(path),
                found=f"{first}-{last}, a range that ends before it begins",
                allowed=KEYS[path].allowed,
                mend=config_set(path, f"{last}-{first}", stack),
            )


def _web(web: Web, stack: str) -> Iterator[Problem]:
    """Find what does not go together in what serves the app."""
    gunicorn = web.server in {Server.GUNICORN, Server.GUNICORN_ASGI}
    if web.worker_class is not None and (not gunicorn or web.command is not None):
        path: Path_ = ("web", "worker_class")
        why = "slipway:web.command says what runs" if web.command is not None else f"{web.server} has no such classes"
        yield Problem(
            key=full_key(path),
            found=show(web.worker_class),
            allowed=f"nothing, since {why}",
            mend=config_rm(path, stack),
        )
