"""The data commands: the file, the order of what happens, and that a failure stops in time. With made-up processes."""

import io
import json
import socket
import struct
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from components import steps
from components.model import PostgresProvider, Settings, Target
from pipeline import settings
from pipeline.__main__ import main
from pipeline.console import Console, PipelineError
from pipeline.data import archive, cluster, command, host, inside
from pipeline.data.process import Done, Output
from pipeline.engine import Engine
from pipeline.promote import inside as promoting
from tests.sample import settings as sample

MANIFEST = archive.Manifest(
    made="2026-11-20T22:00:00+00:00",
    project="shop",
    stack="dev",
    target="docker",
    release="1a2b",
    postgres="17.6",
    uploads=2,
    parts={},
)
DUMP, UPLOADS = b"PGDMP and more", b"a tar"


def written(path: Path, manifest: archive.Manifest = MANIFEST, parts: Mapping[str, bytes] | None = None) -> Path:
    """Write a file."""
    with archive.create(path) as writer:
        for name, content in (parts or {archive.DATABASE: DUMP, archive.UPLOADS: UPLOADS}).items():
            with writer.part(name) as write:
                for start in range(0, len(content), 4):
                    write(content[start : start + 4])
        writer.finish(replace(manifest, parts=dict(writer.parts)))
    return path


# The file ---------------------------------------------------------------------------------------------------------------


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Any tar reads it, its parts are whole, and its manifest says their size and fingerprint."""
    path = written(tmp_path / "data.tar")

    with tarfile.open(path) as tar:
        assert tar.getnames() == ["database.dump", "uploads.tar", "manifest.json"]
    with archive.read(path) as reader:
        reader.check()
        assert b"".join(reader.pieces(archive.DATABASE)) == DUMP
        assert b"".join(reader.pieces(archive.UPLOADS)) == UPLOADS
        assert reader.manifest.parts[archive.DATABASE].bytes == len(DUMP)
        assert replace(reader.manifest, parts={}) == MANIFEST
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_failed_is_not_there(tmp_path: Path) -> None:
    """Nothing of it is left, neither under its name nor beside it."""

    def stopped() -> None:
        with archive.create(tmp_path / "data.tar") as writer, writer.part(archive.DATABASE) as write:
            write(DUMP)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """It may be the only copy."""
    path = tmp_path / "data.tar"
    path.write_text("old")
    with pytest.raises(PipelineError, match=r"there is such a file already\n  mend:    another name, or: rm "):
        written(path)
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what the system says about it."""
    with pytest.raises(PipelineError, match="cannot be written: No such file or directory"):
        written(tmp_path / "no" / "data.tar")


def _cut(content: bytes) -> bytes:
    return content[:700]


def _changed(content: bytes) -> bytes:
    return content.replace(DUMP, DUMP[::-1])


