"""Check: what is refused, what is filled in. No daemon."""

from typing import Any

import pytest

from tools.airgap.docker_plugin.check import automatic_name, check
from tools.airgap.docker_plugin.schema import CONTAINER, IMAGE, NETWORK, TYPES, VOLUME
from tools.airgap.plugin.wire import UNKNOWN


def test_defaults_are_filled_in_and_remembered() -> None:
    """What the program leaves out gets the official default, and its name is kept in __defaults."""
    inputs, problems = check(CONTAINER, {"image": "a"}, {}, "web-1234567")
    assert problems == []
    assert inputs == {
        "image": "a",
        "name": "web-1234567",
        "networkMode": "bridge",
        "mustRun": True,
        "start": True,
        "restart": "no",
        "removeVolumes": True,
        "waitTimeout": 60,
        "containerReadRefreshTimeoutMilliseconds": 15000,
        "__defaults": [
            "containerReadRefreshTimeoutMilliseconds",
            "mustRun",
            "name",
            "networkMode",
            "removeVolumes",
            "restart",
            "start",
            "waitTimeout",
        ],
    }


def test_an_automatic_name_is_kept_until_the_program_gives_one() -> None:
    """The name of the last time comes back, unless it was the program's own and is gone now."""
    first, _ = check(VOLUME, {}, {}, "a-1")
    assert check(VOLUME, {}, first, "a-2")[0]["name"] == "a-1"
    named, _ = check(VOLUME, {"name": "mine"}, first, "a-3")
    assert (named["name"], named["__defaults"]) == ("mine", [])
    assert check(VOLUME, {}, named, "a-4")[0]["name"] == "a-4"


def test_an_automatic_name_depends_on_the_seed_alone() -> None:
    """The engine replays a plan with the same seed and expects the same name."""
    assert automatic_name("web", b"1") == automatic_name("web", b"1") != automatic_name("web", b"2")
    assert automatic_name("web", b"1").startswith("web-")
    assert len(automatic_name("web", b"")) == len("web-1234567")


def test_unknown_inputs_pass() -> None:
    """In a preview nothing is held against a value that is not known yet."""
    assert check(CONTAINER, {"image": UNKNOWN, "ports": UNKNOWN, "memory": UNKNOWN}, {}, "a")[1] == []


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"image": "a", "init": "yes"}, "init", "init must be true or false, not a string"),
        ({"image": "a", "memory": True}, "memory", "memory must be a whole number, not true or false"),
        ({"image": "a", "memory": 0.5}, "memory", "memory must be a whole number, not a number with a fraction"),
        ({"image": "a", "memory": -1}, "memory", "memory is -1; it must be at least 0"),
        ({"image": "a", "envs": {"A": "1"}}, "envs", "envs must be a list, not a map"),
        ({"image": "a", "command": ["sleep", 1]}, "command[1]", "command[1] must be a string, not a whole number"),
        ({"image": "a", "ports": [{}]}, "ports[0].internal", "ports[0].internal is missing; it is required"),
        (
            {"image": "a", "uploads": [{"file": "relative"}]},
            "uploads[0].file",
            "uploads[0].file is 'relative'; it must match ^/",
        ),
        (
            {"image": "a", "healthcheck": {"interval": "5"}},
            "healthcheck.interval",
            "healthcheck.interval is '5'; it must match ^(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$",
        ),
    ],
)
def test_each_problem_has_its_path_and_what_is_allowed(inputs: dict[str, Any], path: str, reason: str) -> None:
    """A wrong value is named by where it is, what it is and what it may be; all but the value of a secret's type."""
    assert check(CONTAINER, inputs, {}, "a")[1] == [(path, reason)]


def test_pids_limit_is_no_input() -> None:
    """The official plugin has no pidsLimit, so ours has none: a stack must work with both."""
    [(path, reason)] = check(CONTAINER, {"image": "a", "pidsLimit": 10}, {}, "a")[1]
    assert path == "pidsLimit"
    assert reason.startswith("pidsLimit is not an input of docker:index/container:Container that this plugin")


def test_inputs_and_outputs_do_not_overlap() -> None:
    """Each name is an input, an output of Docker's, or one that is always null."""
    for resource in TYPES.values():
        assert not set(resource.inputs) & (resource.outputs | resource.unset)
        assert not resource.outputs & resource.unset
    assert set(TYPES) == {kind.token for kind in (CONTAINER, NETWORK, VOLUME, IMAGE)}
