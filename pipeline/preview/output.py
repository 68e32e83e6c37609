"""Where a report goes, or a copy of a state: into a file that appears whole, or nowhere."""

from pathlib import Path

from pipeline.console import problem


def write(path: Path, text: str) -> None:
    """Write it; raise where that cannot be done."""
    try:
        draft = path.with_name(f".{path.name}.new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise problem(
            f"--output {path}: cannot be written: {error.strerror}", allowed="a file in a folder that exists"
        ) from None
