"""What the conformance tests share: the installed plugins, one process of each for all of them."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from tests.conformance.cluster import Api
from tests.conformance.provider import Plugin, find

REPOSITORY = Path(__file__).resolve().parents[2]
AIRGAP = REPOSITORY / "tools" / "airgap"
OURS = [sys.executable, str(AIRGAP / "docker_plugin")]
OUR_KUBERNETES = [sys.executable, str(AIRGAP / "kubernetes_plugin")]
POD = b"""FROM python:3.13-slim
USER 65532
WORKDIR /tmp
CMD ["python", "-m", "http.server", "8080"]
"""


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


@pytest.fixture(scope="session")
def kubernetes_command() -> list[str]:
    """The kubernetes plugin that Pulumi would start; ours when none is installed."""
    return find("kubernetes", "4.32.0", os.environ.get("PULUMI_HOME"), os.environ.get("PATH", ""), OUR_KUBERNETES)


@pytest.fixture(scope="session")
def our_kubernetes(kubernetes_command: list[str]) -> None:
    """Skip what is only true of our own plugin, which is a script where the official one is a program."""
    if len(kubernetes_command) == 1 and not Path(kubernetes_command[0]).read_bytes().startswith(b"#!"):
        pytest.skip("the official plugin is installed; this is about our own")


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    """The cluster, to look at what a plugin did without asking the plugin; a namespace of its own on it."""
    found = Api.of_the_environment()
    found.begin()
    yield found
    found.end()


@pytest.fixture(scope="session")
def kubernetes(kubernetes_command: list[str], api: Api) -> Iterator[Plugin]:
    """One plugin for all tests, as one serves all resources of a stack."""
    with Plugin(kubernetes_command, {"kubeconfig": api.kubeconfig}, provider="kubernetes") as running:
        yield running


@pytest.fixture(scope="session")
def pod_image(daemon: docker.APIClient) -> str:
    """An image whose default command serves HTTP on 8080 as a numeric user, where the cluster can pull it."""
    registry = os.environ.get("SLIPWAY_REGISTRY", "127.0.0.1:5000")
    name = f"{registry}/slipway-conformance/pod"
    for line in (
        *daemon.build(fileobj=io.BytesIO(POD), tag=f"{name}:1", decode=True),
        *daemon.push(name, tag="1", stream=True, decode=True),
    ):
        if "error" in line:
            pytest.fail(f"cannot make the image of the pods: {line['error']}")
    return f"{name}:1"
