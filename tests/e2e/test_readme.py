"""What the README says, as a new user does it: a clone, ``make up``, a page, ``make down``.

The clone brings its own tools from the shared cache; a clone with an empty cache is what CI is on a fresh machine.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.clone import Clone
from tests.e2e.site import ROOT

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone of what is in the working tree."""
    clone = Clone(tmp_path_factory.mktemp("readme") / "slipway", "readme")
    yield clone.make()
    clone.close()


def test_the_commands_are_the_ones_of_the_readme() -> None:
    """Otherwise this test would follow a page that nobody reads."""
    readme = (ROOT / "README.md").read_text()
    assert all(f"{command}\n" in readme for command in ("$ make up", "make down", ". .slipway/env"))


def test_one_command_brings_a_page(clone: Clone) -> None:
    """It ends with the address, and there is a page."""
    said = clone.run("make up").text

    assert f"Served: http://127.0.0.1:{clone.port}/  (HTTP 200" in said
    assert "<title>Guestbook</title>" in clone.page()


def test_version_control_sees_nothing_of_it(clone: Clone) -> None:
    """What belongs to one machine is not tracked, and the passphrase is its owner's alone."""
    assert clone.run("git status --porcelain").text == ""
    assert clone.run("stat -c %a .slipway/passphrase").text == "600\n"


def test_the_second_time_everything_is_reused(clone: Clone) -> None:
    """In less than half a minute, on the slowest machine."""
    done = clone.run("make up")

    assert done.seconds < 30
    assert "unchanged" in done.text
    assert "installed" not in done.text


def test_doctor_and_preview_work(clone: Clone) -> None:
    """Nothing is broken, nothing would change."""
    assert "Nothing is broken." in clone.run("make doctor").text
    assert "unchanged" in clone.run("make preview").text


def test_the_commands_of_pulumi_work(clone: Clone) -> None:
    """After ``. .slipway/env`` every command of Pulumi knows the stack."""
    url = clone.run(". .slipway/env && pulumi stack output url --stack dev").text
    assert url == f"http://127.0.0.1:{clone.port}/\n"


def test_down_leaves_nothing(clone: Clone) -> None:
    """Neither on the host nor in the working tree."""
    clone.run("make down")

    labels = f"--filter label=slipway.project={clone.project}"
    listed = clone.run(f"docker ps -aq {labels}; docker network ls -q {labels}; docker volume ls -q {labels}")
    assert listed.text == ""
    assert clone.run("git status --porcelain").text == ""
