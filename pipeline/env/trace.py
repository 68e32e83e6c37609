"""What commands leave of a stack that is gone: logs and build files in this clone, empty folders in a local backend."""

import shutil

from pipeline.engine import Engine


def remove(engine: Engine) -> None:
    """Remove what is left of a stack in this clone and in a local backend, where nothing is in it any more."""
    shutil.rmtree(engine.root / ".slipway" / "build" / engine.stack, ignore_errors=True)
    for log in engine.log_folder.glob(f"{engine.stack}-*.log"):
        # Names may begin like others: what is behind it is one word, the command.
        if "-" not in log.stem.removeprefix(f"{engine.stack}-"):
            log.unlink(missing_ok=True)
    folder = engine.backend_folder()
    if folder is None:
        return
    for each in ("backups", "history", "locks/organization"):
        place = folder / ".pulumi" / each / engine.project / engine.stack
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
