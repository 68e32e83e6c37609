"""The page of the docs that says what a stack takes of a cluster: from the defaults and the budget, by no hand.

It writes tables. What is counted, and how much room there is on top, is decided in ``components/budget.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from components.budget import LEAST_REQUEST, REQUEST_SHARE, ROOM, Budget, budget, cpu_request, web_replicas
from components.model import Kind, Resources, Settings
from components.settings import parse

COMMAND = "python -m pipeline generate"
PAGE = "docs/kubernetes-sizing.md"

_SAID = {
    "target": "kubernetes",
    "domain": "shop.example.org",
    "app": {"name": "shop", "source": "examples/guestbook", "settings_module": "config.settings"},
    "kubernetes": {"registry": "registry.example.org"},
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one component takes."""

    component: str
    """Its name."""
    running: int
    """How many of it run all the time."""
    most: int
    """How many there can be at once: old and new ones of a release, steps that run once."""
    resources: Resources
    """What each may use."""
    storage_gb: int = 0
    """Its claim, in GiB."""


def usual(kind: Kind) -> Settings:
    """Give the settings of a stack that says nothing but what is required."""
    return parse({"environment": str(kind), **_SAID}, "example")


def rows(settings: Settings) -> list[Row]:
    """Give what each component takes."""
    web, edge, storage = web_replicas(settings), settings.kubernetes.edge_replicas, settings.kubernetes.storage
    return [
        Row(
            component="web, with the uploads",
            running=web,
            most=2 * web,
            resources=settings.web.resources,
            storage_gb=storage.media_gb,
        ),
        Row(
            component="edge, with the static files",
            running=edge,
            most=2 * edge,
            resources=settings.edge.resources,
            storage_gb=storage.static_gb,
        ),
        Row(
            component="postgres",
            running=1,
            most=1,
            resources=settings.postgres.resources,
            storage_gb=storage.postgres_gb,
        ),
        Row(component="redis", running=1, most=1, resources=settings.redis.resources, storage_gb=storage.redis_gb),
        *(
            Row(
                component=f"service {name}",
                running=1,
                most=1,
                resources=service.resources,
                storage_gb=service.size_gb * len(service.volumes),
            )
            for name, service in settings.services.items()
        ),
        Row(component="migration, static files (once)", running=0, most=2, resources=settings.web.resources),
        Row(component="switch (once)", running=0, most=1, resources=settings.edge.resources),
    ]


_INTRO = f"""<!-- Made by `{COMMAND}` from components/budget.py and components/defaults.py. -->
# What a stack takes of a cluster

The defaults of each kind of environment. Each number is a setting: `slipway:web.resources` and others,
`slipway:web.replicas`, `slipway:kubernetes.edge_replicas`, `slipway:kubernetes.storage`.

- **Memory**: each pod asks for all that it may use. A node that has promised its memory twice takes it back by killing.
- **CPU**: each pod asks for {REQUEST_SHARE:.0%} of its limit, at least {LEAST_REQUEST * 1000:.0f} m. A web process waits most
  of the time; what it asks for is what it gets when everybody wants the CPU at once.
- **Quota**: each namespace has one, with {ROOM - 1:.0%} of room on top of the most that can run at once: old and new pods of
  a release, its steps, the largest number that autoscaling may make. It stops what has gone wrong, and steers nothing.

`python -m pipeline settings STACK` shows what a stack of yours has, and
`kubectl -n NAMESPACE describe resourcequota slipway` how much of the quota is used. Prices are of your provider: what
runs all the time is what a node must have free, *asked for*.
"""

_HEAD = (
    "| Component | Runs | At most | CPU limit, each | CPU asked for, each | Memory, each | Claim |\n"
    "|---|---|---|---|---|---|---|\n"
)


def page() -> str:
    """Write the page."""
    return "".join([_INTRO, *(text for kind in Kind for text in _kind(kind)), _OUTRO])


def _kind(kind: Kind) -> Iterator[str]:
    settings = usual(kind)
    yield f"\n## {kind}\n\n{_HEAD}"
    for row in rows(settings):
        yield (
            f"| {row.component} | {row.running} | {row.most} | {row.resources.cpus:g} "
            f"| {cpu_request(row.resources.cpus) * 1000:g} m | {row.resources.memory_mb} MiB "
            f"| {f'{row.storage_gb} GiB' if row.storage_gb else '-'} |\n"
        )
    yield f"\n{_sums(settings)}"


def _sums(settings: Settings) -> str:
    found, most = rows(settings), budget(settings)
    cpus = sum(row.running * cpu_request(row.resources.cpus) for row in found)
    memory = sum(row.running * row.resources.memory_mb for row in found)
    storage = sum(row.storage_gb for row in found)
    return (
        f"All the time: {cpus * 1000:g} m of CPU and {memory} MiB asked for, "
        f"{sum(row.running for row in found)} pods, {sum(1 for row in found if row.storage_gb)} claims of {storage} GiB. "
        f"Quota: {_quota(most)}.\n"
    )


def _quota(most: Budget) -> str:
    return (
        f"{most.cpus_limit:g} cores as limits, {most.cpus_request:g} asked for, {most.memory_mb_limit} MiB, "
        f"{most.pods} pods, {most.claims} claims, {most.storage_gb} GiB"
    )


_OUTRO = """
## What changes it

| Setting | What it does |
|---|---|
| `slipway:processes` | one more row for each: what it says, twice during a release |
| `slipway:kubernetes.autoscale` | web counts as many as its `max` |
| `slipway:services` | one more row for each: what it says, and a claim for each of its volumes |
| `slipway:postgres.provider` external or none | no postgres, and no claim of it |
| `slipway:postgres.provider` cloudnative-pg | postgres as many times as `slipway:kubernetes.instances`, each with a claim, and one more while an instance is made |
| `slipway:redis.provider` external or none | no redis, and no claim of it |
"""


def sums(settings: Settings) -> Budget:
    """Add up the rows as the budget does: both have to agree."""
    found = rows(settings)
    return Budget(
        cpus_limit=round(ROOM * sum(row.most * row.resources.cpus for row in found), 3),
        memory_mb_limit=_room(sum(row.most * row.resources.memory_mb for row in found)),
        cpus_request=round(ROOM * sum(row.most * cpu_request(row.resources.cpus) for row in found), 3),
        memory_mb_request=_room(sum(row.most * row.resources.memory_mb for row in found)),
        pods=_room(sum(row.most for row in found)),
        claims=_room(sum(1 for row in found if row.storage_gb)),
        storage_gb=_room(sum(row.storage_gb for row in found)),
    )


def _room(value: int) -> int:
    return -int(-ROOM * value // 1)
