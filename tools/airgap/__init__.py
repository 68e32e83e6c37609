"""The route that needs nothing but package registries: what is assembled here stands in for what cannot be downloaded.

It owns where that lies on this machine. The rest of the project does not know that this package exists.
"""

import os
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str], None]
"""Prints one line of progress."""


def cache_dir() -> Path:
    """The directory outside the repository that holds what was built and what runs: shared by all clones."""
    chosen = os.environ.get("SLIPWAY_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "slipway"
