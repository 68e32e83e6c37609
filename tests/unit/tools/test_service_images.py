"""Stand-ins for the images of services beside the app: what they are made from, and when they are made at all."""

import json
import subprocess
from pathlib import Path

import pytest

from tools.airgap import service_images
from tools.airgap.service_images import IMAGES, LABEL, Image

FOLDER = Path(service_images.__file__).parent


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_nothing_of_this_machine_stays(image: Image) -> None:
    """What apt needs here is removed again in the step that used it, and each image has its entry point."""
    text = (FOLDER / image.name / "Dockerfile").read_text()

    assert text.index("COPY slipway-apt/ /etc/apt/apt.conf.d/") < text.index("/etc/apt/apt.conf.d/99slipway-*")
    assert 'ENTRYPOINT ["docker-entrypoint.sh"]' in text
    assert (FOLDER / image.name / "docker-entrypoint.sh").is_file()


class Docker:
    """A daemon that keeps what it is asked."""

    def __init__(self, labels: dict[str, str] | None) -> None:
        self.labels = labels
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Answer as ``docker`` does."""
        assert check or arguments[:2] == ("image", "inspect")
        self.asked.append(arguments)
        if arguments[:4] == ("image", "inspect", "--format", "{{.Id}}"):
            return subprocess.CompletedProcess(arguments, 0, "sha256:base\n", "")
        if arguments[:2] == ("image", "inspect"):
            lines = f"{json.dumps(self.labels)}\n" * (len(arguments) - 4)
            return subprocess.CompletedProcess(arguments, 0, lines, "")
        return subprocess.CompletedProcess(arguments, 0, "", "")


def ensured(monkeypatch: pytest.MonkeyPatch, docker: Docker, *, needed: bool = True, pushed: bool = True) -> list[str]:
    """Ask for the images, and give what is built."""
    monkeypatch.setattr(service_images, "_docker", docker)
    monkeypatch.setattr(service_images, "IMAGES", IMAGES[:1])
    monkeypatch.setattr("tools.airgap.service_images.images.needed", lambda: needed)
    monkeypatch.setattr("tools.airgap.service_images.registry.ensure", lambda _say: None)
    monkeypatch.setattr(
        "tools.airgap.service_images.registry.digests", lambda them: ["sha256:a" if pushed else None for _ in them]
    )
    monkeypatch.setattr("tools.airgap.service_images.apt.options", lambda: "")
    monkeypatch.setattr("tools.airgap.service_images.apt.ca_bundle", lambda: None)
    service_images.ensure(lambda _text: None)
    return [arguments[arguments.index("--tag") + 1] for arguments in docker.asked if arguments[0] == "build"]


def test_where_docker_hub_answers_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The official images are there."""
    docker = Docker(None)

    assert ensured(monkeypatch, docker, needed=False) == []
    assert docker.asked == []


@pytest.mark.parametrize("pushed", [True, False])
def test_an_image_is_made_when_it_is_not_there(monkeypatch: pytest.MonkeyPatch, pushed: bool) -> None:  # noqa: FBT001 - a table
    """It is built once, under its name in the registry of this machine, and pushed."""
    docker = Docker(None)

    assert ensured(monkeypatch, docker, pushed=pushed) == ["127.0.0.1:5000/library/memcached:1.6"]
    assert ("push", "--quiet", "127.0.0.1:5000/library/memcached:1.6") in docker.asked
    assert ("tag", "127.0.0.1:5000/library/memcached:1.6", "memcached:1.6") in docker.asked


def test_an_image_that_is_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made from the same files is not made again."""
    monkeypatch.setattr(service_images, "_docker", Docker(None))
    key = IMAGES[0].key

    assert ensured(monkeypatch, Docker({LABEL: key})) == []
    assert ensured(monkeypatch, Docker({LABEL: "older"})) != []
