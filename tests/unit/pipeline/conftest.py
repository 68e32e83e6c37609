"""A repository of its own for each test, with a made-up ``pulumi`` that answers from a table."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.console import Console
from pipeline.engine import Engine
from tests.unit.pipeline.fake_cluster import Api
from tests.unit.pipeline.fake_pulumi import Fake


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A made-up ``pulumi``."""
    return Fake(tmp_path / "bin")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the files that the commands look at."""
    folder = tmp_path / "repository"
    (folder / "stacks").mkdir(parents=True)
    (folder / ".slipway" / "state").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: slipway\nruntime: python\nstackConfigDir: stacks\n")
    return folder


@pytest.fixture
def engine_for(fake: Fake, root: Path) -> Callable[[str], Engine]:
    """Make the engine of a stack in that repository."""

    def make(stack: str) -> Engine:
        environ = {
            "PATH": f"{fake.folder}:{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{root}/.slipway/state",
            "PULUMI_CONFIG_PASSPHRASE": "x",
        }
        program = str(fake.folder / "pulumi")
        return Engine(stack, Console(io.StringIO(), io.StringIO()), root, environ, program)

    return make


@pytest.fixture
def engine(engine_for: Callable[[str], Engine]) -> Engine:
    """The engine of the stack dev."""
    return engine_for("dev")


@pytest.fixture
def api() -> Iterator[Api]:
    """A made-up cluster with nothing of ours in it."""
    with Api() as server:
        yield server


@pytest.fixture
def outside(engine: Engine, api: Api, tmp_path: Path) -> Engine:
    """The engine of the stack dev, with a kubeconfig of that cluster."""
    return replace(engine, environ={**engine.environ, "KUBECONFIG": str(api.kubeconfig(tmp_path))})
