"""The data that review environments start with, as visitors see it, and what is refused before or mended after."""

import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, wait
from tests.e2e.cluster_site import SMALL, STORAGE
from tests.e2e.site import PNG, multipart
from tests.e2e.test_environments import Clone, Reviews, kill
from tools.airgap.cluster.extras import HTTP_PORT

FIXTURE = "fixtures/review.json"
PASSWORD = {"Authorization": f"Basic {base64.b64encode(b'reviewer:given').decode()}"}
NEWER = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("guestbook", "0001_initial")]
    operations = [migrations.AlterField("entry", "name", models.CharField(max_length=90))]
"""


@pytest.fixture
def reviews(tmp_path: Path) -> Iterator[Reviews]:
    """A project with a fixture, whose environments are gone at the end."""
    made = Reviews(tmp_path).make()
    path = made.app / FIXTURE
    path.parent.mkdir()
    path.write_text(
        json.dumps(
            [
                {
                    "model": "guestbook.entry",
                    "fields": {"name": "seed", "message": "of-fixture", "created": "2026-01-01T00:00:00Z"},
                }
            ]
        )
    )
    yield made
    made.close()


def data(**seed: object) -> dict[str, Any]:
    """Say in a template with which data environments start."""
    return {"review": {"seed": {name: str(value) for name, value in seed.items()}}}


def makes(*lines: str) -> dict[str, Any]:
    """Say that they start with what lines of Python make."""
    code = "; ".join(["from guestbook.models import Entry", *lines])
    return data(command=f'python manage.py shell -c "{code}"')


def entry(message: str) -> str:
    """A line of Python that makes an entry."""
    return f"Entry.objects.create(name='seed', message='{message}')"


def dump(clone: Clone, name: str, to: Path) -> Path:
    """Write the data of an environment into a file."""
    clone.pipeline("data", "dump", f"review-{name}", "--to", str(to)).good()
    return to


def write(reviews: Reviews, name: str, message: str, headers: dict[str, str] | None = None) -> None:
    """Send the form with a picture, as a visitor of an environment does."""
    page = reviews.ask(name, headers=headers)
    cookie = page.headers["set-cookie"].partition(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token, page.text[:2000]
    fields = {"csrfmiddlewaretoken": token[1], "name": "Ada", "message": message}
    body, kind = multipart(fields, {"picture": ("dot.png", "image/png", PNG)})
    sent = reviews.ask(name, headers={**kind, **(headers or {}), "Cookie": cookie}, method="POST", body=body)
    assert sent.status == 302, sent.text[:2000]


def picture(reviews: Reviews, name: str, headers: dict[str, str] | None = None) -> bytes:
    """The first picture that the page of an environment shows."""
    page = reviews.ask(name, headers=headers)
    found = re.search(r'src="(/media/[^"]+)"', page.text)
    assert found, page.text[:2000]
    return reviews.ask(name, found[1], headers=headers).body


def errors(text: str) -> str:
    """What a command says after everything that Pulumi said, which has errors of its own further in."""
    return text[text.index("\nerror: ") :].strip()


@pytest.mark.docker
def test_a_fixture_and_a_dump(reviews: Reviews, tmp_path: Path) -> None:
    """Both are there over HTTP, with uploads; what is missing or too much is refused before anything is made."""
    file = tmp_path / "dump.tar"
    clone = reviews.clone(
        "clone",
        review=data(fixture=FIXTURE),
        typo=data(fixture="fixtures/typo.json"),
        dump=data(dump=file),
        one={"review": {"max_environments": 1}},
        small={"review": {"max_memory_mb": 1000}},
    )
    before = (reviews.things(), reviews.backend(), clone.files())
    assert errors(clone.env("create", "first", "--from", "typo").bad().text) == (
        f'error: slipway:review.seed.fixture: found "fixtures/typo.json", and {reviews.app} has no such file; nothing was '
        "made\n"
        "  allowed: a file inside the folder with manage.py\n"
        "  mend:    python -m pipeline env create first --from typo   # once it is there"
    )
    assert errors(clone.env("create", "first", "--from", "dump").bad().text) == (
        f"error: slipway:review.seed.dump: {file}: there is no such file; nothing was made\n"
        "  allowed: a file made by `data dump`\n"
        f"  mend:    python -m pipeline data dump STACK --to {file}"
    )
    assert (reviews.things(), reviews.backend(), clone.files()) == before

    clone.env("create", "first").good()
    assert reviews.ask("first").text.count("of-fixture") == 1
    write(reviews, "first", "of a visitor")

    made = reviews.things()
    due = r"first: 576 MiB, in 1 d 23 h\n  mend:    python -m pipeline env destroy first   # the next that is due"
    many = errors(clone.env("create", "second", "--from", "one").bad().text)
    assert re.fullmatch(
        rf"error: 1 review environment is there, and slipway:review.max_environments is 1; nothing was made\n"
        rf"  allowed: at most 1\n {{11}}{due}",
        many,
    ), many
    much = errors(clone.env("create", "second", "--from", "small").bad().text)
    assert re.fullmatch(
        rf"error: second would have 576 MiB of memory beside the 576 MiB of 1 other, and slipway:review.max_memory_mb is "
        rf"1000; nothing was made\n  allowed: at most 1000 MiB together\n {{11}}{due}",
        much,
    ), much
    assert reviews.things() == made
    assert set(clone.known()) == {"first"}

    dump(clone, "first", file)
    clone.env("create", "second", "--from", "dump").good()
    page = reviews.ask("second")
    assert (page.text.count("of-fixture"), page.text.count("of a visitor")) == (1, 1)
    assert picture(reviews, "second") == PNG


@pytest.mark.docker
@pytest.mark.long
def test_a_seed_is_never_half(reviews: Reviews) -> None:
    """After one that failed and one that was killed, the next begins with an empty database, and is not run twice."""
    clone = reviews.clone(
        "clone",
        failing=makes(entry("half"), "raise SystemExit(3)"),
        slow=makes(entry("half"), "import time", "time.sleep(600)"),
        review=makes(entry("whole")),
        other=makes(entry("another")),
    )
    failed = errors(clone.env("create", "pr-1", "--from", "failing", "--ttl", "5h").bad().text)
    assert re.fullmatch(
        r"error: slipway:review\.seed\.command: `python manage\.py shell .*` failed with exit code 3 \(what it said is above\)\n"
        r"  mend:    python -m pipeline env create pr-1 --from failing   # once the project is mended: it begins with an "
        r"empty database",
        failed,
    ), failed
    expires = clone.known()["pr-1"]["expires"]

    kill_seeding(clone, "pr-1", "slow")

    again = clone.env("create", "pr-1").good()
    assert "pr-1 was never up with the data that it starts with: it is made anew" in again.text
    page = reviews.ask("pr-1")
    assert (page.text.count("whole"), page.text.count("half")) == (1, 0)
    assert clone.known()["pr-1"]["expires"] == expires

    # Neither the next release nor another template seeds what has its data.
    (reviews.app / "config/version.py").write_text('"""The version."""\n\nVERSION = "pushed"\n')
    clone.env("create", "pr-1", "--from", "other").good()
    page = reviews.ask("pr-1")
    assert (page.text.count("whole"), page.text.count("another")) == (1, 0)
    assert json.loads(reviews.ask("pr-1", "/version").body)["version"] == "pushed"
    clone.env("destroy", "pr-1").good()


def kill_seeding(clone: Clone, name: str, template: str) -> None:
    """Make an environment, and kill the command with all that it has started in the middle of its seed."""
    done = subprocess.Popen(
        ["python", "-m", "pipeline", "env", "create", name, "--from", template],
        cwd=clone.folder,
        env=clone.reviews.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    limit = time.monotonic() + 240
    while not half_there(clone.reviews, name):
        assert done.poll() is None, "it ended before it was killed"
        assert time.monotonic() < limit, "it does not come to its seed"
        time.sleep(0.5)
    kill(done)
    done.wait(30)


def half_there(reviews: Reviews, name: str) -> bool:
    """Whether the database of an environment has the row that a seed writes before it is killed."""
    labels = [f"slipway.stack=review-{name}", "slipway.component=postgres"]
    query = 'PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") psql -h 127.0.0.1 -U app -d app -Atc "select message from guestbook_entry"'
    for each in reviews.daemon.containers.list(filters={"label": labels}, ignore_removed=True):
        code, said = each.exec_run(["sh", "-c", query])
        if code == 0 and isinstance(said, bytes) and b"half" in said:
            return True
    return False


@pytest.mark.docker
@pytest.mark.long
def test_a_dump_that_does_not_fit(reviews: Reviews, tmp_path: Path) -> None:
    """A damaged one is refused before anything is made, one of a newer schema before anything is replaced."""
    file, damaged = tmp_path / "newer.tar", tmp_path / "damaged.tar"
    once = {"release": {"once": {"greeting": makes(entry("done-once"))["review"]["seed"]["command"]}}}
    clone = reviews.clone(
        "clone", newer={**data(fixture=FIXTURE)}, review={**data(dump=file), **once}, damaged=data(dump=damaged)
    )
    migration = reviews.app / "guestbook/migrations/0099_longer.py"
    migration.write_text(NEWER)
    clone.env("create", "newer", "--from", "newer").good()
    content = bytearray(dump(clone, "newer", file).read_bytes())
    clone.env("destroy", "newer").good()
    migration.unlink()

    content[5000] ^= 1
    damaged.write_bytes(content)
    before = (reviews.things(), reviews.backend(), clone.files())
    refused = clone.env("create", "pr-1", "--from", "damaged").bad().text
    assert (
        f"error: slipway:review.seed.dump: {damaged}: cannot be used: database.dump is damaged; nothing was made"
        in refused
    )
    assert (reviews.things(), reviews.backend(), clone.files()) == before

    newer = errors(clone.env("create", "pr-1").bad().text)
    release = clone.known()["pr-1"]["release"]
    assert newer == (
        f"error: slipway:review.seed.dump: the file has migrations that release {release} of stack review-pr-1 lacks: "
        "guestbook.0099_longer. Nothing was changed; review-pr-1 is not seeded\n"
        "  allowed: a release with every migration of the file: older code does not know what a newer one has changed\n"
        "  mend:    python -m pipeline env create pr-1   # tries once more"
    )
    assert "of-fixture" not in reviews.ask("pr-1").text

    migration.write_text(NEWER)
    clone.env("create", "pr-1").good()
    page = reviews.ask("pr-1")
    assert (page.text.count("of-fixture"), page.text.count("done-once")) == (1, 1)


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(reviews: Reviews, cluster: Cluster, tmp_path: Path) -> None:
    """The same by host name through the ingress, behind a password and unknown to search engines."""
    reviews.environ |= {
        "KUBECONFIG": cluster.environ["KUBECONFIG"],
        "SLIPWAY_SECRET_BASIC_AUTH_PASSWORD": "given",
    }
    reviews.port = HTTP_PORT
    file = tmp_path / "dump.tar"
    said = {
        **SMALL,
        "target": "kubernetes",
        "kubernetes": {"storage": STORAGE},
        "edge": {**SMALL["edge"], "basic_auth": "reviewer"},
    }
    clone = reviews.clone(
        "clone",
        review={**said, **data(fixture=FIXTURE)},
        failing={**said, **makes(entry("half"), "raise SystemExit(3)")},
        dump={**said, **data(dump=file)},
    )
    namespaces = {name: f"{reviews.project}-review-{name}" for name in ("one", "two")}
    try:
        failed = errors(clone.env("create", "one", "--from", "failing").bad().text)
        assert re.fullmatch(
            r"error: slipway:review\.seed\.command: `python manage\.py shell .*` failed with exit code 3 "
            r"\(what it said is above\); nothing serves yet\n"
            r"  mend:    python -m pipeline env create one --from failing   # once the project is mended: it begins with an "
            r"empty database",
            failed,
        ), failed

        assert "it is made anew" in clone.env("create", "one").good().text
        wait("the page asks for a password", lambda: reviews.ask("one").status == 401, 60)
        page = reviews.ask("one", headers=PASSWORD)
        assert page.status == 200
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert (page.text.count("of-fixture"), page.text.count("half")) == (1, 0)
        write(reviews, "one", "of a visitor", PASSWORD)

        dump(clone, "one", file)
        clone.env("create", "two", "--from", "dump").good()
        wait("the page is there", lambda: reviews.ask("two", headers=PASSWORD).status == 200, 60)
        page = reviews.ask("two", headers=PASSWORD)
        assert (page.text.count("of-fixture"), page.text.count("of a visitor")) == (1, 1)
        assert picture(reviews, "two", PASSWORD) == PNG

        before = cluster.get("deployments", namespaces["two"], "web")["metadata"]["generation"]
        clone.env("extend", "two", "--ttl", "72h").good()
        assert cluster.get("deployments", namespaces["two"], "web")["metadata"]["generation"] == before, "nothing rolls"
        assert clone.known()["two"]["expires"] > clone.known()["one"]["expires"]
        for name in namespaces:
            clone.env("destroy", name).good()
        assert not [each for each in namespaces.values() if cluster.find("namespaces", None, each)]
    finally:
        for each in namespaces.values():
            if cluster.find("namespaces", None, each):
                cluster.free(each)
