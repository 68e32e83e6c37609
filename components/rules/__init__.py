"""Rules between settings: what one value asks of another, and what a target cannot follow.

Each rule gives problems and changes nothing. What one value may be by itself is in its type (``components/model.py``).
There is a module for each part of the settings, and each of them begins with ``between``.
"""

from collections.abc import Mapping
from typing import Any

from components.problems import Problem
from components.rules import app, edge, places, process, review, service

_PARTS = (process, app, service, review, places, edge)


def between(parts: Mapping[str, Any], stack: str) -> list[Problem]:
    """Find what is wrong between values that are right each by itself."""
    return [problem for each in _PARTS for problem in each.between(parts, stack)]
