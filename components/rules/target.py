"""What a target cannot follow, and what a cluster asks for. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.keys import NAME, Path_
from components.model import Expose, Kubernetes, Postgres, PostgresProvider, Target, TlsFrom
from components.problems import Problem, config_rm, config_set, full_key, show
from components.resolved import FILE, REGISTRY_VARIABLE, Resolved, at
from components.rules.needed import required


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
    ("edge", "gateway"): Only(
        target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"
    ),
    ("review", "gateway"): Only(
        target=Target.DOCKER,
        instead="nothing: the controller of the Ingress is what all environments are reached through",
    ),
    ("kubernetes",): Only(target=Target.KUBERNETES, instead="nothing below this key"),
    ("services", NAME, "size_gb"): Only(
        target=Target.KUBERNETES, instead="nothing, since a volume of Docker takes what its disk has"
    ),
    ("volumes", NAME, "size_gb"): Only(
        target=Target.KUBERNETES, instead="nothing: a volume is as large as the disk of the host"
    ),
    ("postgres", "provider"): Only(
        target=Target.KUBERNETES,
        instead=f"one of {PostgresProvider.SLIPWAY}, {PostgresProvider.EXTERNAL}",
        value=PostgresProvider.CLOUDNATIVE_PG,
    ),
}
"""What is refused where a stack's file says it for another target. Everything else means the same on all of them."""


def applies(path: Path_, target: Target) -> bool:
    """Whether a target has a setting."""
    ways = (only for other, only in ONLY_ON.items() if _is_below(path, other))
    return all(only.target is target or only.value is not None for only in ways)


def only_on(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find what a stack's file says for another target than its own."""
    target = resolved.parts.get("target")
    for path, only in ONLY_ON.items():
        said = [each for each, source in resolved.sources.items() if source == FILE and _is_below(each, path)]
        meant = only.value is None or at(resolved.values, path) == only.value
        if not isinstance(target, Target) or target is only.target or not meant:
            continue
        for found in dict.fromkeys(each[: len(path)] for each in said):
            yield Problem(
                key=full_key(found),
                found=f"{show(only.value)}, which is for target {only.target}"
                if only.value
                else f"a setting for target {only.target}",
                allowed=f"with target {target}: {only.instead}",
                mend=config_rm(found, stack),
            )


def instead(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find a port of a stack that is reached through a gateway: it publishes none."""
    if at(resolved.values, ("edge", "gateway")) is None:
        return
    for name in ("address", "port"):
        path: Path_ = ("edge", name)
        if resolved.sources.get(path) == FILE:
            yield Problem(
                key=full_key(path),
                found=show(at(resolved.values, path)),
                allowed="nothing, since slipway:edge.gateway says how the stack is reached",
                mend=config_rm(path, stack),
            )


def _is_below(path: Path_, other: Path_) -> bool:
    """Whether a path is another one or below it, where NAME in that stands for any name."""
    return len(path) >= len(other) and all(want in {NAME, part} for part, want in zip(path, other, strict=False))


def of_cluster(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong between the settings of a cluster."""
    cluster = parts.get("kubernetes")
    if not isinstance(cluster, Kubernetes) or parts.get("target") is not Target.KUBERNETES:
        return
    if cluster.registry is None:
        why = f"the cluster pulls the app's image from it ({REGISTRY_VARIABLE} in the environment says it too)"
        yield required(("kubernetes", "registry"), why, stack)
    if cluster.expose is Expose.GATEWAY and cluster.gateway is None:
        yield required(("kubernetes", "gateway"), "slipway:kubernetes.expose is gateway", stack)
    if cluster.tls is TlsFrom.CERT_MANAGER and cluster.issuer is None:
        yield required(("kubernetes", "issuer"), "slipway:kubernetes.tls is cert_manager", stack)
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
