"""``python -m pipeline data``: the data of a stack, from the stack into one file and back into a stack of any target.

It owns the order. The database goes into the file before the uploads, so that no row names an upload that is not there.
On the way back the uploads wait beside those that are there until the database has been replaced, which happens in one
transaction: whatever fails before leaves the data of the stack as it was.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from components import environment, steps
from components.model import PostgresProvider, Settings, Target
from pipeline import settings, stack
from pipeline.arguments import add_command, add_group, add_stack
from pipeline.console import Console, PipelineError, problem
from pipeline.data import archive, cluster, host, inside
from pipeline.data.process import Done, Processes
from pipeline.engine import Engine
from pipeline.promote import migrations

EXAMPLES = """examples:
  python -m pipeline data dump dev --to shop.tar              the database and the uploads, into a file
  python -m pipeline data restore prod --from shop.tar        into a stack that is up and has no data yet
  python -m pipeline data restore prod --from shop.tar --replace
                                                              the same; what the stack holds goes for good
"""
OPEN: Mapping[Target, Callable[[Engine, Settings], AbstractContextManager[Processes]]] = {
    Target.DOCKER: host.open_,
    Target.KUBERNETES: cluster.open_,
}
"""How the processes of a stack are reached."""

TOLD_SECONDS = 5
"""How often progress is told."""

RESTART_SECONDS = 300
DUMP_MAGIC = b"PGDMP"
MB = 1_000_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    actions = add_group(subparsers, "data", summary="the database and the uploads of a stack, into a file and back")
    for name, run, summary in (
        ("dump", dump, "write the data of a stack into a file"),
        ("restore", restore, "put the data of a file into a stack"),
    ):
        action = add_command(actions, name, run, summary=summary, description=__doc__, examples=EXAMPLES)
        add_stack(action)
        action.add_argument(
            f"--{'to' if name == 'dump' else 'from'}", dest="file", metavar="FILE", type=Path, required=True
        )
        action.add_argument(
            "--uploads-only", action="store_true", help="without the database, for one that Slipway does not run"
        )
        if name == "restore":
            action.add_argument("--replace", action="store_true", help="what the stack holds goes for good")


@dataclass
class Progress:
    """Tells how much has gone by, now and then."""

    console: Console
    what: str
    size: int | None = None
    done: int = 0
    told: float = field(default_factory=time.monotonic)

    def add(self, piece: bytes) -> None:
        """Count a piece."""
        self.done += len(piece)
        if time.monotonic() - self.told > TOLD_SECONDS:
            self.told = time.monotonic()
            of = "" if self.size is None else f" of {in_mb(self.size)}"
            self.console.say(f"    {self.what}: {in_mb(self.done)}{of}")

    def along(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Give pieces on, and count them."""
        for piece in pieces:
            self.add(piece)
            yield piece


def in_mb(size: int) -> str:
    """Write a size for people."""
    return f"{size / MB:.1f} MB"


def dump(arguments: argparse.Namespace, console: Console) -> int:
    """Write the data of a stack into a file."""
    engine, loaded = _prepare(arguments, console)
    root = str(loaded.media.root)
    with archive.create(arguments.file) as writer, OPEN[loaded.target](engine, loaded) as processes:
        version = ""
        if not arguments.uploads_only:
            with console.step("database", f"Dump the database of stack {engine.stack}"):
                version = _version(processes)
                _into(
                    writer, archive.DATABASE, console, lambda sink: processes.run("postgres", inside.dump(), sink=sink)
                )
                _told(console, writer, archive.DATABASE, f"PostgreSQL {version}")
        with console.step("uploads", "Collect the uploads"):
            done = _into(
                writer, archive.UPLOADS, console, lambda sink: processes.run("web", inside.pack(root), sink=sink)
            )
            files, other = _counts(done)
            _told(console, writer, archive.UPLOADS, f"{files} files")
            if other:
                console.warn(f"{other} links and special files among the uploads are not in the file")
        manifest = archive.Manifest(
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            project=loaded.app.name or "",
            stack=engine.stack,
            target=str(loaded.target),
            release=processes.release,
            postgres=version,
            uploads=files,
            parts=dict(writer.parts),
        )
        writer.finish(manifest)
    console.say()
    console.say(f"{console.paint('Written:', '1;32')} {arguments.file} ({in_mb(arguments.file.stat().st_size)})")
    console.say("It is not encrypted, and only its owner can read it: keep it where the database may be.")
    console.say(f"Time:    {console.summary()}")
    return 0


