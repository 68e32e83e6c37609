"""The docker plugin gives the 146 answers that were recorded from the official one, version 5.1.0.

For each resource: Check, Create, Diff against the same inputs and against each single change, Read, Delete, Read.
"""

import functools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.provider import Plugin, Properties

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("docker-5.1.0.json").read_text())
CHANGES = [(title, change) for title, row in RECORDED.items() for change in row["diffs"]]
HERE = f"slipway-conformance-{os.getpid()}"
"""Instead of the recorded names, so that two runs on one machine do not meet."""

pytestmark = pytest.mark.docker
Answers = Callable[[str], Properties]


@pytest.fixture(scope="module")
def answers(plugin: Plugin, image: str) -> Iterator[Answers]:
    """What the plugin answers in one scenario; each is played once, however many tests look at it."""
    local = [("image", image), ("conformance", HERE), ("conformance-2", f"{HERE}-2")]

    @functools.cache
    def play(title: str) -> Properties:
        row = _substituted(RECORDED[title], local)
        token, base, automatic = row["type"], row["base"], "auto-named" in title
        checked, failures = plugin.check(token, base)
        id_, state = plugin.create(token, checked)
        try:
            diffs = {}
            for key, change in row["diffs"].items():
                changed, _ = plugin.check(token, {**base, **change["to"]}, checked)
                diffs[key] = plugin.diff(token, id_, state, checked, changed)
            same = plugin.diff(token, id_, state, checked, checked)
            read_id, _, inputs = plugin.read(token, id_, state, checked)
        finally:
            plugin.delete(token, id_, state, checked)
        found = {
            "checked": _public(checked, automatic=automatic),
            "failures": failures,
            "outputs": sorted(key for key in state if not key.startswith("__")),
            "same": same,
            "diffs": diffs,
            "read": {"exists": read_id != "", "inputs": _public(inputs, automatic=automatic)},
            "read after delete exists": plugin.read(token, id_, state, checked)[0] != "",
        }
        recorded: Properties = _substituted(found, [(new, old) for old, new in local])
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


def test_nothing_recorded_is_left_out() -> None:
    """The recording has the seven scenarios and 146 answers that the tests above are about."""
    assert (len(RECORDED), len(CHANGES) + 5 * len(RECORDED)) == (7, 146)


def _public(inputs: Properties, *, automatic: bool) -> Properties:
    """Leave out what is private to one implementation, and the random part of an automatic name."""
    kept = {key: value for key, value in inputs.items() if not key.startswith("__")}
    if automatic and str(kept.get("name", "")).startswith("r-"):
        kept["name"] = "AUTOMATIC"
    return kept


def _substituted(tree: Any, pairs: list[tuple[str, str]]) -> Any:  # noqa: ANN401 - any JSON value
    """Replace each value that equals the first of a pair by the second."""
    for old, new in pairs:
        if tree == old:
            return new
    if isinstance(tree, dict):
        return {key: _substituted(value, pairs) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_substituted(value, pairs) for value in tree]
    return tree
