"""A project that asks much of its web server, unmodified: tests/projects/edge."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import ROOT, Answer, Site
from tests.e2e.websocket import websocket

PROJECT = ROOT / "tests/projects/edge"
APP = {
    "health_path": "/",
    "environment": {"SECRET_KEY": "${secrets.django_key}", "HOSTS": "${allowed_hosts}"},
}
EDGE: dict[str, Any] = {
    "hosts": "shop.example.com *.shop.example.org",
    "websockets": "/ws/",
    "routes": {"/ws/": "sockets", "/live/": "sockets"},
    "headers": {"Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'self'"},
    "redirects": {
        "/old": "/new",
        "/sale": "302 /offers?from=sale",
        "/blog/*": "/moved/*",
        "old.example.org": "https://shop.example.com",
    },
    "locations": {"= /robots.txt": "default_type text/plain;\nreturn 200 'nobody';"},
}
SETTINGS: dict[str, Any] = {
    "app": APP,
    "static": {"serve": "volume", "root": "/app/collected", "url": "/assets/"},
    "media": {"root": "/srv/uploads", "url": "/files/", "internal": True},
    "volumes": {
        "kept": {"path": "/srv/kept"},
        "seen": {"path": "/srv/seen", "processes": "sockets", "read_only": True},
    },
    "processes": {
        "sockets": {
            "command": "uvicorn config.asgi:application --host 0.0.0.0 --port 9000 --timeout-graceful-shutdown 10",
            "port": 9000,
        }
    },
}
ADA = {"Authorization": "Basic Ada"}


def facts(answer: Answer) -> dict[str, Any]:
    """What the project shows of a request."""
    assert answer.status == 200, answer.text[:2000]
    found: dict[str, Any] = json.loads(answer.body)
    return found


def prove(site: Site) -> None:
    """Bring the project up, and hold what visitors get against what the stack's file says."""
    site.secrets().up().good()
    prove_files(site)
    prove_addresses(site)
    prove_websockets(site)


def prove_files(site: Site) -> None:
    """Static files come from the volume, uploads from the app alone, and what else is kept is there."""
    mark = site.ask("/assets/mark.txt")
    assert (mark.status, mark.text) == (200, "assets of the project\n")
    assert mark.headers["x-content-type-options"] == "nosniff"

    sent = facts(site.ask("/upload", "POST", b"<b>yours</b>"))
    made = site.ask(f"/assets/CACHE/{sent['made']}")
    assert (made.text, made.headers["cache-control"]) == ("made while it runs", "public, max-age=31536000, immutable")
    assert sent["name"] in facts(site.ask())["kept"]

    name = quote(sent["name"])
    assert site.ask(f"/files/{name}").status == 404
    assert site.ask(f"/invoice/{name}").status == 403
    safe, shown = site.ask(f"/invoice/{name}", headers=ADA), site.ask(f"/invoice/{name}?inline", headers=ADA)
    assert (safe.text, safe.headers["content-disposition"]) == ("<b>yours</b>", "attachment")
    assert (shown.text, shown.headers["content-disposition"]) == ("<b>yours</b>", 'inline; filename="yours.html"')


def prove_addresses(site: Site) -> None:
    """Host names, headers, redirects and locations are what the stack's file says."""
    for host in ("shop.example.com", "a.shop.example.org"):
        assert facts(site.ask(headers={"Host": host}))["host"] == host
    assert site.ask(headers={"Host": "evil.example.net"}).status == 400

    for path in ("/", "/assets/mark.txt", "/nowhere", "/robots.txt", "/live/"):
        found = site.ask(path).headers
        assert (found["referrer-policy"], found["content-security-policy"]) == ("same-origin", "default-src 'self'")
    assert site.ask("/robots.txt").text == "nobody"

    leads = {
        path: (answer.status, answer.headers["location"])
        for path in ("/old?a=b", "/sale", "/blog/2020/%C3%A9%0d%0aX:y?a=b", "/blog/")
        for answer in [site.ask(path)]
    }
    assert leads == {
        "/old?a=b": (301, "/new?a=b"),
        "/sale": (302, "/offers?from=sale"),
        "/blog/2020/%C3%A9%0d%0aX:y?a=b": (301, "/moved/2020/%C3%A9%0d%0aX:y?a=b"),
        "/blog/": (301, "/moved/"),
    }
    moved = site.ask("/a/b?c", headers={"Host": "old.example.org"})
    assert (moved.status, moved.headers["location"]) == (301, "https://shop.example.com/a/b?c")