def _newer(content: bytes) -> bytes:
    return content.replace(b'"format": 1', b'"format": 2')


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_cut, "cannot be used: unexpected end of data"),
        (lambda content: content[:1024], "it has no manifest.json, so it is no dump or half of one"),
        (_changed, "cannot be used: database.dump is damaged"),
        (_newer, "cannot be used: its format is 2, and this version of Slipway reads 1"),
        (lambda content: content.replace(b'"project"', b'"produkt"'), "its manifest.json cannot be understood"),
        (lambda _: b"no tar at all", "cannot be used: "),
        (lambda content: content.replace(b'"bytes": 5', b'"bytes": 6'), "uploads.tar is not complete"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], why: str) -> None:
    """It says what is wrong with it, and how to get a better one."""
    path = written(tmp_path / "data.tar")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(PipelineError) as error, archive.read(path) as reader:
        reader.check()
    assert f"--from {path}: " in str(error.value)
    assert why in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As what it is."""
    with pytest.raises(PipelineError, match="there is no such file"), archive.read(tmp_path / "no.tar"):
        pass


# What runs inside: the scripts for the uploads are real programs, and run here --------------------------------------------


def ran(words: list[str], given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run a command of the app's container here."""
    return subprocess.run([sys.executable, *words[1:]], input=given, capture_output=True, check=False, timeout=60)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder of uploads."""
    folder = tmp_path / "media"
    (folder / "a b" / "ü").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "a b" / "ü" / "one.txt").write_text("one")
    (folder / "two.bin").write_bytes(bytes(range(256)) * 1000)
    (folder / "two.bin").chmod(0o640)
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def names(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_uploads_arrive_as_they_were(media: Path, tmp_path: Path) -> None:
    """Content, names, modes and times, in the place of what was there; links are counted and left out."""
    packed = ran(inside.pack(str(media)))
    assert packed.returncode == 0, packed.stderr
    assert packed.stderr.split() == [b"files", b"2", b"other", b"1"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "old.txt").write_text("old")
    (other / "lost+found").mkdir()

    done = ran(inside.unpack(str(other), len(packed.stdout)), packed.stdout + b"not ours")
    assert done.returncode == 0, done.stderr
    assert (other / "old.txt").read_text() == "old"
    assert ran(inside.count(str(other))).stdout == b"1\n"
    assert (other / inside.STAGE).stat().st_mode & 0o777 == 0o700
    assert ran(inside.place(str(other))).returncode == 0

    assert names(other) == ["a b", "a b/ü", "a b/ü/one.txt", "empty", "lost+found", "two.bin"]
    assert (other / "two.bin").read_bytes() == (media / "two.bin").read_bytes()
    assert (other / "two.bin").stat().st_mode & 0o777 == 0o640
    assert abs((other / "two.bin").stat().st_mtime - (media / "two.bin").stat().st_mtime) < 1
    assert ran(inside.count(str(other))).stdout == b"2\n"


def test_uploads_that_wait_can_be_dropped(media: Path) -> None:
    """What was there stays as it was."""
    before = names(media)
    packed = ran(inside.pack(str(media))).stdout
    ran(inside.unpack(str(media), len(packed)), packed)
    assert names(media) != before
    assert ran(inside.pack(str(media))).stdout == packed
    ran(inside.drop(str(media)))
    assert names(media) == before


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a//out"])
def test_uploads_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    """A file that somebody else made cannot write elsewhere."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    media = tmp_path / "media"
    media.mkdir()
    done = ran(inside.unpack(str(media), len(packed.getvalue())), packed.getvalue())
    assert done.returncode == 1
    assert b"a name that is not allowed" in done.stderr
    assert not list(tmp_path.rglob("out"))


