"""The docker plugin gives the 146 answers that were recorded from the official one, version 5.1.0.

For each resource: Check, Create, Diff against the same inputs and against each single change, Read, Delete, Read.
"""

import os

import pytest

from tests.conformance.provider import Plugin, Properties
from tests.conformance.recorded import Answers, answering, changes, recording

RECORDED = recording("docker-5.1.0.json")
CHANGES = changes(RECORDED)
HERE = f"slipway-conformance-{os.getpid()}"
"""Instead of the recorded names, so that two runs on one machine do not meet."""

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def answers(plugin: Plugin, image: str) -> Answers:
    """What the plugin answers in one scenario."""
    local = [("image", image), ("conformance", HERE), ("conformance-2", f"{HERE}-2")]
    return answering(plugin, RECORDED, local, _public)


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


def test_nothing_recorded_is_left_out() -> None:
    """The recording has the seven scenarios and 146 answers that the tests above are about."""
    assert (len(RECORDED), len(CHANGES) + 5 * len(RECORDED)) == (7, 146)


def _public(inputs: Properties, automatic: bool) -> Properties:  # noqa: FBT001 - the shape that both plugins have
    """Leave out what is private to one implementation, and the random part of an automatic name."""
    kept = {key: value for key, value in inputs.items() if not key.startswith("__")}
    if automatic and str(kept.get("name", "")).startswith("r-"):
        kept["name"] = "AUTOMATIC"
    return kept
