"""Stacks for the tests that need a real Docker daemon or a real cluster, and what is left of them at the end."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.e2e.cluster import Cluster, sweep_namespaces
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.halves import FIRST, HALF, in_first
from tests.e2e.site import EXAMPLE, Site, sweep


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the half that was asked for: tests/e2e/halves.py."""
    half = os.environ.get(HALF)
    if half:
        kept = [each for each in items if in_first(each) == (half == FIRST)]
        config.hook.pytest_deselected(items=[each for each in items if each not in kept])
        items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> Iterator[None]:
    """Remove what an aborted test has left, also after Ctrl-C."""
    yield
    client = docker.from_env()
    try:
        left = sweep(client)
    finally:
        client.close()
    assert not left, f"the tests have left {left}"


@pytest.fixture(scope="module")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Make stacks that are gone at the end of the module."""
    sites: list[Site] = []

    def make(name: str, project: Path = EXAMPLE, **settings: Any) -> Site:  # noqa: ANN401 - settings are of many types
        site = Site(tmp_path_factory.mktemp(name), name, project)
        sites.append(site)
        return site.make(**settings)

    yield make
    for site in sites:
        site.close()


@pytest.fixture(scope="session")
def cluster(nothing_left: None) -> Iterator[Cluster]:  # noqa: ARG001 - goes before it, to end after it
    """The cluster, and nothing of the tests on it at the end."""
    found = Cluster()
    yield found
    found.close()
    left = [each for each in sweep_namespaces() if not each.endswith("-load")]
    assert not left, f"the tests have left {left}"


@pytest.fixture(scope="module")
def make_cluster_site(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster
) -> Iterator[Callable[..., ClusterSite]]:
    """Make stacks on the cluster that are gone at the end of the module."""
    sites: list[ClusterSite] = []

    def make(name: str, project: Path = EXAMPLE, **settings: Any) -> ClusterSite:  # noqa: ANN401 - settings are of many types
        site = ClusterSite(tmp_path_factory.mktemp(name), name, project, cluster=cluster)
        sites.append(site)
        site.make(**settings)
        return site

    yield make
    for site in sites:
        site.close()


@pytest.fixture(scope="session")
def guestbook(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[ClusterSite]:
    """The stack that the tests of several modules share: two web pods and two of the edge, brought up once."""
    site = ClusterSite(tmp_path_factory.mktemp("guestbook"), "guestbook", cluster=cluster)
    try:
        site.make(web={"replicas": 2}, kubernetes={"edge_replicas": 2})
        site.secrets().up().good()
        yield site
    finally:
        site.close()