def prove_websockets(site: Site) -> None:
    """A websocket reaches the process that speaks it; elsewhere nothing is upgraded."""
    with websocket(site.address(), "/ws/room") as open_:
        for text in ("hello", "again"):
            open_.say(text)
            assert open_.hear() == f"1: {text}"
    assert facts(site.ask("/live/x")) == {"process": "sockets", "version": "1", "path": "/live/x"}
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert facts(site.ask(headers=upgrade))["upgrade"] is None


@contextmanager
def asking(site: Site, path: str) -> Iterator[list[object]]:
    """Ask for a path again and again, and give what was answered: a status and text, or an error."""
    done, answers = threading.Event(), list[object]()

    def ask() -> None:
        while not done.wait(0.05):
            try:
                answer = site.ask(path)
                answers.append((answer.status, answer.text))
            except OSError as error:
                answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        done.set()
        thread.join(timeout=30)


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site]) -> None:
    """All of it, then releases: no request to either process is lost, and what nginx refuses changes nothing."""
    site = make_site("edge", project=PROJECT)
    site.set(**SETTINGS, edge={"port": site.port, **EDGE})
    prove(site)
    owners = site.execute("web", "stat", "-c", "%u", "/srv/uploads", "/app/collected", "/srv/kept")
    assert owners.split() == ["10001"] * 3
    assert "Read-only" in site.execute("process-sockets", "sh", "-c", "touch /srv/seen/x 2>&1 || true")

    site.change("config/version.py", '"1"', '"2"')
    with asking(site, "/live/x") as sockets, asking(site, "/") as pages:
        site.up().good()
    assert {answer[0] if isinstance(answer, tuple) else answer for answer in [*sockets, *pages]} == {200}
    assert {json.loads(answer[1])["version"] for answer in sockets if isinstance(answer, tuple)} == {"1", "2"}
    assert site.ask("/assets/mark.txt").status == 200

    before = site.running()
    site.set(**SETTINGS, edge={"port": site.port, **EDGE, "locations": {"= /robots.txt": "returns 200;"}})
    refused = site.up().bad().text
    assert 'unknown directive "returns"' in refused
    assert "returns 200;" in refused
    assert "slipway:edge.locations" in refused
    assert {name: state for name, state in site.running().items() if "-switch-" not in name} == {
        name: state for name, state in before.items() if "-switch-" not in name
    }
    assert site.ask("/robots.txt").text == "nobody"

    site.set(**{**SETTINGS, "static": {"serve": "project"}}, edge={"port": site.port, **EDGE})
    site.up().good()
    mark = site.ask("/assets/mark.txt")
    assert (mark.status, mark.text) == (200, "assets of the project\n")
    assert mark.headers["access-control-allow-origin"] == "*"  # WhiteNoise says so
    assert not [name for name in site.things() if name.endswith(("-collected", "-static"))]
    assert len(facts(site.ask())["kept"]) == 1


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """The same file of a stack does the same there."""
    site = make_cluster_site("edge", project=PROJECT, **SETTINGS, edge={**EDGE})
    prove(site)

    assert facts(site.ask("/live/"))["process"] == "sockets"
    assert {each["metadata"]["name"] for each in site.cluster.all("services", site.namespace)} >= {"process-sockets"}
