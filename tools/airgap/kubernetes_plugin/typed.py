"""Objects of built-in kinds as the API's types write them: no unknown field, no empty one, canonical quantities. Pure.

The types are the models of the official client, read one by one (all of them take half a second to load). They do not
say what Go's types do: which field is a quantity, and which zero is a value. That is in the tables below, taken from
the Go types of Kubernetes 1.34. A zero that the API leaves out would be a difference in each preview.
"""

import base64
import binascii
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from tools.airgap.kubernetes_plugin.kinds import Kind

_QUANTITIES: Final = frozenset(
    {
        "V1CSIStorageCapacity.capacity",
        "V1CSIStorageCapacity.maximumVolumeSize",
        "V1EmptyDirVolumeSource.sizeLimit",
        "V1LimitRangeItem.default",
        "V1LimitRangeItem.defaultRequest",
        "V1LimitRangeItem.max",
        "V1LimitRangeItem.maxLimitRequestRatio",
        "V1LimitRangeItem.min",
        "V1PersistentVolumeSpec.capacity",
        "V1PodSpec.overhead",
        "V1ResourceFieldSelector.divisor",
        "V1ResourceQuotaSpec.hard",
        "V1ResourceRequirements.limits",
        "V1ResourceRequirements.requests",
        "V1VolumeResourceRequirements.limits",
        "V1VolumeResourceRequirements.requests",
        "V2MetricTarget.averageValue",
        "V2MetricTarget.value",
    }
)
_ZERO_IS_NOTHING: Final = frozenset(
    [
        "chapAuthDiscovery",
        "chapAuthSession",
        "deprecated",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "failureThreshold",
        "globalDefault",
        "healthCheckNodePort",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "initialDelaySeconds",
        "insecureSkipTLSVerifyBackend",
        "minReadySeconds",
        "nodePort",
        "nullable",
        "paused",
        "periodSeconds",
        "publishNotReadyAddresses",
        "readOnly",
        "sslEnabled",
        "stdin",
        "stdinOnce",
        "successThreshold",
        "tty",
        "uniqueItems",
        "unschedulable",
    ]
) | {"V1Probe.timeoutSeconds", "V1ScaleSpec.replicas"}
"""Numbers and booleans, by name or by type and name; 0 and false are values of all others."""
_ZERO_IS_A_VALUE: Final = frozenset(
    {"V1HPAScalingPolicy.periodSeconds", "V2HPAScalingPolicy.periodSeconds", "V1CSIVolumeSource.readOnly"}
)
_EMPTY_IS_A_VALUE: Final = frozenset(
    {
        "V1ClusterRole.rules",
        "V1CustomResourceDefinitionSpec.versions",
        "V1HTTPIngressRuleValue.paths",
        "V1HTTPHeader.value",
        "V1IngressSpec.ingressClassName",
        "V1LimitRangeSpec.limits",
        "V1NodeSelector.nodeSelectorTerms",
        "V1PersistentVolumeClaimSpec.storageClassName",
        "V1PersistentVolumeClaimSpec.volumeAttributesClassName",
        "V1PodSpec.containers",
        "V1PodSpec.runtimeClassName",
        "V1PolicyRule.verbs",
        "V1ProjectedVolumeSource.sources",
        "V1Role.rules",
        "V1RoleRef.apiGroup",
        "V1StatefulSetSpec.serviceName",
    }
)
"""Texts, lists and maps; the empty one of any other is left out."""
_SET_BY_THE_API: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
_SUFFIXES: Final = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(1000),
    "M": Decimal(1000) ** 2, "G": Decimal(1000) ** 3, "T": Decimal(1000) ** 4, "P": Decimal(1000) ** 5,
    "E": Decimal(1000) ** 6, "Ki": Decimal(1024), "Mi": Decimal(1024) ** 2, "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4, "Pi": Decimal(1024) ** 5, "Ei": Decimal(1024) ** 6,
}  # fmt: skip
_BINARY: Final = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki", "")
_DECIMAL: Final = ("E", "P", "T", "G", "M", "k", "", "m", "u", "n")
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]|))")
_SCALARS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "datetime": (str,),
}


class _MismatchError(Exception):
    """A value is not of the type of its field."""


@dataclass(frozen=True)
class _Type:
    name: str
    fields: Mapping[str, str]
    """Name in JSON -> type, as the client writes types."""


