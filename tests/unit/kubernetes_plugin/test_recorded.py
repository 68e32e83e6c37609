"""The recorded answers of the official plugin that need no cluster: Check, and Diff against what was checked."""

from typing import Any

import pytest

from tests.conformance.recorded import changes, recording
from tools.airgap.kubernetes_plugin.check import Naming, check
from tools.airgap.kubernetes_plugin.diff import Difference, diff
from tools.airgap.kubernetes_plugin.kinds import Kind

RECORDED = recording("kubernetes-4.32.0.json")
CHANGES = changes(RECORDED)
NAMING = Naming(automatic=lambda: "AUTOMATIC")


def _checked(title: str, change: dict[str, Any] | None = None) -> tuple[Kind, dict[str, Any]]:
    base = RECORDED[title]["base"]
    kind = Kind.of(base)
    inputs, problems = check(kind, base, {}, NAMING, lambda: "default")
    assert problems == []
    if change is not None:
        inputs, problems = check(kind, {**base, **change}, inputs, NAMING, lambda: "default")
        assert problems == []
    return kind, inputs


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Unwrap the secrets of a recorded answer."""
    if isinstance(value, dict):
        return (
            _plain(value["value"])
            if "4dabf18193072939515e22adb298388d" in value
            else {k: _plain(v) for k, v in value.items()}
        )
    return [_plain(element) for element in value] if isinstance(value, list) else value


def _answer(found: Difference) -> dict[str, Any]:
    return {
        "changes": "DIFF_SOME" if found.changes else "DIFF_NONE",
        "deleteBeforeReplace": found.delete_first,
        "replaces": list(found.replaces),
        "detailed": {
            path: f"{change}_REPLACE" if path in found.replaces else str(change)
            for path, change in found.changes.items()
        },
    }


@pytest.mark.parametrize("title", RECORDED)
def test_checked_inputs(title: str) -> None:
    """Names, namespaces, folded Secrets and dropped fields are those of the official plugin."""
    assert _checked(title)[1] == _plain(RECORDED[title]["checked"])


@pytest.mark.parametrize("title", RECORDED)
def test_the_same_inputs_are_no_change(title: str) -> None:
    """Even where the live object has more than the inputs."""
    kind, inputs = _checked(title)
    live = {**inputs, "metadata": {**inputs["metadata"], "uid": "1", "resourceVersion": "2"}, "status": {"a": "b"}}
    assert _answer(diff(kind, {**live, "__inputs": inputs}, inputs, namespaced=True)) == RECORDED[title]["same"]


@pytest.mark.parametrize(("title", "change"), CHANGES)
def test_a_change(title: str, change: str) -> None:
    """It is the update or the replacement that it is for the official plugin, at the same paths."""
    row = RECORDED[title]["diffs"][change]
    kind, inputs = _checked(title)
    _, news = _checked(title, row["to"])
    assert _answer(diff(kind, {**inputs, "__inputs": inputs}, news, namespaced=True)) == row["result"]
