"""Labels: a list of label and value in Pulumi, a map in Docker."""

from collections.abc import Mapping
from typing import Any


def to_docker(labels: list[dict[str, str]] | None) -> dict[str, str]:
    """Return the map that Docker takes."""
    return {entry["label"]: entry["value"] for entry in labels or []}


def from_docker(labels: Mapping[str, str] | None, known: Any) -> list[dict[str, str]] | None:  # noqa: ANN401 - from a state
    """Return the list for the state, in the order that is known if nothing else changed."""
    if known and to_docker(known) == dict(labels or {}):
        return [{"label": entry["label"], "value": entry["value"]} for entry in known]
    return [{"label": label, "value": value} for label, value in sorted((labels or {}).items())] or None
