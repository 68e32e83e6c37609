"""The page about sizes says what the budget and the defaults say."""

import re

import pytest

from components.budget import budget
from components.model import Kind
from pipeline import generate, sizing


@pytest.mark.parametrize("kind", list(Kind))
def test_the_rows_are_what_the_budget_counts(kind: Kind) -> None:
    """Added up with the same room, they are the quota of the namespace: no component is missing."""
    settings = sizing.usual(kind)
    assert sizing.sums(settings) == budget(settings)


def test_the_page_has_a_table_for_each_kind() -> None:
    """Each with its sums."""
    page = sizing.page()
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        *(f"## {kind}" for kind in Kind),
        "## What changes it",
    ]
    assert page.count("All the time: ") == len(Kind)
    for kind in Kind:
        memory, storage = sizing.usual(kind).postgres.resources.memory_mb, sizing.usual(kind).kubernetes.storage
        assert re.search(rf"\| postgres \| 1 \| 1 \| .* \| {memory} MiB \| {storage.postgres_gb} GiB \|", page)


def test_the_page_is_generated() -> None:
    """With the other files that no hand writes."""
    assert generate.files()[sizing.PAGE] == sizing.page()
