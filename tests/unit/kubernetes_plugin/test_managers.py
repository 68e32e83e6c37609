"""Who owns the fields of an object."""

from typing import Any

from tools.airgap.kubernetes_plugin.managers import left_alone, taken_over


def _entry(manager: str, operation: str = "Update", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": _nested(fields)}


def _nested(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"f:{name}": _nested(below) for name, below in fields.items()}


def test_what_the_creation_and_kubectl_own_goes_to_the_manager_of_the_update() -> None:
    """In one entry; those of others and of the status stay."""
    entries = [
        _entry("pulumi-kubernetes", data={"a": {}}),
        _entry("kubectl-label", metadata={"labels": {"x": {}}}),
        {**_entry("pulumi-kubernetes", status={}), "subresource": "status"},
        _entry("other", "Apply", data={"b": {}}),
    ]
    assert taken_over(entries, "pulumi-kubernetes-1") == [
        *entries[2:],
        _entry("pulumi-kubernetes-1", "Apply", data={"a": {}}, metadata={"labels": {"x": {}}}),
    ]


def test_the_entry_that_is_there_gets_the_fields() -> None:
    """A manager has one entry only."""
    mine = _entry("pulumi-kubernetes-1", "Apply", data={"b": {}})
    taken = taken_over([_entry("kubectl", "Apply", data={"a": {}}), mine], "pulumi-kubernetes-1")
    assert taken == [_entry("pulumi-kubernetes-1", "Apply", data={"b": {}, "a": {}})]


def test_nothing_to_take() -> None:
    """Then nothing is sent."""
    assert taken_over([_entry("other"), _entry("pulumi-kubernetes-1", "Apply")], "pulumi-kubernetes-1") is None


def _live(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries)}, "spec": {"replicas": 7, "paused": False}}


def test_an_ignored_field_that_is_ours_stays_as_it_is() -> None:
    """Left out, it would be removed; with what the program says, it would change."""
    for mine in (_entry("me", "Apply", spec={"replicas": {}}), _entry("pulumi-kubernetes", spec={"replicas": {}})):
        for inputs in ({"spec": {"replicas": 2, "paused": True}}, {"spec": {"paused": True}}):
            assert left_alone(inputs, _live(mine), "me", [("spec", "replicas")]) == {
                "spec": {"replicas": 7, "paused": True}
            }


def test_an_ignored_field_of_somebody_else_is_not_sent() -> None:
    """Sent, it would be taken from them."""
    live = _live(_entry("autoscaler", spec={"replicas": {}}), _entry("me", "Apply", spec={"paused": {}}))
    inputs = {"spec": {"replicas": 2, "paused": True}}

    assert left_alone(inputs, live, "me", [("spec", "replicas")]) == {"spec": {"paused": True}}
    assert left_alone({"a": 1}, live, "me", [("spec", "replicas")]) == {"a": 1}
    assert inputs["spec"]["replicas"] == 2


def test_what_is_in_a_list_is_not_ignored() -> None:
    """Elements have no owners that could be told apart by their number."""
    inputs = {"spec": {"ports": [{"port": 1}]}}
    assert left_alone(inputs, _live(), "me", [("spec", "ports", 0, "port"), ("spec", "*")]) == inputs