def restore(arguments: argparse.Namespace, console: Console) -> int:
    """Put the data of a file into a stack."""
    engine, loaded = _prepare(arguments, console)
    root = str(loaded.media.root)
    with archive.read(arguments.file) as reader:
        manifest = reader.manifest
        database = archive.DATABASE in manifest.parts and not arguments.uploads_only
        with console.step("checks", f"Check {arguments.file}"):
            console.say(f"    from {manifest.source}")
            reader.check()
        with OPEN[loaded.target](engine, loaded) as processes:
            release = processes.release
            with console.step("checks", f"Look at the data of stack {engine.stack}"):
                if database:
                    _refuse_older(manifest.postgres, _version(processes), console)
                    _refuse_newer(engine, loaded, reader, processes)
                if not arguments.replace:
                    _refuse_data(engine, arguments.file, processes, root, database=database)
            with console.step("uploads", "Bring the uploads"):
                _upload(reader, console, processes, root)
            try:
                if database:
                    with console.step("database", "Replace the database, all of it or nothing"):
                        _replace(reader, console, processes)
            except BaseException:
                processes.run("web", inside.drop(root))
                raise
            with console.step("uploads", "Put the uploads in their place"):
                _must(processes.run("web", inside.place(root)), "the uploads could not be put in their place")
            # What a stack wants done once may not have been done in the database that came.
            if database and (release != manifest.release or loaded.release.once):
                with console.step("migration", f"Do in the database what release {release} asks for"):
                    _must(
                        processes.run("web", environment.exporting(loaded.app, steps.release(loaded.release))),
                        "the data is there, but what brings it to the release that runs failed",
                        mend=f"make up STACK={engine.stack}   # with a project that fits the data",
                    )
            with console.step("restart", "Start the processes of the app again: they remember the data from before"):
                silent = processes.restart(RESTART_SECONDS)
            if silent:
                raise problem(
                    f"the data is there, but since then {', '.join(silent)} did not get well within {RESTART_SECONDS} s",
                    allowed="data that the release can serve",
                    mend=f"make doctor STACK={engine.stack}   # shows what does not run, and why",
                )
    what = f"the database and {manifest.uploads} uploads" if database else f"{manifest.uploads} uploads"
    console.say()
    console.say(f"{console.paint('Restored:', '1;32')} {what} of {manifest.project}-{manifest.stack}")
    console.say(f"Time:     {console.summary()}")
    return 0


def _prepare(arguments: argparse.Namespace, console: Console) -> tuple[Engine, Settings]:
    engine = Engine(arguments.stack, console)
    stack.backend(engine)
    loaded = settings.load(engine.stack, engine.root)
    if not arguments.uploads_only and loaded.postgres.provider is not PostgresProvider.SLIPWAY:
        raise _not_ours(engine.stack, loaded.postgres.provider)
    held = [lock for lock in engine.locks() if lock.held()]
    if held:
        raise problem(
            f"an update of stack {engine.stack} is running: process {held[0].pid} on {held[0].host}",
            mend="wait for it, then the same command again",
        )
    return engine, loaded


def _not_ours(name: str, provider: PostgresProvider) -> PipelineError:
    return problem(
        f"slipway:postgres.provider: the database of stack {name} is {provider}, and not Slipway's to dump or restore",
        allowed="slipway for the database; uploads of any stack",
        mend="pg_dump --format=custom --dbname=URL --file=database.dump   # by hand, where the database can be reached\n"
        "pg_restore --no-owner --no-privileges --single-transaction --dbname=URL database.dump\n"
        "the same command with --uploads-only, for the uploads",
    )


def _version(processes: Processes) -> str:
    done = _must(processes.run("postgres", inside.version()), "the database does not answer")
    return done.out.decode().split()[0]


def _must(done: Done, what: str, mend: str | None = None) -> Done:
    if done.code:
        raise problem(f"{what}: {done.reason}", mend=mend)
    return done


