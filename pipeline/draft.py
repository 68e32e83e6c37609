"""Writing a file in one piece: whoever reads meanwhile, or after a power cut, finds the old one or the new one."""

from pathlib import Path


def write(path: Path, content: str) -> None:
    """Put a text in the place of a file, by way of a hidden draft beside it; a link stays one.

    What is no file, such as ``/dev/stdout``, is written to and not replaced.

    Raises:
        OSError: if it cannot be written; the file is as before then, and the draft is gone.
    """
    if path.exists() and not path.is_file():
        path.write_text(content, encoding="utf-8")
        return
    target = path.resolve()
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.write_text(content, encoding="utf-8")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
