"""How a field that is not as it was declared is written, without what may be a secret. Pure."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from pipeline.cluster.compare import Change
from pipeline.drift.difference import HIDDEN, parted, safe

NOTHING = "nothing"
_ENVIRONMENT = re.compile(r"\.env\[([^\]]+)\](?:\.value)?$")
_HOLDS_VALUES = re.compile(r'"(value|env|data)"')
_VALUES = re.compile(r"(^|\.)(data|stringData|binaryData)\[?")


def both(change: Change) -> tuple[str, str]:
    """Write both sides of a change, without what may be a secret."""
    one, other = change.declared, change.found
    if isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
        one, other = parted(one, other)
    return _written(change, one), _written(change, other)


def _written(change: Change, value: object) -> str:
    if value is None:
        return NOTHING
    variable = _ENVIRONMENT.search(change.text)
    name, known_field = (f"environment {variable[1]}" if variable else change.text), change.declared is not None
    if not known_field and (variable or _VALUES.search(change.text)):
        return HIDDEN
    if variable and isinstance(value, Mapping):
        value = value.get("value") or value
    if isinstance(value, Mapping | list):
        return _many(value)
    return safe(name, value if isinstance(value, str) else json.dumps(value), declared=known_field)


def _many(value: Mapping[str, Any] | list[Any]) -> str:
    """Write more than one value."""
    if isinstance(value, Mapping) and value.get("image"):
        return f"image {safe('image', str(value['image']))}"
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return safe("command", shlex.join(map(str, value)))
    text = json.dumps(value)
    return HIDDEN if _HOLDS_VALUES.search(text) else safe("field", text)
