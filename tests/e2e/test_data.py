"""The data of a stack in a file and back, on a real Docker daemon: rows and uploads arrive, and a failure changes nothing."""

import json
import re
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from pipeline.data import archive
from tests.e2e.site import PNG, Site, multipart

pytestmark = pytest.mark.docker

TABLES = "select name, message, picture, created from guestbook_entry order by id"
OWN = "select relname, pg_get_userbyid(relowner) from pg_class where relname like 'guestbook%' order by 1"
ODD = "ä ö 'quoted' \\ back\ttab \N{SNOWMAN}"


def write(site: Site, message: str, picture: bytes | None = None) -> None:
    """Send the form, as a visitor does."""
    cookie, token = site.form()
    files = {"picture": ("dot.png", "image/png", picture)} if picture else {}
    body, headers = multipart({"csrfmiddlewaretoken": token, "name": "Ada", "message": message}, files)
    sent = site.ask("/", "POST", body, {**headers, "Cookie": cookie})
    assert sent.status == 302, sent.text[:2000]


def picture(site: Site) -> bytes:
    """The first picture that the page shows."""
    found = re.search(r'src="(/media/[^"]+)"', site.ask().text)
    assert found, site.ask().text[:2000]
    return site.ask(found[1]).body


def again(site: Site, limit: float = 30) -> None:
    """Wait until the page is there after a restart."""
    end = time.monotonic() + limit
    while site.ask().status != 200 and time.monotonic() < end:
        time.sleep(0.5)
    assert site.ask().status == 200


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    """A stack with rows and an upload."""
    site = make_site("data").secrets()
    site.up().good()
    write(site, ODD)
    write(site, "with a picture", PNG)
    # What is not Django's: a schema of its own, a large object, an extension, many rows.
    site.sql("create schema beside; create table beside.numbers as select generate_series(1, 200000) as number")
    site.sql("select lo_from_bytea(4711, 'large'::bytea)")
    site.sql("create extension if not exists citext")
    return site


@pytest.fixture(scope="module")
def file(site: Site) -> Path:
    """The data of that stack."""
    file = site.folder / "data.tar"
    said = site.pipeline("data", "dump", site.stack, "--to", str(file)).good().text
    assert "Written:" in said
    assert "uploads.tar" in said
    return file


def test_the_file_says_what_it_holds(site: Site, file: Path) -> None:
    """Its parts, where they come from, and nothing secret; only its owner reads it, and no half file is left."""
    with tarfile.open(file) as tar:
        assert tar.getnames() == ["database.dump", "uploads.tar", "manifest.json"]
        source = tar.extractfile("manifest.json")
        assert source is not None
        manifest = json.loads(source.read())

    assert manifest["stack"] == site.stack
    assert manifest["target"] == "docker"
    assert manifest["release"] == site.version()["release"]
    assert manifest["postgres"].startswith("17.")
    assert manifest["uploads"] == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(file.parent.glob("*.part"))
    for name in ("django_key", "postgres_password", "redis_password"):
        assert site.secret(name).encode() not in file.read_bytes()


def test_a_dump_replaces_no_file(site: Site, file: Path) -> None:
    """What is there may be the only copy."""
    before = file.read_bytes()
    said = site.pipeline("data", "dump", site.stack, "--to", str(file)).bad().text

    assert "there is such a file already" in said
    assert file.read_bytes() == before


def test_a_stack_with_data_is_refused(site: Site, file: Path) -> None:
    """The tables with rows are named, the uploads counted, and nothing is changed."""
    before = site.sql(TABLES)
    said = site.pipeline("data", "restore", site.stack, "--from", str(file)).bad().text

    assert re.search(r"has data: rows in numbers, guestbook_entry|has data: rows in guestbook_entry, numbers", said)
    assert "; 1 uploads. Nothing was changed" in said
    assert "--replace" in said
    assert site.sql(TABLES) == before


