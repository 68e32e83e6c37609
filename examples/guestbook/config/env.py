"""Reads the environment, where a secret may be a value or a file."""

import os
from pathlib import Path


def env(name: str, default: str = "") -> str:
    """Return the content of the file that NAME_FILE names, else the value of NAME, else the default."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def env_list(name: str, default: str = "") -> list[str]:
    """Return the parts of a comma-separated value."""
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_bool(name: str) -> bool:
    """Return whether the value says yes."""
    return env(name).lower() in {"1", "true", "yes", "on"}
