"""The kubernetes plugin gives the 140 answers that were recorded from the official one, version 4.32.0.

For each kind of object: Check, Create, Diff against the same inputs and against each single change, Read, Delete, Read.
They need a cluster; tests/unit/kubernetes_plugin asks ours what it can be asked without one.
"""

import re

import pytest

from tests.conformance.cluster import Api
from tests.conformance.provider import Plugin, Properties
from tests.conformance.recorded import Answers, answering, changes, recording

RECORDED = recording("kubernetes-4.32.0.json")
CHANGES = changes(RECORDED)
JOB_COMMAND = ["python", "-c", "pass"]

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def answers(kubernetes: Plugin, api: Api, pod_image: str) -> Answers:
    """What the plugin answers in one scenario."""
    local = [("pod-image", pod_image), (["job-command"], JOB_COMMAND), ("conformance", api.namespace)]
    return answering(kubernetes, RECORDED, local, _public)


@pytest.mark.parametrize("title", RECORDED)
@pytest.mark.parametrize(
    "answer", ["checked", "failures", "outputs", "same", "read", "read after delete exists"], ids=lambda key: key
)
def test_recorded_answer(answers: Answers, title: str, answer: str) -> None:
    """Check, Create, Read and Delete answer as the official plugin did."""
    assert answers(title)[answer] == RECORDED[title][answer]


@pytest.mark.parametrize(("title", "change"), CHANGES)
def test_recorded_change(answers: Answers, title: str, change: str) -> None:
    """A change of one input is the update, the replacement or the nothing that it is for the official plugin."""
    assert answers(title)["diffs"][change] == RECORDED[title]["diffs"][change]["result"]


def test_an_automatic_name_is_the_official_one(kubernetes: Plugin) -> None:
    """It is the logical name and eight hexadecimal digits."""
    checked, _ = kubernetes.check("kubernetes:core/v1:ConfigMap", {"apiVersion": "v1", "kind": "ConfigMap"})
    assert re.fullmatch("r-[0-9a-f]{8}", checked["metadata"]["name"])


def _public(inputs: Properties, automatic: bool) -> Properties:  # noqa: FBT001 - the shape that both plugins have
    """Leave out what is private to one implementation, and the random part of an automatic name."""
    kept = {key: value for key, value in inputs.items() if not key.startswith("__")}
    if automatic:
        name = re.sub(r"^r-[0-9a-f]{8}$", "AUTOMATIC", kept["metadata"].get("name", "NONE"))
        kept["metadata"] = {**kept["metadata"], "name": name}
    return kept
