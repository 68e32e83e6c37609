"""Recorded answers of an official plugin, and how a plugin is asked for the same ones."""

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.conformance.provider import Plugin, Properties

Recording = dict[str, dict[str, Any]]
Answers = Callable[[str], Properties]
"""From the title of a scenario to what a plugin answers in it."""

Pairs = Sequence[tuple[Any, Any]]
"""What stands in the recording, and what it is here."""


def recording(name: str) -> Recording:
    """Read the answers of one plugin: for each scenario, what was asked and what it said."""
    read: Recording = json.loads(Path(__file__).with_name(name).read_text())
    return read


def changes(recorded: Recording) -> list[tuple[str, str]]:
    """List the single changes of every scenario."""
    return [(title, change) for title, row in recorded.items() for change in row["diffs"]]


def answering(
    plugin: Plugin, recorded: Recording, local: Pairs, public: Callable[[Properties, bool], Properties]
) -> Answers:
    """Give what a plugin answers; each scenario is played once, however many tests look at it.

    Args:
        plugin: who is asked.
        recorded: what is asked.
        local: what is another here than where it was recorded.
        public: leaves out of inputs what is private to one implementation, and the random part of an automatic name.
    """

    @functools.cache
    def play(title: str) -> Properties:
        row = substituted(recorded[title], local)
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
            "checked": public(checked, automatic),
            "failures": failures,
            "outputs": sorted(key for key in state if not key.startswith("__")),
            "same": same,
            "diffs": diffs,
            "read": {"exists": read_id != "", "inputs": public(inputs, automatic)},
            "read after delete exists": plugin.read(token, id_, state, checked)[0] != "",
        }
        answers: Properties = substituted(found, [(new, old) for old, new in local])
        return answers

    return play


def substituted(tree: Any, pairs: Pairs) -> Any:  # noqa: ANN401 - any JSON value
    """Replace each value that equals the first of a pair by the second."""
    for old, new in pairs:
        if tree == old:
            return new
    if isinstance(tree, dict):
        return {key: substituted(value, pairs) for key, value in tree.items()}
    if isinstance(tree, list):
        return [substituted(value, pairs) for value in tree]
    return tree
