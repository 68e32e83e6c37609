"""The kubernetes plugin gives the 140 answers that were recorded from the official one, version 4.32.0.

For each kind of object: Check, Create, Diff against the same inputs and against each single change, Read, Delete, Read.
They need a cluster; tests/unit/kubernetes_plugin asks ours what it can be asked without one.
"""

import functools
import re
from collections.abc import Callable, Iterator

import pytest

from tests.conformance.cluster import Api
from tests.conformance.provider import Plugin, Properties
from tests.conformance.recorded import CHANGES, RECORDED, public, substituted

pytestmark = pytest.mark.cluster
Answers = Callable[[str], Properties]
JOB_COMMAND = ["python", "-c", "pass"]


@pytest.fixture(scope="module")
def answers(kubernetes: Plugin, api: Api, pod_image: str) -> Iterator[Answers]:
    """What the plugin answers in one scenario; each is played once, however many tests look at it."""
    local = [("pod-image", pod_image), (["job-command"], JOB_COMMAND), ("conformance", api.namespace)]

    @functools.cache
    def play(title: str) -> Properties:
        row = substituted(RECORDED[title], local)
        token, base, automatic = row["type"], row["base"], "auto-named" in title
        checked, failures = kubernetes.check(token, base)
        id_, state = kubernetes.create(token, checked)
        try:
            diffs = {}
            for key, change in row["diffs"].items():
                changed, _ = kubernetes.check(token, {**base, **change["to"]}, checked)
                diffs[key] = kubernetes.diff(token, id_, state, checked, changed)
            same = kubernetes.diff(token, id_, state, checked, checked)
            read_id, _, inputs = kubernetes.read(token, id_, state, checked)
        finally:
            kubernetes.delete(token, id_, state, checked)
        found = {
            "checked": public(checked, automatic=automatic),
            "failures": failures,
            "outputs": sorted(key for key in state if not key.startswith("__")),
            "same": same,
            "diffs": diffs,
            "read": {"exists": read_id != "", "inputs": public(inputs, automatic=automatic)},
            "read after delete exists": kubernetes.read(token, id_, state, checked)[0] != "",
        }
        recorded: Properties = substituted(found, [(new, old) for old, new in local])
        return recorded

    yield play
    play.cache_clear()


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
