"""Asking the served page."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components.model import Settings
from pipeline.host import page
from tests.sample import settings


class Server(HTTPServer):
    """Answers with the statuses that a test wants, the last one for ever."""

    statuses: list[int]
    hosts: list[str]


class Handler(BaseHTTPRequestHandler):
    """One answer."""

    server: Server

    def do_GET(self) -> None:
        """Answer with the next status."""
        self.server.hosts.append(self.headers["Host"])
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a free port."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.statuses, server.hosts = [200], []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def of(port: int, address: str = "127.0.0.1", domain: str = "localhost") -> Settings:
    """Settings that publish there."""
    return settings({"domain": domain, "edge": {"port": port, "address": address}})


@pytest.mark.parametrize(
    ("address", "domain", "port", "url"),
    [
        ("127.0.0.1", "localhost", 8080, "http://127.0.0.1:8080/"),
        ("0.0.0.0", "localhost", 80, "http://127.0.0.1/"),  # noqa: S104 - an address in settings
        ("0.0.0.0", "shop.example.org", 80, "http://shop.example.org/"),  # noqa: S104 - the same
    ],
)
def test_the_address_is_one_that_a_browser_can_open(address: str, domain: str, port: int, url: str) -> None:
    """An address that means all of them becomes one, a domain is used, and port 80 is not said."""
    assert page.url(of(port, address, domain)) == url


@pytest.mark.parametrize(("status", "served"), [(200, True), (302, True), (404, True), (500, False), (502, False)])
def test_an_application_that_answers_is_served(server: Server, status: int, served: bool) -> None:  # noqa: FBT001 - expected value
    """That a page is not found is an answer of the application; an error of the server is none."""
    server.statuses = [status]

    answer = page.ask(of(server.server_port, domain="shop.example.org"))

    assert (answer.status, answer.served) == (status, served)
    assert server.hosts == ["shop.example.org"]


def test_a_page_that_comes_late_is_waited_for(server: Server) -> None:
    """The edge may need a moment."""
    server.statuses = [503, 502, 200]

    assert page.wait(of(server.server_port), limit=10).status == 200


def test_a_page_that_never_comes_is_not_waited_for_for_ever() -> None:
    """The reason is told."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = page.wait(of(unused.getsockname()[1]), limit=0.1)

    assert not answer.served
    assert "refused" in answer.error
