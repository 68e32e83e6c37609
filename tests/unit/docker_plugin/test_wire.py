"""Property values on the wire: unknowns and secrets."""

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2

from tools.airgap.plugin.errors import PluginError
from tools.airgap.plugin.wire import UNKNOWN, decode, encode

SIGNATURE = "4dabf18193072939515e22adb298388d"


def _secret(value: object) -> dict[str, Any]:
    return {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def _struct(value: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(value, struct_pb2.Struct())


def test_plain_values_survive() -> None:
    """Whatever is read can be written again; whole numbers come as such."""
    values = {"a": 1, "b": 1.5, "c": "x", "d": True, "e": None, "f": [1, {"g": "h"}], "i": {"j": []}}
    assert decode(encode(values)) == (values, {})
    assert type(decode(encode(values))[0]["a"]) is int


def test_an_unknown_value_is_recognised_by_any_of_its_markers() -> None:
    """A number, a list or a string that is not known yet is UNKNOWN, anywhere inside."""
    values, _ = decode(
        _struct({"a": ["6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"], "b": "3eeb2bf0-c639-47a8-9e75-3b44932eb421"})
    )
    assert values == {"a": [UNKNOWN], "b": UNKNOWN}
    assert json_format.MessageToDict(encode({"a": UNKNOWN})) == {"a": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}


def test_a_secret_inside_a_list_makes_the_list_secret_and_inside_an_object_only_itself() -> None:
    """As the engine does for plugins that know nothing of secrets."""
    values, mask = decode(_struct({"a": ["x", _secret("y")], "b": {"c": _secret("z"), "d": "e"}, "f": "g"}))
    assert values == {"a": ["x", "y"], "b": {"c": "z", "d": "e"}, "f": "g"}
    written = json_format.MessageToDict(encode({**values, "h": "new"}, mask))
    assert written == {"a": _secret(["x", "y"]), "b": {"c": _secret("z"), "d": "e"}, "f": "g", "h": "new"}


def test_an_asset_is_refused() -> None:
    """No input of these types takes a file by reference."""
    with pytest.raises(PluginError, match="an asset, archive or resource was given"):
        decode(_struct({"a": {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "/x"}}))
