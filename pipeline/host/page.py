"""Asking the page of a stack on a Docker host, at the port that its edge publishes."""

import http.client

from components import address, edge_rules
from components.labels import COMPONENT, PROJECT, STACK
from components.model import Edge, Gateway, Settings
from pipeline import page
from pipeline.engine import Engine
from pipeline.page import Page
from pipeline.target import Served

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1"}  # noqa: S104 - compared with, never bound


def url(settings: Settings) -> str:
    """The address to open in a browser."""
    edge = settings.edge
    if edge.gateway is not None:
        return address.url(settings)
    host = ANY_ADDRESS.get(edge.address, edge.address)
    if settings.domain != "localhost":
        host = settings.domain
    return f"http://{host}/" if edge.port == http.client.HTTP_PORT else f"http://{host}:{edge.port}/"


def ask(settings: Settings, path: str = "/", timeout: float = 10) -> Page:
    """Ask once, at the published address, with the domain's name."""
    door: Edge | Gateway = settings.edge if settings.edge.gateway is None else settings.review.gateway
    where = ANY_ADDRESS.get(door.address, door.address)
    return page.ask(
        url(settings),
        lambda: http.client.HTTPConnection(where, door.port, timeout=timeout),
        {"Host": settings.domain},
        path,
    )


def wait(settings: Settings, limit: float = page.LIMIT_SECONDS) -> Page:
    """Ask until the application answers, for a bounded time."""
    # Where others want a password, this page says what the app says.
    path = edge_rules.open_path(settings.edge, settings.app, settings.health) or "/"
    return page.wait(lambda: ask(settings, path), limit)


def serve(engine: Engine, settings: Settings) -> Served:
    """Ask the page of a stack that was just brought up."""
    return Served(
        page=wait(settings),
        log=f"docker logs $(docker ps -q --filter label={PROJECT}={settings.app.name} --filter label={STACK}={engine.stack}"
        f" --filter label={COMPONENT}=web | head -1)",
    )
