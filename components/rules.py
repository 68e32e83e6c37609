"""Rules between settings: what one value asks of another, and what a target cannot follow.

Each rule gives problems and changes nothing. What one value may be by itself is in its type (``components/model.py``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.keys import KEYS, Path_
from components.model import Expose, Kind, Kubernetes, Postgres, PostgresProvider, Target, TlsFrom
from components.problems import Problem, config_rm, config_set, full_key, show
from components.resolved import FILE, REGISTRY_VARIABLE, Resolved, at


@dataclass(frozen=True, kw_only=True)
class Only:
    """A setting that one target alone can follow."""

    target: Target
    """The target."""
    instead: str
    """What there is on other targets, in words."""
    value: str | None = None
    """The value that it is about; None for all."""


ONLY_ON: Mapping[Path_, Only] = {
    ("edge", "address"): Only(
        target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"
    ),
    ("edge", "port"): Only(target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"),
    ("kubernetes",): Only(target=Target.KUBERNETES, instead="nothing below this key"),
    ("postgres", "provider"): Only(
        target=Target.KUBERNETES,
        instead=f"one of {PostgresProvider.SLIPWAY}, {PostgresProvider.EXTERNAL}",
        value=PostgresProvider.CLOUDNATIVE_PG,
    ),
}
"""What is refused where a stack's file says it for another target. Everything else means the same on all of them."""


def applies(path: Path_, target: Target) -> bool:
    """Whether a target has a setting."""
    ways = (ONLY_ON.get(path[:end]) for end in range(1, len(path) + 1))
    return all(only.target is target or only.value is not None for only in ways if only is not None)


def only_on(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find what a stack's file says for another target than its own."""
    target = resolved.parts.get("target")
    for path, only in ONLY_ON.items():
        said = [each for each, source in resolved.sources.items() if source == FILE and each[: len(path)] == path]
        meant = only.value is None or at(resolved.values, path) == only.value
        if isinstance(target, Target) and target is not only.target and said and meant:
            yield Problem(
                key=full_key(path),
                found=f"{show(only.value)}, which is for target {only.target}"
                if only.value
                else f"a setting for target {only.target}",
                allowed=f"with target {target}: {only.instead}",
                mend=config_rm(path, stack),
            )


def _required(path: Path_, why: str, stack: str) -> Problem:
    """Say that a value is needed, since another one is what it is."""
    key = KEYS[path]
    return Problem(
        key=key.name, found="nothing", allowed=f"{key.allowed}; {why}", mend=config_set(path, key.example, stack)
    )


def of_cluster(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong between the settings of a cluster."""
    cluster = parts.get("kubernetes")
    if not isinstance(cluster, Kubernetes) or parts.get("target") is not Target.KUBERNETES:
        return
    if cluster.registry is None:
        why = f"the cluster pulls the app's image from it ({REGISTRY_VARIABLE} in the environment says it too)"
        yield _required(("kubernetes", "registry"), why, stack)
    if cluster.expose is Expose.GATEWAY and cluster.gateway is None:
        yield _required(("kubernetes", "gateway"), "slipway:kubernetes.expose is gateway", stack)
    if cluster.tls is TlsFrom.CERT_MANAGER and cluster.issuer is None:
        yield _required(("kubernetes", "issuer"), "slipway:kubernetes.tls is cert_manager", stack)
    if cluster.tls is not TlsFrom.NONE and cluster.expose not in {Expose.INGRESS, Expose.GATEWAY}:
        yield Problem(
            key=full_key(("kubernetes", "tls")),
            found=show(cluster.tls),
            allowed=f"none, since TLS ends in an Ingress or a Gateway and slipway:kubernetes.expose is {cluster.expose}",
            mend=config_set(("kubernetes", "expose"), Expose.INGRESS, stack),
        )
    scale = cluster.autoscale
    if scale.min > scale.max:
        path = ("kubernetes", "autoscale", "max")
        yield Problem(
            key=full_key(path),
            found=show(scale.max),
            allowed=f"at least slipway:kubernetes.autoscale.min ({scale.min})",
            mend=config_set(path, scale.min, stack),
        )
    postgres = parts.get("postgres")
    if cluster.instances > 1 and isinstance(postgres, Postgres) and postgres.provider is PostgresProvider.SLIPWAY:
        yield Problem(
            key=full_key(("kubernetes", "instances")),
            found=show(cluster.instances),
            allowed="1, unless slipway:postgres.provider is cloudnative-pg",
            mend=config_set(("postgres", "provider"), PostgresProvider.CLOUDNATIVE_PG, stack),
        )


_LEAST_MEMORY = {"web": 128, "postgres": 128, "redis": 32, "edge": 32}
"""MiB below which the process does not start reliably."""

OURS = frozenset(
    {
        "DJANGO_SETTINGS_MODULE",
        "SLIPWAY_RELEASE",
        *(name + end for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL") for end in ("", "_FILE")),
    }
)
"""Environment variables that Slipway sets."""


def between(parts: Mapping[str, Any], stack: str) -> list[Problem]:
    """Find what is wrong between values that are right each by itself."""
    problems = []
    for name, least in _LEAST_MEMORY.items():
        if name in parts and parts[name].resources.memory_mb < least:
            path: Path_ = (name, "resources", "memory_mb")
            problems.append(
                Problem(
                    key=full_key(path),
                    found=show(parts[name].resources.memory_mb),
                    allowed=f"at least {least}, below which {name} does not start",
                    mend=config_set(path, least, stack),
                )
            )
    for name in sorted(OURS & set(parts["app"].environment)) if "app" in parts else ():
        path = ("app", "environment", name)
        problems.append(
            Problem(
                key=full_key(path),
                found="a variable that Slipway sets itself",
                allowed=f"any name but {', '.join(sorted(OURS))}",
                mend=config_rm(path, stack),
            )
        )
    if (
        parts.get("environment") is Kind.PROD
        and {"web", "edge"} <= set(parts)
        and parts["web"].stop_grace_seconds < parts["edge"].timeout_seconds
    ):
        path = ("web", "stop_grace_seconds")
        problems.append(
            Problem(
                key=full_key(path),
                found=show(parts["web"].stop_grace_seconds),
                allowed=f"in prod at least slipway:edge.timeout_seconds ({parts['edge'].timeout_seconds}), "
                "or a release cuts requests that the edge still waits for",
                mend=config_set(path, parts["edge"].timeout_seconds, stack),
            )
        )
    return problems
