"""The data that a review environment starts with: looked at before anything is made, brought once, never half.

A fixture and a command are a step of the first release; a dump takes the place of the data once the environment is up.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.model import PostgresProvider, Review, Settings
from components.problems import NAMESPACE, full_key, show
from components.project import project_folder
from components.source import is_remote
from pipeline import reference
from pipeline.console import PipelineError, Problem, problem
from pipeline.data import archive
from pipeline.data import command as data
from pipeline.engine import Engine

STEP = "review-seed"
"""The name of the step that brings a fixture or runs a command."""

FIXTURE, COMMAND, DUMP = (full_key(("review", "seed", name)) for name in ("fixture", "command", "dump"))
_STEP_KEY = full_key(("release", "once", STEP))


def step(review: Review) -> str | None:
    """Give the command line that brings the data; None for a dump, and for no data."""
    if review.seed.fixture is not None:
        return f"python manage.py loaddata {review.seed.fixture}"
    return review.seed.command


def step_of(kept: Mapping[str, Any]) -> str | None:
    """Give the command line that the file of a stack has for it."""
    group: Any = kept.get("config") or {}
    for name in (f"{NAMESPACE}:release", "once", STEP):
        group = group.get(name) if isinstance(group, dict) else None
    return group if isinstance(group, str) else None


def check(engine: Engine, loaded: Settings, again: str) -> None:
    """Make sure that there is what the data comes from.

    Args:
        engine: the stack.
        loaded: its settings.
        again: the command that makes the environment.

    Raises:
        PipelineError: if there is not, or it does not fit the settings.
    """
    fixture, dump = loaded.review.seed.fixture, loaded.review.seed.dump
    # Files of a repository are not here yet: there, `loaddata` says it.
    if fixture is not None and not is_remote(loaded.app.source):
        folder = project_folder(loaded.app, engine.root)
        if folder.is_dir() and not (folder / fixture).is_file():
            raise problem(
                f"{FIXTURE}: found {show(fixture)}, and {folder} has no such file; nothing was made",
                allowed="a file inside the folder with manage.py",
                mend=f"{again}   # once it is there",
            )
    if dump is not None:
        _check_dump(engine, loaded, again, dump)


def _check_dump(engine: Engine, loaded: Settings, again: str, dump: str) -> None:
    if loaded.postgres.provider is not PostgresProvider.SLIPWAY:
        raise problem(
            f"{DUMP}: found {show(dump)}, and slipway:postgres.provider is {loaded.postgres.provider}: that database is "
            "not Slipway's to replace; nothing was made",
            allowed=f"a database of Slipway's; or {FIXTURE}, or {COMMAND}",
            mend=f"{again}   # once slipway:review.seed of the template says so",
        )
    try:
        with archive.read(_file(engine, dump)) as reader:
            reader.check()
            manifest = reader.manifest
    except PipelineError as error:
        raise PipelineError(
            *(Problem(f"{DUMP}: {_plain(each)}; nothing was made", each.allowed, each.mend) for each in error.problems)
        ) from None
    there = reference.major(loaded.postgres.image)
    dumped = manifest.postgres.partition(".")[0]
    if there and dumped.isdigit() and int(dumped) > int(there):
        raise problem(
            f"{DUMP}: {dump} comes from PostgreSQL {manifest.postgres}, and slipway:postgres.image is "
            f"{loaded.postgres.image}; nothing was made",
            allowed="a dump of the same major version or an older one",
            mend=f"{again}   # with a newer slipway:postgres.image in the template",
        )


def restore(engine: Engine, dump: str, again: str) -> None:
    """Put the data of a dump into an environment that is up.

    Raises:
        PipelineError: if that fails. The same again puts it in the place of whatever is there.
    """
    arguments = argparse.Namespace(stack=engine.stack, file=_file(engine, dump), uploads_only=False, replace=True)
    try:
        data.restore(arguments, engine.console)
    except PipelineError as error:
        raise PipelineError(
            *(
                Problem(
                    f"{DUMP}: {_plain(each)}; {engine.stack} is not seeded",
                    each.allowed,
                    f"{again}   # tries once more",
                )
                for each in error.problems
            )
        ) from None


def explained(error: PipelineError, review: Review, again: str) -> PipelineError:
    """Name the setting of the template in an error of the step that brings the data."""
    key = FIXTURE if review.seed.fixture is not None else COMMAND
    mend = f"{again}   # once the project is mended: it begins with an empty database"
    return PipelineError(
        *(
            Problem(each.found.replace(_STEP_KEY, key), each.allowed, mend) if _STEP_KEY in each.found else each
            for each in error.problems
        )
    )


def _file(engine: Engine, dump: str) -> Path:
    return engine.root / Path(dump).expanduser()


def _plain(each: Problem) -> str:
    return each.found.removeprefix("--from ")
