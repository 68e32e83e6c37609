"""The answers that were recorded from the official kubernetes plugin 4.32.0 on a real cluster."""

import json
import re
from pathlib import Path
from typing import Any, Final

from tests.conformance.provider import Properties

RECORDED: Final[dict[str, dict[str, Any]]] = json.loads(Path(__file__).with_name("kubernetes-4.32.0.json").read_text())
CHANGES: Final = [(title, change) for title, row in RECORDED.items() for change in row["diffs"]]


def public(inputs: Properties, *, automatic: bool) -> Properties:
    """Leave out what is private to one implementation, and the random part of an automatic name."""
    kept = {key: value for key, value in inputs.items() if not key.startswith("__")}
    if automatic:
        name = re.sub(r"^r-[0-9a-f]{8}$", "AUTOMATIC", kept["metadata"].get("name", "NONE"))
        kept["metadata"] = {**kept["metadata"], "name": name}
    return kept


def substituted(tree: Any, pairs: list[tuple[Any, Any]]) -> Any:  # noqa: ANN401 - any JSON value
    """Replace each value that equals the first of a pair by the second."""
    for old, new in pairs:
        if tree == old:
            return new
    if isinstance(tree, dict):
        return {key: substituted(value, pairs) for key, value in tree.items()}
    if isinstance(tree, list):
        return [substituted(value, pairs) for value in tree]
    return tree
