"""What the conformance tests share: the installed docker plugin, one process for all of them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from tests.conformance.provider import Plugin, find

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = [sys.executable, str(REPOSITORY / "tools" / "airgap" / "docker_plugin")]


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The plugin that Pulumi would start; ours when none is installed."""
    return find("docker", "5.1.0", os.environ.get("PULUMI_HOME"), os.environ.get("PATH", ""), OURS)


@pytest.fixture(scope="session")
def ours(command: list[str]) -> None:
    """Skip what is only true of our own plugin, which is a script where the official one is a program."""
    if len(command) == 1 and not Path(command[0]).read_bytes().startswith(b"#!"):
        pytest.skip("the official plugin is installed; this is about our own")


@pytest.fixture(scope="session")
def daemon() -> Iterator[docker.APIClient]:
    """The Docker daemon, to look at what a plugin did without asking the plugin."""
    try:
        client = docker.APIClient(version="auto")
    except DockerException as error:
        pytest.fail(f"these tests need a Docker daemon: {error}. Run: make doctor")
    with client:
        yield client


@pytest.fixture(scope="session")
def plugin(command: list[str], daemon: docker.APIClient) -> Iterator[Plugin]:  # noqa: ARG001 - fails first, and clearer
    """One plugin for all tests, as one serves all resources of a stack."""
    with Plugin(command) as running:
        yield running


@pytest.fixture(scope="session")
def image() -> str:
    """An image with a shell."""
    return os.environ.get("IMAGE", "debian:bookworm-slim")
