"""The plugin's README says what its schema says."""

import re
from pathlib import Path

import pytest

from tools.airgap.docker_plugin import container
from tools.airgap.docker_plugin.schema import CONTAINER, TYPES, Property, ResourceType

README = Path(container.__file__).with_name("README.md").read_text(encoding="utf-8")
IN_PLACE = {"mustRun", "restart", "maxRetryCount", "cpuShares", "memory", "memoryReservation", "memorySwap"}


@pytest.mark.parametrize("resource", TYPES.values(), ids=lambda resource: resource.token)
def test_each_table_lists_the_inputs_of_its_type(resource: ResourceType) -> None:
    """Every input is in the table, with what a change of it does and whether Docker fills it in; nothing else is."""
    section = README.partition(f"## `{resource.token}`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| (replace|in place|recorded) \| (.*?) ?\|$", section, re.MULTILINE)
    assert rows == [
        (key, _change(resource, key, spec), _default(resource, key, spec, listed))
        for (key, _, listed), spec in zip(rows, [resource.inputs[row[0]] for row in rows], strict=True)
    ]
    assert {row[0] for row in rows} == set(resource.inputs)


def _change(resource: ResourceType, key: str, spec: Property) -> str:
    if spec.replaces:
        return "replace"
    return "in place" if resource is CONTAINER and key in IN_PLACE else "recorded"


def _default(resource: ResourceType, key: str, spec: Property, listed: str) -> str:
    if key == "name":
        return "automatic" if resource.automatic_name else "required"
    if spec.required:
        return "required"
    if spec.computed:
        return "filled in"
    if spec.default is None:
        return listed if listed == "`0`" else ""  # destroyGraceSeconds: what Delete does without it
    return f"`{str(spec.default).lower() if isinstance(spec.default, bool) else spec.default}`"
