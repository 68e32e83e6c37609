"""What a stack may use at once holds a release under way, every process and what autoscaling may add."""

from typing import Any

import pytest

from components.budget import Budget, budget, cpu_request, running_memory_mb
from tests.sample import settings


def cluster(said: dict[str, Any] | None = None, **kubernetes: object) -> dict[str, Any]:
    """Give a stack on a cluster."""
    return {**(said or {}), "target": "kubernetes", "kubernetes": {"registry": "registry.example.org", **kubernetes}}


def test_the_usual_stack() -> None:
    """Two web processes while one replaces the other, their steps, two edges, the switch, the datastores; half on top."""
    # 4 with 512 MiB and a core, 3 with 128 MiB and half a core, and the datastores with 640 MiB and 1.5 cores.
    assert budget(settings()) == Budget(
        cpus_limit=1.5 * 7,
        memory_mb_limit=3 * (4 * 512 + 3 * 128 + 640) // 2,
        cpus_request=1.5 * 7 / 10,
        memory_mb_request=3 * (4 * 512 + 3 * 128 + 640) // 2,
        pods=14,  # 9 and half of it
        claims=6,
        storage_gb=33,
    )


@pytest.mark.parametrize(
    ("said", "pods", "claims", "storage_gb"),
    [
        (cluster(), 14, 6, 33),
        (cluster({"web": {"replicas": 4}}), 23, 6, 33),
        (cluster({"processes": {"worker": {"command": "a", "replicas": 3}}}), 23, 6, 33),
        (cluster(autoscale={"enabled": True, "max": 10}), 41, 6, 33),
        (cluster({"web": {"replicas": 12}}, autoscale={"enabled": True, "max": 10}), 47, 6, 33),
        (cluster(edge_replicas=3), 20, 6, 33),
        (cluster({"postgres": {"provider": "external"}, "redis": {"provider": "external"}}), 11, 3, 17),
        (cluster({"postgres": {"provider": "cloudnative-pg"}}, instances=3), 18, 11, 78),
        (cluster(storage={"media_gb": 100}), 14, 6, 168),
        (cluster({"static": {"serve": "project"}}), 14, 5, 32),
        (cluster({"volumes": {"a": {"path": "/srv/a", "size_gb": 20}}}), 14, 8, 63),
    ],
)
def test_everything_that_can_run_counts(said: dict[str, Any], pods: int, claims: int, storage_gb: int) -> None:
    """Each setting that makes more of something, makes the budget larger."""
    found = budget(settings(said))

    assert (found.pods, found.claims, found.storage_gb) == (pods, claims, storage_gb)


@pytest.mark.parametrize(("cpus", "promised"), [(0.1, 0.025), (0.3, 0.03), (0.5, 0.05), (1.0, 0.1), (8.0, 0.8)])
def test_what_a_process_is_promised(cpus: float, promised: float) -> None:
    """A tenth of the limit, and never less than can be scheduled."""
    assert cpu_request(cpus) == pytest.approx(promised, abs=0.001)


@pytest.mark.parametrize(
    ("said", "memory_mb"),
    [
        ({}, 512 + 128 + 512 + 128),
        ({"web": {"replicas": 3}}, 3 * 512 + 128 + 512 + 128),
        ({"postgres": {"provider": "none"}, "redis": {"provider": "external"}}, 512 + 128),
        ({"processes": {"worker": {"command": "a", "replicas": 2}}}, 1280 + 2 * 256),
        ({"processes": {"worker": {"command": "a", "schedule": "0 3 * * *"}}}, 1280),
        ({"services": {"mq": {"image": "mq:1", "user": 1000, "port": 5000}}}, 1280 + 256),
    ],
)
def test_what_runs_all_the_time(said: dict[str, Any], memory_mb: int) -> None:
    """The limits of what runs between two releases; what runs by the clock, and steps, are gone most of the time."""
    assert running_memory_mb(settings(said)) == memory_mb
