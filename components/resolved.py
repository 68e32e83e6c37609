"""What a stack's file says, completed: values, where each comes from, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.keys import Path_
from components.problems import Problem

FILE = "stack file"
"""The source of what the stack's file says itself."""

CA_VARIABLE = "SSL_CERT_FILE"
"""Names the CA bundle of this machine, for every program that uses OpenSSL. Builds trust it too, since a path of one
machine has no place in a stack's file."""
REGISTRY_VARIABLE = "SLIPWAY_REGISTRY"
"""Names the registry of this machine that a cluster pulls from."""


@dataclass(frozen=True)
class Resolved:
    """What became of a stack's file: values, where each comes from, and what is wrong with them."""

    values: dict[str, Any]
    sources: dict[Path_, str]
    parts: dict[str, Any] = field(default_factory=dict)
    """The top-level values that are valid, also when others are not."""
    problems: tuple[Problem, ...] = ()


def at(values: Mapping[str, Any], path: Path_) -> object:
    """Give the value at a path; None where there is none."""
    value: object = values
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
