"""Diff: which changes there are and what they mean. No daemon."""

from typing import Any

import pytest

from tools.airgap.docker_plugin.check import check
from tools.airgap.docker_plugin.diff import diff
from tools.airgap.docker_plugin.plan import planned, recorded
from tools.airgap.docker_plugin.schema import CONTAINER, NETWORK, VOLUME
from tools.airgap.plugin.wire import UNKNOWN

BASE = {"image": "a", "name": "b", "command": ["c"]}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    state = recorded(CONTAINER, check(CONTAINER, {**BASE, **before}, {}, "")[0])
    return {
        path: str(change)
        for path, change in diff(CONTAINER, state, check(CONTAINER, {**BASE, **after}, {}, "")[0], []).changes.items()
    }


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"envs": ["A=1", "B=2"]}, {"envs": ["B=2", "A=1"]}, {}),
        ({"envs": ["A=1", "B=2"]}, {"envs": ["A=1", "B=3"]}, {"envs[1]": "UPDATE"}),
        ({"envs": ["A=1"]}, {"envs": ["A=1", "B=2"]}, {"envs[1]": "ADD"}),
        ({"envs": ["A=1", "B=2"]}, {"envs": ["A=1"]}, {"envs[1]": "DELETE"}),
        ({"envs": ["A=1"]}, {}, {}),
        ({"user": "1"}, {}, {}),
        ({"user": "1"}, {"user": ""}, {}),
        ({"memory": 64}, {"memory": 65}, {"memory": "UPDATE"}),
        ({"memory": 64}, {}, {"memory": "DELETE"}),
        ({"readOnly": True}, {}, {"readOnly": "UPDATE"}),
        (
            {"logOpts": {"a": "1", "b.c": "1"}},
            {"logOpts": {"a": "2"}},
            {"logOpts.a": "UPDATE", 'logOpts["b.c"]': "DELETE"},
        ),
        (
            {"healthcheck": {"tests": ["CMD", "a"], "interval": "1s"}},
            {"healthcheck": {"tests": ["CMD", "b"], "interval": "1s"}},
            {"healthcheck.tests[1]": "UPDATE"},
        ),
        ({"healthcheck": {"tests": ["NONE"]}}, {"healthcheck": {"tests": ["NONE"], "interval": "0s"}}, {}),
        ({"capabilities": {"drops": ["ALL"]}}, {"capabilities": {"drops": ["ALL"], "adds": []}}, {}),
        (
            {"ports": [{"internal": 80, "external": 8080}, {"internal": 81, "external": 8081}]},
            {"ports": [{"internal": 81, "external": 8081, "protocol": "tcp"}, {"internal": 80, "external": 8080}]},
            {},
        ),
        ({"ports": [{"internal": 80, "external": 49153}]}, {"ports": [{"internal": 80}]}, {}),
        (
            {"ports": [{"internal": 80, "external": 8080}]},
            {"ports": [{"internal": 80, "external": 8081}]},
            {"ports[0].external": "UPDATE"},
        ),
        (
            {"mounts": [{"target": "/a", "type": "tmpfs"}]},
            {"mounts": [{"target": "/a", "type": "tmpfs", "source": ""}]},
            {},
        ),
    ],
)
def test_changes(before: dict[str, Any], after: dict[str, Any], changes: dict[str, str]) -> None:
    """Only what Docker would see differently is a change, by its path."""
    assert _changes(before, after) == changes


def test_what_docker_filled_in_is_a_change_where_the_program_has_the_say() -> None:
    """Docker sets memorySwap to twice the memory; a program that leaves it out sees that, as officially."""
    inputs = check(CONTAINER, {**BASE, "memory": 64}, {}, "")[0]
    state = {**recorded(CONTAINER, inputs), "memorySwap": 128}
    assert dict(diff(CONTAINER, state, inputs, []).changes) == {"memorySwap": "DELETE"}


def test_ignored_changes_are_none() -> None:
    """What `ignore_changes` names does not count."""
    state = recorded(VOLUME, {"name": "a", "labels": [{"label": "a", "value": "b"}]})
    assert diff(VOLUME, state, {"name": "a"}, []).replaces == ["labels"]
    assert diff(VOLUME, state, {"name": "a"}, ["labels"]).changes == {}


@pytest.mark.parametrize(
    ("resource", "defaults", "first"),
    [(CONTAINER, ["name"], True), (CONTAINER, [], True), (NETWORK, ["name"], False), (NETWORK, [], True)],
)
def test_which_replacement_deletes_first(resource: Any, defaults: list[str], first: bool) -> None:  # noqa: ANN401, FBT001 - parameters
    """A container always, a network only with a name of the program's: two cannot have it at once."""
    news = {"image": "a", "name": "a", "internal": True, "readOnly": True, "__defaults": defaults}
    assert diff(resource, recorded(resource, {"image": "a", "name": "a"}), news, []).delete_first is first


def test_an_unknown_value_is_a_change() -> None:
    """A preview plans a replacement for what it does not know, in a set as well."""
    assert _changes({"image": "a"}, {"image": UNKNOWN}) == {"image": "UPDATE"}
    assert _changes(
        {"networksAdvanced": [{"name": "a"}, {"name": "b"}]}, {"networksAdvanced": [{"name": UNKNOWN}, {"name": "b"}]}
    ) == {"networksAdvanced[0]": "UPDATE"}


def test_a_planned_update_keeps_what_docker_decided() -> None:
    """Outputs that an update does not touch stay known in its preview."""
    inputs = check(CONTAINER, {**BASE, "memory": 64}, {}, "")[0]
    state = {**recorded(CONTAINER, inputs), "hostname": "h", "networkDatas": [], "id": "1"}
    after = planned(CONTAINER, {**inputs, "memory": 65}, state)
    assert (after["hostname"], after["networkDatas"], after["id"], after["memory"]) == ("h", [], "1", 65)
    assert planned(CONTAINER, inputs, None)["hostname"] is UNKNOWN
