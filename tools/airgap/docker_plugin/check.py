"""Check: refuse what is not implemented or not valid, then fill in defaults and the automatic name. Pure."""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from tools.airgap.docker_plugin.schema import Kind, Property, ResourceType
from tools.airgap.plugin.wire import UNKNOWN

DEFAULTS = "__defaults"
"""The names of inputs that Check filled in, kept beside them as the official plugin does."""

_PYTHON = {Kind.STRING: str, Kind.INTEGER: int, Kind.BOOLEAN: bool, Kind.MAP: dict, Kind.OBJECT: dict}
_CALLED = {dict: "a map", list: "a list", str: "a string", int: "a whole number", bool: "true or false"}


def check(
    resource: ResourceType, news: Mapping[str, Any], olds: Mapping[str, Any], automatic_name: str
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the complete inputs, and each problem as a property and a reason."""
    given = {key: value for key, value in news.items() if value is not None and key != DEFAULTS}
    refused = sorted(set(given) - set(resource.inputs))
    if refused:
        return {}, [(refused[0], _refusal(resource.token, "", refused, resource.inputs))]
    filled = {
        key: spec.default
        for key, spec in resource.inputs.items()
        if key not in given and spec.default  # the official plugin leaves out defaults that say "no" or "0" as well
    }
    if resource.automatic_name and "name" not in given:
        kept = olds.get("name") if "name" in olds.get(DEFAULTS, []) else None
        filled["name"] = kept or automatic_name
    inputs = {**given, **filled, DEFAULTS: sorted(filled)}
    return inputs, [
        problem
        for key, spec in resource.inputs.items()
        for problem in (
            _problems(resource, key, spec, inputs[key])
            if key in inputs
            else [(key, f"{key} is missing; it is required")]
            if spec.required
            else []
        )
    ]


def automatic_name(name: str, seed: bytes) -> str:
    """Return the name of a resource that its program does not name: its logical name and seven random digits."""
    random = hashlib.sha256(seed).hexdigest() if seed else secrets.token_hex(4)
    return f"{name}-{random[:7]}"


def _refusal(token: str, path: str, refused: list[str], supported: Mapping[str, Property]) -> str:
    names = ", ".join(f"{path}{name}" for name in refused)
    verb = "is not an input" if len(refused) == 1 else "are not inputs"
    return f"{names} {verb} of {token} that this plugin implements. It takes: {', '.join(sorted(supported))}"


def _problems(resource: ResourceType, path: str, spec: Property, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - an input of any type
    if value is UNKNOWN:
        return
    expected = _PYTHON.get(spec.kind, list)
    fits = isinstance(value, expected) and not (expected is int and isinstance(value, bool))
    if not fits:
        yield path, f"{path} must be {_CALLED[expected]}, not {_called(value)}"
    elif spec.kind is Kind.OBJECT:
        yield from _problems_of_object(resource, path, spec.fields or {}, value)
    elif isinstance(value, (list, dict)):
        keyed = value.items() if isinstance(value, dict) else enumerate(value)
        for key, element in keyed:
            at = f"{path}[{key}]"
            if spec.fields is not None:
                yield from _problems(resource, at, Property(kind=Kind.OBJECT, fields=spec.fields), element)
            elif element is not UNKNOWN and not isinstance(element, str):
                yield at, f"{at} must be a string, not {_called(element)}"
    elif spec.pattern and not re.search(spec.pattern, value):
        yield path, f"{path} is {value!r}; it must match {spec.pattern}"
    elif spec.minimum is not None and value < spec.minimum:
        yield path, f"{path} is {value}; it must be at least {spec.minimum}"


def _problems_of_object(
    resource: ResourceType, path: str, fields: Mapping[str, Property], value: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    given = {key: item for key, item in value.items() if item is not None and key != DEFAULTS}
    refused = sorted(set(given) - set(fields))
    if refused:
        yield path, _refusal(resource.token, f"{path}.", refused, fields)
    for key, spec in fields.items():
        if key in given:
            yield from _problems(resource, f"{path}.{key}", spec, given[key])
        elif spec.required:
            yield f"{path}.{key}", f"{path}.{key} is missing; it is required"


def _called(value: Any) -> str:  # noqa: ANN401 - an input of any type
    """Name the type of a value, never the value: it can be a secret."""
    return next((called for kind, called in _CALLED.items() if type(value) is kind), "a number with a fraction")
