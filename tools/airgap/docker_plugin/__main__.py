"""Start the plugin: `python tools/airgap/docker_plugin ENGINE_ADDRESS`. Prints the port that it serves on."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType


def _without_the_sdk() -> None:
    """Make Pulumi's protocol importable without the SDK around it, which takes longer to load than a preview may cost.

    `pulumi` and `pulumi.runtime` become empty packages in the same place, so that only `pulumi.runtime.proto` is loaded.
    """
    for name in ("pulumi", "pulumi.runtime"):
        found = importlib.util.find_spec(name)
        if found is None or found.submodule_search_locations is None:
            sys.exit("the docker plugin needs the Python package pulumi; run tools/bootstrap")
        package = ModuleType(name)
        package.__path__ = list(found.submodule_search_locations)
        sys.modules[name] = package


if __name__ == "__main__":
    engine = os.getppid()
    if not __package__:  # started as a directory, which Python then puts on the path instead of the repository
        sys.path[0] = str(Path(__file__).resolve().parents[3])
    _without_the_sdk()
    from tools.airgap.docker_plugin.server import serve

    serve(sys.argv[1] if len(sys.argv) > 1 else None, engine)
