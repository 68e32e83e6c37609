"""The entry of the language host: imports as little as it can, since every ``pulumi`` command waits for it.

What the host does is in ``server``; this module only makes the import of that cheap.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def skip_the_sdk() -> None:
    """Let Pulumi's messages be imported without the SDK around them, which takes 0.1 s and is not needed here."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or "pulumi" in sys.modules:
        return
    folder = Path((spec.submodule_search_locations or [""])[0])
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        package.__spec__ = spec if name == "pulumi" else None
        sys.modules[name] = package


def main() -> None:
    """Run the host until the engine is done with it."""
    skip_the_sdk()
    from tools.airgap.language_host.server import serve  # noqa: PLC0415 - after the line above, or it is slow

    sys.exit(serve(sys.argv[1:], Path(sys.argv[0])))
