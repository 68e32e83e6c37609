"""The start of a plugin, before anything of Pulumi is imported."""

import importlib.util
import sys
from types import ModuleType


def hollow(*names: str) -> None:
    """Make packages importable without what their own files load, so that a plugin pays for the modules it uses only.

    Each becomes an empty package in the same place.
    """
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or found.submodule_search_locations is None:
            sys.exit(f"this plugin needs the Python package {name.partition('.')[0]}; run tools/bootstrap")
        package = ModuleType(name)
        package.__path__ = list(found.submodule_search_locations)
        package.__spec__ = found
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)


def without_the_sdk() -> None:
    """Make Pulumi's protocol importable without the SDK around it, which takes longer to load than a preview may cost."""
    hollow("pulumi", "pulumi.runtime")
