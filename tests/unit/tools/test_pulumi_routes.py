"""Where Pulumi and its plugins come from: what is there, the official download, or what is built here."""

import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.unit.tools.programs import script
from tools.bootstrapping import golang, network, places, pulumi
from tools.bootstrapping.report import Report

CURRENT = f"echo v{pulumi.VERSION}"


@pytest.fixture(autouse=True)
def machine(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a machine without Pulumi where Go builds at once."""
    assert not clone.exists()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    built: dict[str, Path] = {}

    def build(tool: golang.Tool, _report: Report) -> Path:
        folder = tmp_path / "cache" / "tools" / tool.name
        for package in tool.packages:
            script(folder / package.rpartition("/")[2], CURRENT)
        script(folder / pulumi.EXECUTOR, "true")
        built[tool.name] = folder
        return folder

    monkeypatch.setattr(golang, "build", build)
    monkeypatch.setattr(golang, "built", lambda tool: built.get(tool.name))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Install an official Pulumi on PATH."""
    for name in (pulumi.HOST, pulumi.EXECUTOR):
        script(tmp_path / "bin" / name, "true")
    return script(tmp_path / "bin" / "pulumi", CURRENT)


def serve(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Serve one answer for every path, as Pulumi's download host would."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(f"HEAD {self.path}")
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(network, "PULUMI", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()


def archive(said: str) -> bytes:
    """Pack a release whose pulumi says its version and installs plugins."""
    whole = io.BytesIO()
    install = 'if [ "$1" = plugin ]; then d="$HOME/.pulumi/plugins/resource-$4-v$5"; mkdir -p "$d"; >"$d/pulumi-resource-$4"; fi'
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name in ("pulumi", pulumi.HOST, pulumi.EXECUTOR):
            text = f"#!/bin/sh\n{said}\n{install}\n".encode()
            entry = tarfile.TarInfo(f"pulumi/{name}")
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text))
    return whole.getvalue()


@pytest.fixture
def download_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have Pulumi's download host."""
    yield from serve(archive(CURRENT), monkeypatch)


@pytest.fixture
def false_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have a firewall that answers everything with a page of its own."""
    yield from serve(b"<html>blocked", monkeypatch)


def printed(report: Report) -> str:
    """Give what was printed."""
    assert isinstance(report.console.out, io.StringIO)
    return report.console.out.getvalue()


def test_what_is_on_path_is_used(installed: Path, report: Report) -> None:
    """An installed Pulumi of the pinned version stays the one in use; nothing is put before it."""
    assert pulumi.ensure(report) == pulumi.Cli(installed, ours=False)
    assert not (places.BIN / "pulumi").exists()
    assert "reused" in printed(report)


def test_another_version_on_path_is_not_used(installed: Path, report: Report) -> None:
    """The recordings come from one version, so another is not taken."""
    script(installed, "echo v3.200.0")
    assert pulumi.ensure(report).ours


def test_a_pulumi_without_its_language_host_is_not_used(installed: Path, report: Report) -> None:
    """Some packages hold the program alone; it could run no program of ours."""
    (installed.parent / pulumi.HOST).unlink()
    assert pulumi.ensure(report).ours


def test_the_official_release_comes_before_a_build(download_host: list[str], report: Report) -> None:
    """Where the download host answers, nothing is built; the second run asks nobody."""
    assert pulumi.ensure(report) == pulumi.Cli(places.BIN / "pulumi", ours=False)
    assert "downloaded" in printed(report)
    asked = len(download_host)
    pulumi.ensure(report)
    assert len(download_host) == asked
    assert pulumi.current() == pulumi.Cli(places.BIN / "pulumi", ours=False)


def test_official_plugins_come_with_the_official_release(download_host: list[str], report: Report) -> None:
    """They lie where Pulumi looks by itself, so PULUMI_HOME stays the user's."""
    cli = pulumi.ensure(report)
    assert pulumi.ensure_plugins(report, cli) is None
    assert download_host


@pytest.mark.usefixtures("false_host")
def test_a_false_download_is_not_believed(report: Report) -> None:
    """A firewall's page instead of the release leads to the next route, and leaves nothing."""
    assert pulumi.ensure(report).ours
    assert "taking the next route" in printed(report)
    assert not pulumi.official().exists()


def test_without_the_download_host_it_is_built(report: Report) -> None:
    """The last route gives a pulumi with our language host beside it, and plugins in a home of the clone."""
    cli = pulumi.ensure(report)
    assert cli == pulumi.Cli(places.BIN / "pulumi", ours=True)
    assert str(places.VENV_PYTHON) in (places.BIN / pulumi.HOST).read_text()
    assert pulumi.ensure_plugins(report, cli) == places.PULUMI_HOME
    assert pulumi.missing(places.PULUMI_HOME) == []
    assert printed(report).count(" built ") == 2
    pulumi.ensure_plugins(report, pulumi.ensure(report))
    assert printed(report).count(" reused ") == 2
