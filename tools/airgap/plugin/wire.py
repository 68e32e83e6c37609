"""Pulumi's property values on the wire <-> plain Python values.

Unknown values become UNKNOWN. Secrets are unwrapped into plain values beside a mask that remembers where they were,
so that nothing else in the plugin needs to know about secrets, and what comes from a secret stays one.
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import struct_pb2

from tools.airgap.plugin.errors import PluginError

Mask = bool | dict[str, "Mask"]
"""True: the whole value is secret. A dictionary: some of its properties are. False: nothing is."""

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's marker of a secret, not a secret
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # an array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)


class Unknown:
    """A value that only an update will know."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def decode(message: struct_pb2.Struct) -> tuple[dict[str, Any], dict[str, Mask]]:
    """Return the plain properties of a message, and which of them are secret."""
    values: dict[str, Any] = {}
    masks: dict[str, Mask] = {}
    for key, field in message.fields.items():
        value, mask = _decode_value(field)
        values[key] = value
        if mask:
            masks[key] = mask
    return values, masks


def _decode_value(field: struct_pb2.Value) -> tuple[Any, Mask]:
    kind = field.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_object(field.struct_value)
    if kind == "list_value":
        elements = [_decode_value(element) for element in field.list_value.values]
        return [value for value, _ in elements], any(bool(mask) for _, mask in elements)
    if kind == "number_value":
        number = field.number_value
        return (int(number) if number.is_integer() else number), False
    if kind == "string_value":
        text = field.string_value
        return (UNKNOWN if text in _UNKNOWNS else text), False
    if kind == "bool_value":
        return field.bool_value, False
    return None, False


def _decode_object(struct: struct_pb2.Struct) -> tuple[Any, Mask]:
    signature = struct.fields[_SIGNATURE].string_value if _SIGNATURE in struct.fields else None
    if signature == _SECRET:
        return _decode_value(struct.fields["value"])[0], True
    if signature is not None:
        raise PluginError("an asset, archive or resource was given where this plugin takes plain values only")
    return decode(struct)


def encode(values: Mapping[str, Any], mask: Mapping[str, Mask] | None = None) -> struct_pb2.Struct:
    """Return properties as a message, those that the mask names as secrets."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        struct.fields[key].CopyFrom(_encode_value(value, (mask or {}).get(key, False)))
    return struct


def _encode_value(value: Any, mask: Mask) -> struct_pb2.Value:  # noqa: ANN401 - any JSON value
    if isinstance(mask, dict) and isinstance(value, dict):
        return struct_pb2.Value(struct_value=encode(value, mask))
    if mask:
        wrapped = struct_pb2.Struct()
        wrapped.fields[_SIGNATURE].string_value = _SECRET
        wrapped.fields["value"].CopyFrom(_encode_value(value, mask=False))
        return struct_pb2.Value(struct_value=wrapped)
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=encode(value))
    if isinstance(value, list):
        elements = [_encode_value(element, mask=False) for element in value]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=elements))
    return _encode_scalar(value)


def _encode_scalar(value: str | float | Unknown | None) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, Unknown):
        return struct_pb2.Value(string_value=_UNKNOWN)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    return struct_pb2.Value(string_value=value)