def test_a_restore_brings_back_everything(site: Site, file: Path) -> None:
    """Rows, other schemas, large objects, extensions and uploads are as they were; what came later is gone."""
    before, owners = site.sql(TABLES), site.sql(OWN)
    write(site, "later", PNG + b"later")
    site.sql("create table later (id int)")
    site.sql("delete from guestbook_entry where message = 'with a picture'")

    said = site.pipeline("data", "restore", site.stack, "--from", str(file), "--replace").good().text

    again(site)
    assert "Restored:" in said
    assert site.sql(TABLES) == before
    assert site.sql(OWN) == owners
    assert site.sql("select count(*), sum(number) from beside.numbers") == ["200000|20000100000"]
    assert site.sql("select convert_from(lo_get(4711), 'utf8')") == ["large"]
    assert site.sql("select 'A'::citext = 'a'::citext") == ["t"]
    assert site.sql("select to_regclass('later') is null") == ["t"]
    assert picture(site) == PNG
    files = site.execute("web", "find", "/app/media", "-type", "f").splitlines()
    assert len(files) == 1
    write(site, "after the restore")
    assert "after the restore" in site.ask().text


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (0.5, "the migrations of the file cannot be read, and nothing was changed: pg_restore: error:"),
        (0.9999, "the database could not be replaced, and is as it was: pg_restore: error:"),
    ],
)
def test_a_restore_that_fails_changes_nothing(site: Site, file: Path, left: float, said: str) -> None:
    """A dump that breaks off before or after its migrations leaves the rows and uploads from before, and nothing more."""
    before = site.sql(TABLES)
    files = site.execute("web", "find", "/app/media")
    broken = site.folder / f"broken-{left}.tar"
    with archive.read(file) as reader, archive.create(broken) as writer:
        for name in reader.manifest.parts:
            content = b"".join(reader.pieces(name))
            with writer.part(name) as add:
                add(content[: int(len(content) * left)] if name == archive.DATABASE else content)
        writer.finish(replace(reader.manifest, parts=dict(writer.parts)))

    done = site.pipeline("data", "restore", site.stack, "--from", str(broken), "--replace").bad()

    assert said in done.text
    assert site.sql(TABLES) == before
    assert site.sql("select count(*) from beside.numbers") == ["200000"]
    assert site.execute("web", "find", "/app/media") == files


def test_a_restore_does_not_wait_for_ever(site: Site, file: Path) -> None:
    """Somebody who holds a table is named as the reason after some seconds, and nothing is changed."""
    before = site.sql(TABLES)
    holder = Thread(target=site.sql, args=["begin; lock table guestbook_entry; select pg_sleep(25); rollback"])
    holder.start()
    try:
        said = site.pipeline("data", "restore", site.stack, "--from", str(file), "--replace").bad().text
    finally:
        holder.join()
    assert "is as it was" in said
    assert "lock timeout" in said
    assert "nothing long is running in the database" in said
    assert site.sql(TABLES) == before


def test_a_damaged_file_is_refused(site: Site, file: Path) -> None:
    """One changed byte, or a missing end, is seen before anything is asked."""
    damaged, half = site.folder / "damaged.tar", site.folder / "half.tar"
    content = bytearray(file.read_bytes())
    half.write_bytes(content[: len(content) // 2])
    content[5000] ^= 1
    damaged.write_bytes(content)
    before = site.sql(TABLES)

    for broken, why in ((damaged, "database.dump is damaged"), (half, "cannot be used")):
        said = site.pipeline("data", "restore", site.stack, "--from", str(broken), "--replace").bad().text
        assert why in said
    assert site.sql(TABLES) == before


def test_uploads_can_go_alone(site: Site) -> None:
    """For a database that Slipway does not run."""
    file = site.folder / "uploads.tar"
    site.pipeline("data", "dump", site.stack, "--to", str(file), "--uploads-only").good()
    with tarfile.open(file) as tar:
        assert tar.getnames() == ["uploads.tar", "manifest.json"]
    rows = site.sql(TABLES)
    site.execute("web", "sh", "-c", "rm -r /app/media/*")

    site.pipeline("data", "restore", site.stack, "--from", str(file), "--uploads-only").good()

    again(site)
    assert picture(site) == PNG
    assert site.sql(TABLES) == rows


def test_a_stack_that_is_not_up_is_named(site: Site, file: Path) -> None:
    """Where nothing runs, the message says what to run."""
    container = site.container("postgres")
    container.stop(timeout=20)
    try:
        said = site.pipeline("data", "dump", site.stack, "--to", str(file.with_name("other.tar"))).bad().text
    finally:
        container.start()
    assert f"no container of postgres runs in stack {site.stack}" in said
    assert f"make up STACK={site.stack}" in said
    assert not file.with_name("other.tar").exists()
    assert not list(file.parent.glob("*.part"))
