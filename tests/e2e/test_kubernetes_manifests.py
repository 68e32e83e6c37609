"""The objects of a stack as files: a real API server takes them, and finds nothing to change."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.cluster_site import ClusterSite

pytestmark = pytest.mark.cluster


def kubectl(site: ClusterSite, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``kubectl``."""
    return subprocess.run(
        ["kubectl", *arguments], env=site.environ, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def folder(guestbook: ClusterSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the stack."""
    folder = tmp_path_factory.mktemp("manifests") / "guestbook"
    said = guestbook.pipeline("manifests", guestbook.stack, "--to", str(folder)).good().text
    assert "with secrets are left out" in said
    return folder


def test_the_server_accepts_every_file(guestbook: ClusterSite, folder: Path) -> None:
    """Applied without being kept, with Pod Security, quota and all that admits objects; nothing would be made anew."""
    done = kubectl(guestbook, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", str(folder))

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(list(folder.glob("*.yaml"))) > 20
    assert [line for line in lines if not line.endswith("serverside-applied (server dry run)")] == []


def test_they_are_what_runs(guestbook: ClusterSite, folder: Path) -> None:
    """Every file names an object of the stack's namespace that is there; no Secret is among them, none is in the text."""
    known = guestbook.cluster.everything(guestbook.namespace)
    for path in folder.glob("*.yaml"):
        body = yaml.safe_load(path.read_text())
        kind, name = body["kind"], body["metadata"]["name"]
        assert kind != "Secret"
        if kind == "Namespace":
            continue
        assert body["metadata"]["namespace"] == guestbook.namespace
        if kind != "LimitRange":
            assert [key for key in known if key.endswith(f"/{name}")], f"{kind} {name}"
    text = "".join(path.read_text() for path in folder.iterdir())
    for name in ("django_key", "postgres_password", "redis_password"):
        assert guestbook.secret(name) not in text
    assert "Secret " in (folder / "README.md").read_text()
