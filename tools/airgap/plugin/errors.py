"""How an operation of the plugin fails. What goes over the wire is decided in server.py alone."""

from typing import Any


class PluginError(Exception):
    """Something that its reader can mend. The text says what was found, what is allowed, and what to do."""


class UnsupportedError(PluginError):
    """A type, function or property that the official plugin may have and this one does not implement."""


class InitializationError(PluginError):
    """The resource exists and is recorded, but it did not become what was asked for (failed health check)."""

    def __init__(self, id_: str, state: dict[str, Any], inputs: dict[str, Any], reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.id = id_
        self.state = state
        self.inputs = inputs
        self.reasons = reasons
