"""One stack, brought up once: what is served, what lies where, what a second ``up`` does, and what ``down`` leaves."""

import gzip
import json
import re
from collections.abc import Callable

import pytest

from tests.e2e.site import PNG, Site, multipart

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    """A stack that is up."""
    site = make_site("up").secrets()
    said = site.up().good().text
    assert f"Served: http://127.0.0.1:{site.port}/  (HTTP 200" in said
    assert "Time:   checks " in said
    return site


def test_the_page_comes_through_the_edge(site: Site) -> None:
    """Nginx answers, and what it serves is the page of the project, with its version."""
    page = site.ask()

    assert page.status == 200
    assert page.headers["server"].startswith("nginx")
    assert "<title>Guestbook</title>" in page.text
    assert site.version()["version"] == "1.0.0"
    assert re.fullmatch(r"[0-9a-f]{8,}", site.version()["release"])


def test_a_row_is_written_into_postgres(site: Site) -> None:
    """The form is sent through the edge, and the row is found by asking Postgres itself."""
    cookie, token = site.form()
    body, headers = multipart({"csrfmiddlewaretoken": token, "name": "Ada", "message": "row-4711"}, {})

    sent = site.ask("/", "POST", body, {**headers, "Cookie": cookie})

    assert sent.status == 302, sent.text[:2000]
    assert site.sql("select name from guestbook_entry where message = 'row-4711'") == ["Ada"]
    assert "row-4711" in site.ask().text


def test_visits_are_counted_in_redis(site: Site) -> None:
    """The counter goes up with each visit, and it lies in Redis."""
    first = site.ask().number("visits")

    assert site.ask().number("visits") == first + 1
    assert "visits" in site.execute("redis", "redis-cli", "--scan", REDISCLI_AUTH=site.secret("redis_password"))


def test_an_upload_is_served_by_the_edge(site: Site) -> None:
    """A picture goes to the application and comes back from nginx, byte for byte."""
    cookie, token = site.form()
    body, headers = multipart(
        {"csrfmiddlewaretoken": token, "name": "Grace", "message": "with a picture"},
        {"picture": ("dot.png", "image/png", PNG)},
    )
    sent = site.ask("/", "POST", body, {**headers, "Cookie": cookie})
    assert sent.status == 302, sent.text[:2000]

    found = re.search(r'src="(/media/[^"]+)"', site.ask().text)
    assert found, site.ask().text[:2000]
    picture = site.ask(found[1])
    assert (picture.status, picture.body, picture.headers["content-type"]) == (200, PNG, "image/png")


def test_static_files_have_hashed_names_and_are_cached_for_ever(site: Site) -> None:
    """A changed file gets a new name, so browsers never ask twice for the same one."""
    found = re.search(r'href="(/static/guestbook/style\.[0-9a-f]{8,}\.css)"', site.ask().text)
    assert found, site.ask().text[:2000]

    style = site.ask(found[1], headers={"Accept-Encoding": "gzip"})

    assert style.status == 200
    assert style.headers["content-type"].startswith("text/css")
    assert "max-age=31536000" in style.headers["cache-control"]
    assert "immutable" in style.headers["cache-control"]
    text = gzip.decompress(style.body) if style.headers.get("content-encoding") == "gzip" else style.body
    assert b"{" in text
    assert site.ask("/static/guestbook/nothing.css").status == 404


def test_health_covers_the_database_and_the_cache(site: Site) -> None:
    """The page that decides about a release says that both answer."""
    assert json.loads(site.ask("/healthz").body) == {"status": "ok", "failed": []}


def test_only_the_edge_publishes_a_port(site: Site) -> None:
    """On 127.0.0.1, and nothing else can be reached from outside the host's networks."""
    published = {
        each.labels["slipway.component"]: [binding for found in (each.ports or {}).values() for binding in found or ()]
        for each in site.containers()
    }

    assert published.pop("edge") == [{"HostIp": "127.0.0.1", "HostPort": str(site.port)}]
    assert not any(published.values())


def test_no_secret_is_found_in_clear(site: Site) -> None:
    """Not in the state, not in what Docker shows of containers and images, not in logs, not in the stack's file."""
    secrets = [site.secret(name) for name in ("django_key", "postgres_password", "redis_password")]
    places = {
        str(path.relative_to(site.folder)): path.read_text(errors="replace")
        for folder in (site.state, site.root / ".slipway", site.root / "stacks")
        for path in folder.rglob("*")
        if path.is_file()
    }
    for each in site.containers():
        places[f"inspect {each.name}"] = json.dumps(each.attrs)
        places[f"log of {each.name}"] = each.logs().decode(errors="replace")
        if each.image is not None:
            places[f"history of {each.image.id}"] = json.dumps(each.image.history()) + json.dumps(each.image.attrs)

    assert all(len(secret) > 20 for secret in secrets)
    assert len(places) > 15
    assert not [name for name, text in places.items() for secret in secrets if secret in text]


def test_a_second_up_changes_and_restarts_nothing(site: Site) -> None:
    """Every container keeps its id and its start time, and Pulumi counts no change."""
    before = site.running()

    said = site.up().good().text

    assert site.running() == before
    assert re.search(r"\d+ unchanged", said)
    assert not re.search(r"^ +[+~-]+ \d+ ", said, re.MULTILINE), said


def test_a_preview_shows_no_change_and_a_doctor_finds_nothing(site: Site) -> None:
    """When everything is as it should be, both say so."""
    preview = site.pipeline("preview", site.stack).good().text
    assert re.search(r"\d+ unchanged", preview)
    assert not re.search(r"to (create|update|replace|delete)", preview), preview

    report = json.loads(site.pipeline("doctor", site.stack, "--json").good().text)
    names = {finding["name"] for finding in report}
    assert {"docker", "disk", "settings", "secrets", "state", "postgres", "redis", "web", "edge", "page"} <= names


def test_a_changed_line_arrives(site: Site) -> None:
    """Only what depends on the code is replaced; data, cache and edge keep running."""
    kept = {name: site.container(name).id for name in ("postgres", "redis", "edge")}
    web = site.container("web").id
    site.set_version("2.0.0")

    preview = site.pipeline("preview", site.stack).good().text
    site.up().good()

    assert "to replace" in preview
    assert site.version()["version"] == "2.0.0"
    assert {name: site.container(name).id for name in kept} == kept
    assert site.container("web").id != web
    assert site.sql("select name from guestbook_entry where message = 'row-4711'") == ["Ada"]


def test_containers_that_stopped_are_started(site: Site) -> None:
    """After a crash of the host's Docker, `up` does not take the word of the state for it that all is well."""
    for component in ("web", "edge"):
        site.container(component).stop(timeout=10)

    said = site.up().good().text

    assert f"e2e-{site.stack}-edge" in said
    assert "not running; Pulumi looks at what is really there first" in said
    assert site.ask().status == 200


def test_down_leaves_nothing(site: Site) -> None:
    """No container, no network, no volume, no image, no state; the stack's file stays; twice is once."""
    images = {tag for each in site.containers("web") if each.image is not None for tag in each.image.tags}
    assert images

    said = site.down().good().text

    assert "Gone:" in said
    assert site.things() == []
    assert not [tag for image in site.daemon.images.list() for tag in image.tags if tag in images]
    assert not list((site.state / ".pulumi/stacks").rglob("*.json"))
    assert (site.root / "stacks" / f"Pulumi.{site.stack}.yaml").exists()
    assert "nothing to do" in site.down().good().text
