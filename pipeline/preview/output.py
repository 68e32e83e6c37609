"""Where a report goes, or a copy of a state: into a file that appears whole, or nowhere."""

from pathlib import Path

from pipeline import draft
from pipeline.console import problem


def write(path: Path, text: str) -> None:
    """Write it; raise where that cannot be done."""
    try:
        draft.write(path, text)
    except OSError as error:
        raise problem(
            f"--output {path}: cannot be written: {error.strerror}", allowed="a file in a folder that exists"
        ) from None