def _into(
    writer: archive.Writer, part: str, console: Console, source: Callable[[Callable[[bytes], None]], Done]
) -> Done:
    progress = Progress(console, part)
    first = b""
    with writer.part(part) as write:

        def take(piece: bytes) -> None:
            nonlocal first
            first = first or piece
            write(piece)
            progress.add(piece)

        done = _must(source(take), f"{part} could not be made")
    if part == archive.DATABASE and not first.startswith(DUMP_MAGIC[: len(first) or 1]):
        raise problem("database.dump could not be made: what pg_dump said is no dump", mend="the same command again")
    return done


def _told(console: Console, writer: archive.Writer, part: str, what: str) -> None:
    console.say(f"    {part}: {in_mb(writer.parts[part].bytes)}, {what}")


def _counts(done: Done) -> tuple[int, int]:
    words = done.err.split()
    return int(words[words.index("files") + 1]), int(words[words.index("other") + 1])


def _refuse_older(dumped: str, there: str, console: Console) -> None:
    console.say(f"    from PostgreSQL {dumped} to {there}")
    if int(dumped.partition(".")[0]) > int(there.partition(".")[0]):
        raise problem(
            f"the file comes from PostgreSQL {dumped}, and the stack runs {there}",
            allowed="the same major version or a newer one",
            mend="a newer slipway:postgres.image, in a stack without data",
        )


def _refuse_newer(engine: Engine, loaded: Settings, reader: archive.Reader, processes: Processes) -> None:
    """Raise where the file has migrations that the release that runs lacks."""
    if not migrations.has(loaded):
        return
    try:
        known = migrations.ask(processes, loaded, engine.stack)
    except PipelineError as error:  # an app that does not start without its data gets it
        engine.console.warn(f"{error.problems[0].found}: whether the file fits the release is not known")
        return
    size = reader.manifest.parts[archive.DATABASE].bytes
    done = processes.run("postgres", inside.applied(size), feed=reader.pieces(archive.DATABASE))
    _must(done, "the migrations of the file cannot be read, and nothing was changed")
    newer = known.lacking(inside.migrations(done.out.decode(errors="replace")))
    if newer:
        raise problem(
            f"the file has migrations that release {processes.release} of stack {engine.stack} lacks: "
            f"{migrations.listed(newer)}. Nothing was changed",
            allowed="a release with every migration of the file: older code does not know what a newer one has changed",
            mend=f"make up STACK={engine.stack}   # with a project that has them, then the same command again",
        )


def _refuse_data(engine: Engine, file: Path, processes: Processes, root: str, *, database: bool) -> None:
    found = []
    if database:
        done = _must(processes.run("postgres", inside.tables()), "the tables cannot be listed")
        if names := done.out.decode().splitlines():
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - enough to recognise them
            found.append(f"rows in {shown}")
    done = _must(processes.run("web", inside.count(root)), "the uploads cannot be counted")
    if files := int(done.out):
        found.append(f"{files} uploads")
    if found:
        raise problem(
            f"stack {engine.stack} has data: {'; '.join(found)}. Nothing was changed",
            allowed="a stack without rows and uploads, or --replace once they may go for good",
            mend=f"python -m pipeline data dump {engine.stack} --to before.tar   # keeps what is there\n"
            f"python -m pipeline data restore {engine.stack} --from {file} --replace",
        )


def _upload(reader: archive.Reader, console: Console, processes: Processes, root: str) -> None:
    size = reader.manifest.parts[archive.UPLOADS].bytes
    progress = Progress(console, archive.UPLOADS, size)
    done = processes.run("web", inside.unpack(root, size), feed=progress.along(reader.pieces(archive.UPLOADS)))
    if done.code:
        processes.run("web", inside.drop(root))
        _must(done, "the uploads could not be brought, and nothing was changed")


def _replace(reader: archive.Reader, console: Console, processes: Processes) -> None:
    size = reader.manifest.parts[archive.DATABASE].bytes
    progress = Progress(console, archive.DATABASE, size)
    done = processes.run("postgres", inside.restore(size), feed=progress.along(reader.pieces(archive.DATABASE)))
    if inside.RESTORED in done.out.decode(errors="replace").split():
        return
    lock = "lock timeout" in done.err
    raise problem(
        f"the database could not be replaced, and is as it was: {done.reason}",
        allowed="a database that nobody holds while it is replaced" if lock else None,
        mend="the same command again, when nothing long is running in the database" if lock else None,
    )
