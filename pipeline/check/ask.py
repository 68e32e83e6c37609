"""Runs a plan in an image: no network, nothing that can be written but memory, no secret, a limit on time and memory."""

import inspect
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.dockerfile import UID
from components.environment import SECRETS_DIR
from pipeline.check import inside
from pipeline.engine import Engine
from pipeline.host import throwaway
from pipeline.host.check import daemon

MEMORY_MB = 1024
"""The least memory of the container: a check of everything needs more than one request."""

_LONGEST = 900
_PAUSE = 0.2


@dataclass(frozen=True, kw_only=True)
class Told:
    """How one step went."""

    name: str
    """The step."""
    code: int
    """Its exit code."""
    said: str
    """The end of what it said."""
    seconds: float
    """How long it took."""


def ask(  # noqa: PLR0913 - what a container is made of
    engine: Engine,
    image: str,
    plan: str,
    variables: Mapping[str, str],
    *,
    writable: str,
    memory_mb: int,
    heard: Callable[[Told], None],
    network: str = "none",
) -> list[Told]:
    """Run the plan and give how each step went, also to ``heard`` while it goes on.

    Args:
        engine: how the daemon is reached.
        image: the image.
        plan: what is run, as ``inside.py`` reads it.
        variables: the environment.
        writable: the folder of the uploads, which the project may want to look at.
        memory_mb: the limit of its memory, in MiB.
        heard: told each step as soon as it has ended.
        network: the network that it is on; none, unless it needs a database.
    """
    found: list[Told] = []
    with daemon(engine.environ) as client:
        container = client.containers.create(
            image,
            command=["python", "-c", inspect.getsource(inside)],
            environment={**variables, "SLIPWAY_CHECK": plan},
            labels=throwaway.labels("slipway.check", engine.stack),
            network_mode=network,
            read_only=True,
            tmpfs={
                "/tmp": "mode=1777",  # noqa: S108  # in the container
                SECRETS_DIR: f"uid={UID},gid={UID},mode=0700",
                writable: f"uid={UID},mode=0700",
            },  # in the container
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit=f"{memory_mb}m",
            memswap_limit=f"{memory_mb}m",
        )
        try:
            container.start()
            begun = time.monotonic()
            running = True
            while running and time.monotonic() - begun < _LONGEST:
                container.reload()
                running = container.status in {"created", "running"}
                lines = container.logs(stdout=True, stderr=False).decode(errors="replace").split("\n")
                told = [line.removeprefix(inside.MARK) for line in lines[:-1] if line.startswith(inside.MARK)]
                for line in told[len(found) :]:
                    found.append(Told(**json.loads(line)))
                    heard(found[-1])
                if running:
                    time.sleep(_PAUSE)
            if not found:
                found.append(Told(name="", code=1, said=container.logs(tail=50).decode(errors="replace"), seconds=0))
        finally:
            container.remove(force=True)
    return found
