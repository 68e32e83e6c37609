"""What the README says, as a new user does it: a clone, ``make up``, a page, ``make down``.

The clone brings its own tools from the shared cache. It has a name and a port of its own, so that it does not meet the
user's stack ``dev`` on the same machine; a clone from an empty cache is what CI is.
"""

import http.client
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
import yaml

from tests.e2e.site import ROOT, RUN, UP_SECONDS, copy_repository, free_port, sweep

pytestmark = pytest.mark.docker

NAME = f"e2e-{RUN}-readme"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def port() -> int:
    """Where the clone serves."""
    return free_port()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Path]:
    """A clone of what is in the working tree."""
    folder = tmp_path_factory.mktemp("readme") / "slipway"
    copy_repository(folder)
    template = folder / "stacks/dev.template.yaml"
    content = yaml.safe_load(template.read_text())
    content["config"]["slipway:app"]["name"] = NAME
    content["config"]["slipway:edge"] = {"port": port}
    template.write_text(yaml.safe_dump(content))
    author = ("-c", "user.name=e2e", "-c", "user.email=e2e@localhost")
    for command in (("init", "-q"), ("add", "-A"), (*author, "commit", "-q", "-m", "as it is")):
        subprocess.run(["git", *command], cwd=folder, check=True, timeout=60)
    yield folder
    client = docker.from_env()
    try:
        sweep(client, NAME)
    finally:
        client.close()


@pytest.fixture(scope="module")
def run(clone: Path) -> Run:
    """Run a command of the README in a shell that knows nothing of this one's tools."""
    ours = (str(ROOT / ".slipway"), str(ROOT / ".venv"))
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "BUILDX_", "VIRTUAL_ENV", "MAKE"))}
    environ["PATH"] = os.pathsep.join(p for p in environ["PATH"].split(os.pathsep) if not p.startswith(ours))

    def shell(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=clone,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )
        print(f"$ {command}\n{done.stdout}")
        assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stdout}"
        return done.stdout

    return shell


def test_the_commands_are_the_ones_of_the_readme() -> None:
    """Otherwise this test would follow a page that nobody reads."""
    readme = (ROOT / "README.md").read_text()
    assert all(f"{command}\n" in readme for command in ("$ make up", "make down", ". .slipway/env"))


def test_one_command_brings_a_page(run: Run, port: int) -> None:
    """It ends with the address, and there is a page."""
    said = run("make up")

    assert f"Served: http://127.0.0.1:{port}/  (HTTP 200" in said
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    page = connection.getresponse().read().decode()
    connection.close()
    assert "<title>Guestbook</title>" in page


def test_version_control_sees_nothing_of_it(run: Run) -> None:
    """What belongs to one machine is not tracked, and the passphrase is its owner's alone."""
    assert run("git status --porcelain") == ""
    assert run("stat -c %a .slipway/passphrase") == "600\n"


def test_the_second_time_everything_is_reused(run: Run) -> None:
    """In less than half a minute, on the slowest machine."""
    begun = time.monotonic()
    said = run("make up")

    assert time.monotonic() - begun < 30
    assert "unchanged" in said
    assert "installed" not in said


def test_doctor_and_preview_work(run: Run) -> None:
    """Nothing is broken, nothing would change."""
    assert "Nothing is broken." in run("make doctor")
    assert "unchanged" in run("make preview")


def test_the_commands_of_pulumi_work(run: Run) -> None:
    """After ``. .slipway/env`` every command of Pulumi knows the stack."""
    assert run(". .slipway/env && pulumi stack output url --stack dev").startswith("http://127.0.0.1:")


def test_down_leaves_nothing(run: Run) -> None:
    """Neither on the host nor in the working tree."""
    run("make down")

    labels = f"--filter label=slipway.project={NAME}"
    listed = run(f"docker ps -aq {labels}; docker network ls -q {labels}; docker volume ls -q {labels}")
    assert listed == ""
    assert run("git status --porcelain") == ""
