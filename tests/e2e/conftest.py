"""Stacks for the tests that need a real Docker daemon, and what is left of them at the end."""

from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

from tests.e2e.site import Site, sweep


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

    def make(name: str, **settings: Any) -> Site:  # noqa: ANN401 - settings are of many types
        site = Site(tmp_path_factory.mktemp(name), name)
        sites.append(site)
        return site.make(**settings)

    yield make
    for site in sites:
        site.close()