def normalised(kind: Kind, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without unknown values as the API's type writes it; as it is if it does not fit the type."""
    result = dict(inputs)
    if kind.built_in and kind.group == "" and kind.kind == "Secret":
        result = _folded(result)
    known = _type_of(kind)
    if known is not None:
        try:
            result = _object(known, result)
        except _MismatchError:
            return dict(inputs)
    if kind.kind == "CustomResourceDefinition":
        result.pop("status", None)
        if isinstance(spec := result.get("spec"), dict) and spec.get("preserveUnknownFields") is False:
            result["spec"] = {key: value for key, value in spec.items() if key != "preserveUnknownFields"}
    return result


def without_what_the_api_sets(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without the metadata that only the API server writes."""
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict):
        return dict(inputs)
    return {**inputs, "metadata": {key: value for key, value in metadata.items() if key not in _SET_BY_THE_API}}


def fields(kind: Kind) -> frozenset[str] | None:
    """Return the names of an object's top-level fields; None if its type is not known."""
    known = _type_of(kind)
    return None if known is None else frozenset(known.fields)


def dashed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a CustomResourceDefinition as the API writes it: its schemas' extensions have dashes."""
    return _renamed(value, "x_kubernetes_", "x-kubernetes-", "_", "-")


def underscored(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a CustomResourceDefinition as states write it."""
    return _renamed(value, "x-kubernetes-", "x_kubernetes_", "-", "_")


def _renamed(value: Any, prefix: str, new: str, old_mark: str, new_mark: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_renamed(element, prefix, new, old_mark, new_mark) for element in value]
    if not isinstance(value, dict):
        return value
    return {
        new + key.removeprefix(prefix).replace(old_mark, new_mark) if key.startswith(prefix) else key: _renamed(
            element, prefix, new, old_mark, new_mark
        )
        for key, element in value.items()
    }


def canonical_quantity(text: str) -> str:
    """Write a quantity the one way: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise _MismatchError
    digits, exponent, suffix = found.groups()
    try:
        number = Decimal(digits + (exponent or "")) * _SUFFIXES[suffix or ""]
    except InvalidOperation as error:
        raise _MismatchError from error
    if number == 0:
        return "0"
    if exponent:
        return _with_exponent(number)
    whole = (suffix or "").endswith("i") and abs(number) >= _SUFFIXES["Ki"] and number == number.to_integral_value()
    for candidate in _BINARY if whole else _DECIMAL:
        scaled = number / _SUFFIXES[candidate]
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{candidate}"
    return f"{int((number / _SUFFIXES['n']).to_integral_value(rounding='ROUND_UP'))}n"


def _with_exponent(number: Decimal) -> str:
    for power in range(18, -10, -3):
        scaled = number.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}e{power}" if power else f"{int(scaled)}"
    raise _MismatchError


def _folded(secret: dict[str, Any]) -> dict[str, Any]:
    """Move a Secret's plain texts into its data, as the API does."""
    data, plain = secret.get("data"), secret.get("stringData")
    if not all(
        part is None or (isinstance(part, dict) and all(isinstance(value, str) for value in part.values()))
        for part in (data, plain)
    ):
        return secret
    folded = {}
    for key, value in (data or {}).items():
        try:
            folded[key] = base64.b64encode(base64.b64decode(value)).decode()
        except (binascii.Error, ValueError):
            return secret
    folded.update({key: base64.b64encode(value.encode()).decode() for key, value in (plain or {}).items()})
    rest = {key: value for key, value in secret.items() if key not in {"data", "stringData"}}
    return {**rest, **({"data": folded} if folded else {})}


@cache
def _type_of(kind: Kind) -> _Type | None:
    if not kind.built_in:
        return None
    version = kind.version[:1].upper() + kind.version[1:]
    group = kind.group.split(".")[0].capitalize() or "Core"
    return _type(f"{version}{kind.kind}") or _type(f"{group}{version}{kind.kind}")


@cache
def _type(name: str) -> _Type | None:
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    module = re.sub(r"^(v\d+)_?((?:alpha|beta)\d+)?_?", lambda found: f"{found[1]}{found[2] or ''}_", module)
    try:
        model = getattr(importlib.import_module(f"kubernetes.client.models.{module}"), name)
    except (ImportError, AttributeError):
        return None
    return _Type(name, {model.attribute_map[key]: type_ for key, type_ in model.openapi_types.items()})


def _object(known: _Type, values: Mapping[str, Any]) -> dict[str, Any]:
    result = {}
    for key, value in values.items():
        declared = known.fields.get(key)
        if declared is None or value is None:
            continue
        path = f"{known.name}.{key}"
        normal = _quantity(value) if path in _QUANTITIES else _value(declared, value)
        if not _is_nothing(path, declared, normal):
            result[key] = normal
    return result


def _is_nothing(path: str, declared: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    key = path.partition(".")[2]
    if value in ("", [], {}) and value is not False and value != 0:
        composed = isinstance(value, dict) and not declared.startswith("dict(")
        return not composed and declared != "object" and path not in _EMPTY_IS_A_VALUE
    if isinstance(value, (bool, int, float)) and not value:
        return (key in _ZERO_IS_NOTHING or path in _ZERO_IS_NOTHING) and path not in _ZERO_IS_A_VALUE
    return False


def _quantity(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _quantity(element) for key, element in value.items()}
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _MismatchError
    return canonical_quantity(str(value))


def _value(declared: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if declared == "object" or value is None:
        return value
    inner = re.fullmatch(r"list\[(.+)\]|dict\(str, (.+)\)", declared)
    if inner is not None:
        return _collection(inner[1], inner[2], value)
    if declared in _SCALARS:
        fits = isinstance(value, _SCALARS[declared]) and (declared == "bool") == isinstance(value, bool)
        if not fits:
            raise _MismatchError
        return value
    known = _type(declared)
    if known is None:
        return value
    if not isinstance(value, dict):
        raise _MismatchError
    return _object(known, value)


def _collection(of_list: str | None, of_map: str | None, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if of_list is not None and isinstance(value, list):
        return [_value(of_list, element) for element in value]
    if of_map is not None and isinstance(value, dict):
        return {key: _value(of_map, element) for key, element in value.items()}
    raise _MismatchError
