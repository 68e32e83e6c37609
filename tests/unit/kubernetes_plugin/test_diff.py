"""Diff: what the recorded answers do not say."""

from typing import Any

import pytest

from tools.airgap.kubernetes_plugin.diff import Change, diff, pruned, written
from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.plugin.wire import UNKNOWN

THING = Kind("example.org", "v1", "Thing")
SERVICE = Kind("", "v1", "Service")


def _thing(kind: Kind = THING, name: str = "a", **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, "namespace": "n"}, **rest}


def _changes(old: dict[str, Any], new: dict[str, Any], *, live: dict[str, Any] | None = None) -> dict[str, Change]:
    kind = Kind.of(new)
    state = {**(live or old), "__inputs": old}
    return dict(diff(kind, state, new, namespaced=True).changes)


def test_lists_are_compared_by_position() -> None:
    """The first of two that goes away changes the one that is left, and deletes the last."""
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert _changes(_thing(spec={"env": env}), _thing(spec={"env": env[1:]})) == {
        "spec.env[0].name": Change.UPDATE,
        "spec.env[0].value": Change.UPDATE,
        "spec.env[1]": Change.DELETE,
    }


def test_what_others_added_is_no_difference_and_what_they_changed_is() -> None:
    """After a refresh the live object says so."""
    inputs = _thing(spec={"size": 1})
    live = {**inputs, "spec": {"size": 2, "color": "red"}, "status": {}}
    assert _changes(inputs, inputs, live=live) == {"spec.size": Change.UPDATE}


def test_an_unknown_value_is_an_update() -> None:
    """Or an addition where there was none."""
    assert _changes(_thing(spec={"a": {"b": 1}}), _thing(spec={"a": UNKNOWN, "c": UNKNOWN})) == {
        "spec.a": Change.UPDATE,
        "spec.c": Change.ADD,
    }


def test_no_namespace_is_the_default_one() -> None:
    """And one that changes is a replacement that may be made first: the old object is not in its way."""
    old = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}
    new = {**old, "metadata": {"name": "a", "namespace": "default"}}
    assert _changes(old, new) == {}
    moved = {**old, "metadata": {"name": "a", "namespace": "other"}}
    found = diff(SERVICE, {**old, "__inputs": old}, moved, namespaced=True)
    assert (found.replaces, found.delete_first) == (["metadata.namespace"], False)


def test_a_part_of_something_immutable_replaces_and_so_does_what_contains_it() -> None:
    """A change below a listed path, at it, and an addition above it; the old Service is deleted first."""
    plain, headless = _thing(SERVICE), _thing(SERVICE, spec={"clusterIP": "None"})
    found = diff(SERVICE, {**plain, "__inputs": plain}, headless, namespaced=True)
    assert (found.changes, found.replaces, found.delete_first) == ({"spec": Change.ADD}, ["spec"], True)
    ports = _thing(SERVICE, spec={"clusterIP": "None", "ports": [{"port": 1}]})
    back = _thing(SERVICE, spec={"ports": [{"port": 1}]})
    found = diff(SERVICE, {**ports, "__inputs": ports}, back, namespaced=True)
    assert (found.replaces, found.delete_first) == (["spec.clusterIP"], True)
    gone = diff(SERVICE, {**headless, "__inputs": headless}, plain, namespaced=True)
    assert (gone.changes, gone.replaces) == ({"spec": Change.DELETE}, [])


def test_no_name_replaces_a_named_object() -> None:
    """The engine then asks Check for an automatic one."""
    old = _thing()
    new = {**old, "metadata": {"namespace": "n"}}
    found = diff(THING, {**old, "__inputs": old}, new, namespaced=True)
    assert (found.changes, found.replaces) == ({"metadata.name": Change.DELETE}, ["metadata.name"])


def test_what_the_program_ignores_is_no_change() -> None:
    """A path covers what is below it; a star stands for each element."""
    old, new = _thing(spec={"a": [{"b": 1}], "c": 1}), _thing(spec={"a": [{"b": 2}], "c": 2})
    found = diff(THING, {**old, "__inputs": old}, new, namespaced=True, ignored=["spec.a[*].b"])
    assert found.changes == {"spec.c": Change.UPDATE}


@pytest.mark.parametrize(
    ("live", "shape", "result"),
    [
        ({"a": [1, 2]}, {"a": [9]}, {"a": [1]}),
        ({"a": []}, {"a": [9]}, {"a": []}),
        ({"a": [1, 2]}, {"a": ["x"]}, {"a": [1, 2]}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 0, "d": 0}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": 1}),
    ],
)
def test_a_live_object_is_cut_to_the_shape_of_the_inputs(
    live: dict[str, Any], shape: dict[str, Any], result: dict[str, Any]
) -> None:
    """Keys that the inputs have, lists up to their length, values of another type as they are."""
    assert pruned(live, shape) == result


def test_paths_are_written_as_pulumi_does() -> None:
    """Keys with dots or brackets are quoted."""
    assert written(("metadata", "annotations", "a.b/c")) == 'metadata.annotations["a.b/c"]'
    assert written(("spec", "containers", 0, "image-name")) == "spec.containers[0].image-name"
