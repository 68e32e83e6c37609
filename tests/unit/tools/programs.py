"""Programs of a few lines of shell that stand for real ones."""

from pathlib import Path


def script(path: Path, text: str) -> Path:
    """Write a program that needs nothing on PATH."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
