"""What a preview answers: the state that an update will record, as far as it can be known. Pure."""

from collections.abc import Mapping
from typing import Any

from tools.airgap.docker_plugin.check import DEFAULTS
from tools.airgap.docker_plugin.schema import Property, ResourceType
from tools.airgap.plugin.wire import UNKNOWN


def planned(resource: ResourceType, inputs: Mapping[str, Any], state: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the outputs of a resource that is to be created (no state) or updated."""
    known: dict[str, Any] = (
        {"id": UNKNOWN, **dict.fromkeys(resource.outputs, UNKNOWN)} if state is None else dict(state)
    )
    for key, spec in resource.inputs.items():
        if key in inputs:
            known[key] = inputs[key]
        elif spec.computed:
            known[key] = UNKNOWN if state is None else state.get(key)
        else:
            known[key] = spec.default
    return {**dict.fromkeys(resource.unset), **known, "__meta": resource.meta}


def recorded(resource: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of what Docker does not tell: the inputs, complete, and null for everything else."""
    state: dict[str, Any] = dict.fromkeys((*resource.outputs, *resource.unset))
    for key, spec in resource.inputs.items():
        state[key] = expanded(spec, inputs.get(key, spec.default))
    return {**state, "__meta": resource.meta}


def expanded(spec: Property, value: Any) -> Any:  # noqa: ANN401 - values of any type
    """Return a value with each field of each object in it, and null for an empty collection."""
    if isinstance(value, dict) and spec.fields is not None:
        return {key: expanded(field, value.get(key, field.default)) for key, field in spec.fields.items()}
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key != DEFAULTS} or None
    if isinstance(value, list):
        fields = spec.fields
        return [
            {key: expanded(field, item.get(key, field.default)) for key, field in fields.items()}
            if fields is not None
            else item
            for item in value
        ] or None
    return value
