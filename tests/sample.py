"""Settings for tests: one small valid stack, with a few things said differently."""

from collections.abc import Mapping
from typing import Any

from components.model import Settings
from components.settings import parse

_SAID: dict[str, Any] = {
    "environment": "dev",
    "app": {"name": "shop", "source": "examples/guestbook", "settings_module": "config.settings"},
}


def settings(said: Mapping[str, Any] | None = None) -> Settings:
    """Give the settings of a stack that says nothing but what is required, and what ``said`` adds to it."""
    return parse(_merged(_SAID, said or {}), "test")


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result
