"""Check: the complete inputs of an object: normalised, named, in a namespace. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.kubernetes_plugin.typed import dashed, normalised, without_what_the_api_sets
from tools.airgap.plugin.errors import PluginError
from tools.airgap.plugin.wire import Mask, Unknown

AUTONAMED: Final = "pulumi.com/autonamed"

NAMING_DISABLED: Final = "autonaming is disabled, resource requires the .metadata.name field to be set"


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How an object that its program does not name is named."""

    automatic: Callable[[], str]
    """Give a new name."""
    disabled: bool = False


def check(
    kind: Kind, news: Mapping[str, Any], olds: Mapping[str, Any], naming: Naming, namespace: Callable[[], str | None]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the complete inputs, and each problem as a property and a reason.

    ``namespace`` gives the one to fill in; None for a kind that has none.
    """
    inputs = prepared(kind, news)
    metadata = inputs.get("metadata", {})
    if isinstance(metadata, Unknown):
        return inputs, []
    if not isinstance(metadata, dict):
        return inputs, [("metadata", "metadata must be an object")]
    problems = []
    if metadata.get("generateName"):
        problems.append(
            ("metadata.generateName", "the `.metadata.generateName` field is not supported in Server-Side Apply mode")
        )
    metadata = _named(dict(metadata), olds, naming)
    if not olds and not metadata.get("name") and not problems:
        problems.append(("metadata.name", NAMING_DISABLED))
    if not metadata.get("namespace") and (default := namespace()):
        metadata["namespace"] = default
    return {**inputs, "metadata": metadata}, problems


def _named(metadata: dict[str, Any], olds: Mapping[str, Any], naming: Naming) -> dict[str, Any]:
    if metadata.get("name"):
        return metadata
    before = olds.get("metadata")
    if isinstance(before, dict) and is_autonamed(before):
        name = before.get("name")
    elif olds or naming.disabled:
        return metadata
    else:
        name = naming.automatic()
    annotations = metadata.get("annotations")
    if isinstance(annotations, Unknown):
        raise PluginError("metadata.annotations must be known in previews for an object that has an automatic name")
    return {**metadata, "name": name, "annotations": {**(annotations or {}), AUTONAMED: "true"}}


def is_autonamed(metadata: Mapping[str, Any]) -> bool:
    """Say whether an object has its name from Check."""
    annotations = metadata.get("annotations")
    return isinstance(annotations, dict) and annotations.get(AUTONAMED) == "true"


def prepared(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as Check and Diff compare it: nothing of the plugin's own, normalised where all is known."""
    inputs = {key: value for key, value in values.items() if not key.startswith("__")}
    if kind.kind == "CustomResourceDefinition":
        inputs = dashed(inputs)
    if not has_unknowns(inputs):
        inputs = normalised(kind, inputs)
    return without_what_the_api_sets(inputs)


def has_unknowns(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether anything in a value will only be known in an update."""
    if isinstance(value, dict):
        return any(has_unknowns(element) for element in value.values())
    if isinstance(value, list):
        return any(has_unknowns(element) for element in value)
    return isinstance(value, Unknown)


def secret_mask(kind: Kind, mask: Mapping[str, Mask]) -> dict[str, Mask]:
    """Return what of an object is secret: what its program says, and the whole content of a Secret."""
    if kind.group == "" and kind.kind == "Secret":
        return {**mask, "data": True, "stringData": True}
    return dict(mask)
