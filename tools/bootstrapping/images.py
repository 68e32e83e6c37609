"""Whether images come from Docker Hub or from this machine, and bringing the latter.

What the images are and how they are made is in tools/airgap.
"""

from pathlib import Path

from tools.bootstrapping import golang, network, places
from tools.bootstrapping.report import Report

ROUTE = places.LOCAL / "images-from"
HUB, HERE = "docker-hub\n", "this-machine\n"


def needed(*, again: bool = False) -> bool:
    """Whether Docker Hub is out of reach. Asked once per clone, since a firewall may make each question slow."""
    if ROUTE.is_file() and not again:
        return ROUTE.read_text() == HERE
    route = HUB if network.reachable(network.DOCKER_HUB) else HERE
    places.write(ROUTE, route)
    return route == HERE


def ensure(report: Report) -> Path:
    """Bring the stand-in images, the registry they lie in and the builder; the folder for ``BUILDX_CONFIG``."""
    from tools.airgap import builder, images  # noqa: PLC0415 - only machines without Docker Hub need them

    with report.step("images") as step:
        step.detail = "from Debian packages, in the registry of this machine; Docker Hub is not reachable"
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)
            report.say(text)

        images.ensure(say)
        if said:
            step.did("built")
    with report.step("builder") as step:
        step.detail = "buildkitd 0.26.3"
        before = golang.built(golang.BUILDKIT)
        programs = golang.build(golang.BUILDKIT, report)
        folder: Path = builder.ensure(report.say, programs / "buildkitd")
        if before is None:
            step.did("built")
    return folder
