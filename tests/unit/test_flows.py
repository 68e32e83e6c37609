"""Who talks to whom is listed in full: what is not in the list may be forbidden."""

from typing import Any

import pytest

from components.flows import ANY_PORT, ANYWHERE, INTERNET, Flow, flows
from tests.sample import settings

USUAL = {
    Flow(ANYWHERE, "edge", 8080),
    Flow("edge", "web", 8000),
    Flow("switch", "edge", 8080),
    Flow("switch", "edge", 8081),
    Flow("switch", "web", 8000),
    Flow("web", INTERNET, ANY_PORT),
    Flow("web", "postgres", 5432),
    Flow("web", "redis", 6379),
    Flow("migration", "postgres", 5432),
    Flow("migration", "redis", 6379),
}
CLUSTER = {"target": "kubernetes", "kubernetes": {"registry": "registry.example.org"}}
OUT = Flow("migration", INTERNET, ANY_PORT)


def to(component: str) -> set[Flow]:
    """Give the usual connections to a component."""
    return {each for each in USUAL if each.to == component}


@pytest.mark.parametrize(
    ("said", "more", "less"),
    [
        ({}, set(), set()),
        (
            {"processes": {"worker": {"command": "celery"}}},
            {
                Flow("process-worker", INTERNET, ANY_PORT),
                Flow("process-worker", "postgres", 5432),
                Flow("process-worker", "redis", 6379),
            },
            set(),
        ),
        (
            {"static": {"serve": "volume", "root": "/app/collected"}},
            {Flow("static", "postgres", 5432), Flow("static", "redis", 6379)},
            set(),
        ),
        (
            {
                "processes": {"sockets": {"command": "daphne", "port": 9000}},
                "edge": {"routes": {"/ws/": "sockets", "/live": "sockets"}},
            },
            {
                Flow("edge", "process-sockets", 9000),
                Flow("process-sockets", INTERNET, ANY_PORT),
                Flow("process-sockets", "postgres", 5432),
                Flow("process-sockets", "redis", 6379),
            },
            set(),
        ),
        ({"postgres": {"provider": "external"}}, {OUT}, to("postgres")),
        ({"redis": {"provider": "external"}}, {OUT}, to("redis")),
        (
            {**CLUSTER, "postgres": {"provider": "cloudnative-pg"}},
            {
                Flow("postgres", "postgres", 5432),
                Flow("postgres", "postgres", 8000),
                Flow("postgres", INTERNET, ANY_PORT),
                Flow(ANYWHERE, "postgres", 8000),
            },
            set(),
        ),
    ],
)
def test_every_connection_is_listed_once(said: dict[str, Any], more: set[Flow], less: set[Flow]) -> None:
    """The edge takes visitors, the app asks its datastores and the world, and the datastores ask nobody."""
    found = flows(settings(said))

    assert set(found) == (USUAL | more) - less
    assert found == sorted(set(found))
