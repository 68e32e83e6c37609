"""``tools/bootstrap --check``: what is here, what is missing, the command that mends it. It changes nothing.

It asks no server, so that it is quick and says the same without a network.
"""

import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pipeline.console import GREEN, RED, Console
from tools.airgap import cache_dir
from tools.airgap.cluster import place
from tools.bootstrapping import docker, environment, golang, images, places, pulumi

MEND = "tools/bootstrap"
MIRROR_PORT = 5000
CONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class Part:
    """One thing that `make up` needs."""

    name: str
    present: bool
    found: str
    mend: str | None = None


def part(name: str, found: str | None, *, lacking: str = "missing", mend: str = MEND) -> Part:
    """Make a part from what was found; None means nothing."""
    return Part(name, present=True, found=found) if found else Part(name, present=False, found=lacking, mend=mend)


def connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    """Whether somebody listens."""
    with socket.socket(family) as connection:
        connection.settimeout(CONNECT_SECONDS)
        return connection.connect_ex(address) == 0


def parts() -> Iterator[Part]:
    """Look at every part."""
    yield part("python", f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}")
    filled = environment.complete()
    lacking = ".venv is not filled from the lock" if places.VENV.exists() else "no .venv"
    yield part("environment", ".venv, filled from requirements-dev.txt" if filled else None, lacking=lacking)
    outside = pulumi.on_path()
    cli = pulumi.Cli(outside, ours=False) if outside else pulumi.current()
    yield part("pulumi", f"{pulumi.VERSION}, {cli.program}" if cli else None, lacking=f"no {pulumi.VERSION}")
    home = pulumi.home(cli or pulumi.Cli(places.BIN / "pulumi", ours=True))
    for name, number in pulumi.PLUGINS.items():
        program = pulumi.plugin_program(home, name)
        yield part(f"plugin {name}", f"{number}, {program}" if program.exists() else None, lacking=f"no {number}")
    answer = docker.ask(docker.host())
    yield part(
        "docker",
        f"daemon {answer.version} at {answer.host}" if answer.version else None,
        lacking=f"no daemon answers at {answer.host}: {answer.reason}",
        mend="sudo usermod -aG docker $USER   # then log in again" if answer.denied else MEND,
    )
    if images.ROUTE.is_file() and images.ROUTE.read_text() == images.HERE:
        address = str(cache_dir() / "run" / "buildkitd.sock")
        answers = golang.built(golang.BUILDKIT) is not None and connects(socket.AF_UNIX, address)
        yield part("builder", f"buildkitd at {address}" if answers else None, lacking=f"does not answer at {address}")
        answers = connects(socket.AF_INET, ("127.0.0.1", MIRROR_PORT))
        where = f"registry at 127.0.0.1:{MIRROR_PORT}"
        yield part("images", where if answers else None, lacking=f"no {where}")
    if place.kubeconfig().exists():  # who has none may not want one
        answers = connects(socket.AF_INET, (place.NODE_ADDRESS, place.API_PORT))
        lacking = f"does not answer at {place.SERVER}"
        yield part(
            "cluster", f"Kubernetes at {place.SERVER}" if answers else None, lacking=lacking, mend="make cluster"
        )
    yield part("shell", str(places.ENV) if places.ENV.is_file() else None, lacking="no .slipway/env")


def run(console: Console, *, as_json: bool) -> int:
    """Print every part; the exit code is 1 if one is missing."""
    found = list(parts())
    if as_json:
        console.say(json.dumps([asdict(each) for each in found], indent=2))
    else:
        for each in found:
            state = console.paint("ok     ", GREEN) if each.present else console.paint("missing", RED)
            console.say(f"{state} {each.name + ':':<20} {each.found}")
            if each.mend:
                console.say(f"{'':8}mend: {each.mend}")
    return 0 if all(each.present for each in found) else 1