def test_an_input_that_ends_early_is_an_error(media: Path) -> None:
    """Half of the uploads are not taken for all of them."""
    packed = ran(inside.pack(str(media))).stdout
    assert ran(inside.unpack(str(media), len(packed)), packed[: len(packed) // 2]).returncode != 0


def test_a_password_is_on_no_command_line() -> None:
    """The commands name a file; what is in it goes into the environment of one process."""
    for words in (inside.version(), inside.tables(), inside.dump(), inside.restore(1), inside.applied(1)):
        assert words[:2] == ["sh", "-c"]
        assert "PGPASSWORD=$(cat /run/secrets/postgres_password)" in words[2]


def test_a_restore_commits_only_what_is_whole() -> None:
    """The end of the transaction comes after pg_restore has succeeded, and what was there goes inside of it."""
    [_, _, script] = inside.restore(4711)
    order = ["head -c 4711 |", "begin;", "drop schema", "pg_restore ", "&&", "commit;", f"echo {inside.RESTORED}"]
    places = [script.index(text) for text in order]
    assert places == sorted(places)


def test_the_shell_accepts_the_scripts() -> None:
    """Each is valid for the plainest shell."""
    for words in (inside.version(), inside.tables(), inside.dump(), inside.restore(1), inside.applied(1)):
        subprocess.run(["sh", "-n", "-c", words[2]], check=True, timeout=10)


# The commands -------------------------------------------------------------------------------------------------------------


@dataclass
class Made:
    """Processes that answer from a table and remember what they were asked."""

    answers: dict[str, Done] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    given: dict[str, bytes] = field(default_factory=dict)
    release: str = "1a2b"
    silent: list[str] = field(default_factory=list)

    def run(
        self,
        component: str,
        command: Sequence[str],
        *,
        feed: Iterable[bytes] = (),
        sink: Callable[[bytes], None] | None = None,
    ) -> Done:
        """Answer."""
        name = next((name for name, words in COMMANDS.items() if words == [*command]), "ask")
        self.calls.append(f"{component}: {name}")
        self.given[name] = b"".join(feed)
        done = self.answers.get(name, Done(0, b"", ""))
        if sink is not None and done.out:
            sink(done.out)
            return replace(done, out=b"")
        return done

    def restart(self, limit: float) -> list[str]:
        """Remember it."""
        assert limit > 0
        self.calls.append("restart")
        return self.silent


COMMANDS = {
    "version": inside.version(),
    "tables": inside.tables(),
    "dump": inside.dump(),
    "restore": inside.restore(len(DUMP)),
    "count": inside.count("/app/media"),
    "pack": inside.pack("/app/media"),
    "unpack": inside.unpack("/app/media", len(UPLOADS)),
    "place": inside.place("/app/media"),
    "drop": inside.drop("/app/media"),
    "applied": inside.applied(len(DUMP)),
    "release": steps.release(sample().release),
}
TOLD = {"plan": ["shop.0001_initial"], "known": ["shop.0001_initial"], "replaces": {}, "applied": []}
APPLIED = """\
COPY public.django_migrations (id, app, name, applied) FROM stdin;
1\tshop\t0001_initial\t2026-01-01 00:00:00+00
2\tgone\t0009_left_behind\t2026-01-01 00:00:00+00
\\.
"""
ANSWERS = {
    "ask": Done(0, f"{promoting.MARK}{json.dumps(TOLD)}\n".encode(), ""),
    "applied": Done(0, APPLIED.encode(), ""),
    "version": Done(0, b"17.6 (Debian)\n", ""),
    "dump": Done(0, DUMP, ""),
    "pack": Done(0, UPLOADS, "files 2 other 0\n"),
    "count": Done(0, b"0\n", ""),
    "restore": Done(0, f"\n\n{inside.RESTORED}\n".encode(), ""),
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """A stack whose processes are made up."""
    made = Made(dict(ANSWERS))

    @contextmanager
    def opened(engine: Engine, loaded: Settings) -> Iterator[Made]:
        assert engine.stack == "demo"
        assert loaded.app.name == "shop"
        yield made

    monkeypatch.setattr(command, "OPEN", dict.fromkeys(Target, opened))
    monkeypatch.setattr(settings, "load", lambda *_: sample())
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://somewhere")
    return made


def called(*arguments: str) -> tuple[int, str, str]:
    """Run a command and give its exit code, what it said and what it complained about."""
    out, err = io.StringIO(), io.StringIO()
    code = main(["data", *arguments], Console(out, err))
    return code, out.getvalue(), err.getvalue()


def test_a_dump_is_the_database_and_then_the_uploads(made: Made, tmp_path: Path) -> None:
    """In this order, so that no row names an upload that is not in the file."""
    path = tmp_path / "data.tar"
    code, said, _ = called("dump", "demo", "--to", str(path))

    assert code == 0
    assert made.calls == ["postgres: version", "postgres: dump", "web: pack"]
    assert "database.dump: 0.0 MB, PostgreSQL 17.6" in said
    assert "uploads.tar: 0.0 MB, 2 files" in said
    with archive.read(path) as reader:
        reader.check()
        assert (reader.manifest.stack, reader.manifest.postgres, reader.manifest.uploads) == ("demo", "17.6", 2)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (
            {"version": Done(2, b"", "psql: error: connection refused")},
            "the database does not answer: psql: error: con",
        ),
        (
            {"dump": Done(1, DUMP, "pg_dump: error: out of luck\npg_dump: detail")},
            "could not be made: pg_dump: error: out",
        ),
        ({"dump": Done(0, b"surprise", "")}, "what pg_dump said is no dump"),
        ({"pack": Done(1, b"x", "PermissionError: no")}, "uploads.tar could not be made: PermissionError: no"),
    ],
)
def test_a_dump_that_fails_leaves_no_file(made: Made, tmp_path: Path, broken: dict[str, Done], why: str) -> None:
    """It says what the program inside said."""
    made.answers |= broken
    code, _, error = called("dump", "demo", "--to", str(tmp_path / "data.tar"))
    assert code == 1
    assert why in error
    assert list(tmp_path.iterdir()) == []


def test_a_restore_replaces_the_uploads_after_the_database(made: Made, tmp_path: Path) -> None:
    """They wait beside the old ones until the database is there; the app is started again at the end."""
    code, said, _ = called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))

    assert code == 0
    assert made.calls == [
        "postgres: version",
        "web: ask",
        "postgres: applied",
        "postgres: tables",
        "web: count",
        "web: unpack",
        "postgres: restore",
        "web: place",
        "restart",
    ]
    assert (made.given["restore"], made.given["unpack"]) == (DUMP, UPLOADS)
    assert "from shop-dev (docker), release 1a2b, of 2026-11-20T22:00:00+00:00" in said
    assert "the database and 2 uploads of shop-dev" in said


