"""A clone and a cache of their own for each test of the bootstrap, so that none touches those of the machine."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.console import Console
from tools.bootstrapping import environment, golang, images, network, places
from tools.bootstrapping.report import Report


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Point every place into a temporary directory, and let nothing be reachable."""
    local, venv = tmp_path / "clone" / ".slipway", tmp_path / "clone" / ".venv"
    for name, path in {
        "LOCAL": local,
        "BIN": local / "bin",
        "LOGS": local / "logs",
        "ENV": local / "env",
        "PULUMI_HOME": local / "pulumi",
        "VENV": venv,
        "VENV_PYTHON": venv / "bin" / "python",
    }.items():
        monkeypatch.setattr(places, name, path)
    monkeypatch.setattr(images, "ROUTE", local / "images-from")
    monkeypatch.setattr(environment, "MARK", venv / ".slipway-requirements")
    monkeypatch.setattr(environment, "BEGUN", venv / ".slipway-unfinished")
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.setattr(network, "PULUMI", "http://127.0.0.1:9")
    monkeypatch.setattr(network, "DOCKER_HUB", "http://127.0.0.1:9/v2/")
    reachable = network.reachable
    golang.version.cache_clear()
    reachable.cache_clear()
    yield local.parent
    golang.version.cache_clear()
    reachable.cache_clear()


@pytest.fixture
def report(clone: Path) -> Report:
    """Keep what is printed, in ``report.console.out``."""
    return Report(clone / ".slipway" / "logs", Console(out=io.StringIO(), err=io.StringIO()))