def test_another_release_is_migrated_to(made: Made, tmp_path: Path) -> None:
    """The data of an older release runs through the migrations of the one that is there."""
    made.release = "ffff"
    code, said, _ = called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))
    assert code == 0
    assert made.calls[-2:] == ["web: release", "restart"]
    assert "Do in the database what release ffff asks for" in said


def test_what_is_done_once_is_done_in_the_data_that_came(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database that remembered it went, so it is asked again; the one that came may remember it, too."""
    loaded = sample({"release": {"once": {"superuser": "python manage.py createsuperuser"}}})
    monkeypatch.setattr(settings, "load", lambda *_: loaded)
    monkeypatch.setitem(COMMANDS, "release", steps.release(loaded.release))

    assert called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))[0] == 0
    assert made.calls[-2:] == ["web: release", "restart"]


def test_data_of_a_newer_schema_is_refused(made: Made, tmp_path: Path) -> None:
    """The release would not know what newer migrations have changed; it is said before anything is changed."""
    newer = APPLIED.replace("0001_initial", "0002_price")
    made.answers["applied"] = Done(0, newer.encode(), "")
    code, _, error = called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))

    assert code == 1
    assert error == (
        "error: the file has migrations that release 1a2b of stack demo lacks: shop.0002_price. Nothing was changed\n"
        "  allowed: a release with every migration of the file: older code does not know what a newer one has changed\n"
        "  mend:    make up STACK=demo   # with a project that has them, then the same command again\n"
    )
    assert made.calls == ["postgres: version", "web: ask", "postgres: applied"]
    assert made.given["applied"] == DUMP


def test_an_app_that_does_not_start_gets_its_data(made: Made, tmp_path: Path) -> None:
    """It may not start for want of it."""
    made.answers["ask"] = Done(1, b"", "django.db.utils.ProgrammingError: relation does not exist")
    code, _, error = called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))

    assert code == 0
    assert "warning: the web process of stack demo does not tell its migrations (django.db.utils.Prog" in error
    assert "postgres: applied" not in made.calls


def test_a_release_that_cannot_serve_the_data(made: Made, tmp_path: Path) -> None:
    """Whatever does not get well after the restart is named."""
    made.silent = ["shop-demo-web-1"]
    code, _, error = called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))

    assert code == 1
    assert "the data is there, but since then shop-demo-web-1 did not get well within 300 s" in error


@pytest.mark.parametrize("said", ["", "--\n-- PostgreSQL database dump\n--\n", APPLIED.replace("public.", "")])
def test_migrations_of_a_dump(said: str) -> None:
    """A database without Django's table has none."""
    assert inside.migrations(said) == (["shop.0001_initial", "gone.0009_left_behind"] if "COPY" in said else [])


def test_a_restore_into_data_is_refused(made: Made, tmp_path: Path) -> None:
    """Nothing has been changed then, and `--replace` goes on."""
    path = written(tmp_path / "data.tar")
    made.answers |= {"tables": Done(0, b"a\nb\nc\nd\ne\nf g\n", ""), "count": Done(0, b"3\n", "")}

    code, _, error = called("restore", "demo", "--from", str(path))
    assert code == 1
    assert "stack demo has data: rows in a, b, c, d, e and 1 more; 3 uploads. Nothing was changed" in error
    assert f"python -m pipeline data restore demo --from {path} --replace" in error
    assert made.calls == ["postgres: version", "web: ask", "postgres: applied", "postgres: tables", "web: count"]

    assert called("restore", "demo", "--from", str(path), "--replace")[0] == 0


@pytest.mark.parametrize(
    ("broken", "why", "last"),
    [
        (
            {"unpack": Done(1, b"", "OSError: No space left on device")},
            "nothing was changed: OSError: No space",
            "drop",
        ),
        ({"restore": Done(0, b"\n", "pg_restore: error: end of file")}, "is as it was: pg_restore: error", "drop"),
        ({"restore": Done(3, b"", "psql:<stdin>:7: ERROR:  canceling statement due to lock timeout")}, "long", "drop"),
    ],
)
def test_a_restore_that_fails_drops_what_waits(
    made: Made, tmp_path: Path, broken: dict[str, Done], why: str, last: str
) -> None:
    """The uploads that were brought go again, and the error says that nothing was changed."""
    made.answers |= broken
    code, _, error = called("restore", "demo", "--from", str(written(tmp_path / "data.tar")))
    assert code == 1
    assert why in error
    assert made.calls[-1] == f"web: {last}"


def test_a_newer_postgresql_is_refused(made: Made, tmp_path: Path) -> None:
    """An older server cannot be expected to understand what a newer one wrote."""
    path = written(tmp_path / "data.tar", replace(MANIFEST, postgres="18.1"))
    code, _, error = called("restore", "demo", "--from", str(path))
    assert code == 1
    assert "the file comes from PostgreSQL 18.1, and the stack runs 17.6" in error
    assert made.calls == ["postgres: version"]


@pytest.mark.parametrize("provider", [PostgresProvider.EXTERNAL, PostgresProvider.CLOUDNATIVE_PG])
def test_a_database_of_somebody_else_is_left_alone(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: PostgresProvider
) -> None:
    """The commands that do it by hand are named; the uploads go without it."""
    loaded = sample()
    other = loaded.model_copy(update={"postgres": loaded.postgres.model_copy(update={"provider": provider})})
    monkeypatch.setattr(settings, "load", lambda *_: other)
    path = tmp_path / "data.tar"

    code, _, error = called("dump", "demo", "--to", str(path))
    assert code == 1
    assert f"the database of stack demo is {provider}, and not Slipway's to dump or restore" in error
    assert "pg_dump --format=custom" in error
    assert made.calls == []

    assert called("dump", "demo", "--to", str(path), "--uploads-only")[0] == 0
    assert called("restore", "demo", "--from", str(path), "--uploads-only")[0] == 0
    assert made.calls == ["web: pack", "web: count", "web: unpack", "web: place", "restart"]


def test_progress_is_told_now_and_then() -> None:
    """Not for every piece."""
    console = Console(io.StringIO(), io.StringIO())
    progress = command.Progress(console, "database.dump", 4_000_000)
    list(progress.along(iter([bytes(1_000_000)] * 2)))
    assert console.out.getvalue() == ""  # type: ignore[attr-defined]  # the stream is a StringIO
    progress.told -= command.TOLD_SECONDS + 1
    progress.add(bytes(1_000_000))
    assert console.out.getvalue() == "    database.dump: 3.0 MB of 4.0 MB\n"  # type: ignore[attr-defined]  # the same


# The two platforms --------------------------------------------------------------------------------------------------------


def test_both_outputs_of_a_container_are_told_apart() -> None:
    """Whatever the sizes in which they arrive; the end of the connection is the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for stream, content in ((1, b"out"), (2, b"err"), (1, b"x" * 100_000)):
            theirs.sendall(struct.pack(">BxxxL", stream, len(content)) + content)
        theirs.shutdown(socket.SHUT_WR)
        output = Output(None)
        for stream, piece in host._frames(ours):
            (output.err if stream == 2 else output.out)(piece)
    assert output.done(0) == Done(0, b"out" + b"x" * 100_000, "err")


def test_a_container_that_ends_early_needs_no_more_input() -> None:
    """It is not an error by itself: the exit code says what happened."""
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        host._feed(ours, iter([b"x" * 1_000_000] * 10))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"status": "Success"}, 0),
        ({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}, 3),
    ],
)
def test_the_cluster_tells_the_exit_code(status: dict[str, object], code: int) -> None:
    """In its last message."""
    assert cluster._code(json.dumps(status).encode()) == code


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (b"", "the connection to the pod ended before the command did"),
        (b'{"status": "Failure", "message": "no such container"}', "could not run in the pod: no such container"),
    ],
)
def test_a_connection_that_ends_early_is_no_success(status: bytes, why: str) -> None:
    """A proxy that cuts it would else make half a file."""
    with pytest.raises(PipelineError, match=why):
        cluster._code(status)


def pod(name: str, *, ready: bool = True, **metadata: object) -> dict[str, object]:
    """One pod of web."""
    labels = {"slipway.release": f"of-{name}"}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": name, "labels": labels, **metadata}, "status": {"conditions": conditions}}


class Asked:
    """A cluster with these pods, which remembers what it was asked."""

    kubectl = "kubectl -n shop-demo"
    namespace = "shop-demo"

    def __init__(self, *pods: dict[str, object]) -> None:
        self.pods = list(pods)
        self.selectors: list[str] = []

    def inside(self, group: str, kind: str) -> str:
        """Path of objects."""
        return f"{group}/{kind}"

    def items(self, path: str, labelSelector: str) -> list[dict[str, object]]:  # noqa: N803 - a name of the API
        """Answer."""
        assert path == "v1/pods"
        self.selectors.append(labelSelector)
        return self.pods


def test_a_command_goes_to_a_pod_that_is_ready() -> None:
    """Of this stack alone, and to none that is on its way out."""
    asked = Asked(pod("a", ready=False), pod("b", deletionTimestamp="now"), pod("d"), pod("c"))
    pods = cluster.Pods(asked, "shop", "demo")  # type: ignore[arg-type]  # a cluster as far as it is asked
    assert pods.release == "of-c"
    assert asked.selectors == ["slipway.project=shop,slipway.stack=demo,slipway.component=web"]


def test_a_stack_without_pods_is_named() -> None:
    """With the commands that show them and make them."""
    pods = cluster.Pods(Asked(pod("a", ready=False)), "shop", "demo")  # type: ignore[arg-type]  # the same
    with pytest.raises(PipelineError, match="no pod of postgres is ready in the namespace shop-demo") as error:
        pods.run("postgres", ["true"])
    assert "make up STACK=demo" in str(error.value)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("NOTICE: x\npg_dump: error: no\npg_dump: detail: y\n", "pg_dump: error: no"),
        ("Traceback\nOSError: [Errno 28] No space left on device\n", "OSError: [Errno 28] No space left on device"),
        ("Traceback\n  File x\nValueError\n", "ValueError"),
        ("", "exit code 7"),
    ],
)
def test_a_reason_is_one_line(told: str, reason: str) -> None:
    """The first error, or else the last line."""
    assert Done(7, b"", told).reason == reason
