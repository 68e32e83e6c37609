"""Which processes answer which addresses."""

import pytest

from components import routes
from tests.sample import settings

SETTINGS = settings(
    {
        "processes": {
            "sockets": {"command": "daphne", "port": 9000},
            "api": {"command": "uvicorn", "port": 9001},
            "worker": {"command": "celery", "port": 9002},
        },
        "edge": {
            "routes": {"/ws/": "sockets", "/ws/api/": "api", "/live": "sockets"},
            "websockets": "/ws/ /chat",
        },
    }
)


def test_upstreams() -> None:
    """Those that get requests, each once; who merely listens gets none."""
    assert routes.upstreams(SETTINGS) == {"process-sockets": 9000, "process-api": 9001}
    assert routes.upstreams(settings()) == {}


@pytest.mark.parametrize(
    ("path", "upstream"),
    [
        ("/ws/", "process-sockets"),
        ("/ws/room/", "process-sockets"),
        ("/ws/api/", "process-api"),
        ("/ws/api/live", "process-api"),
        ("/ws", "app"),
        ("/live", "process-sockets"),
        ("/live/", "app"),
        ("/", "app"),
    ],
)
def test_the_longest_route_wins(path: str, upstream: str) -> None:
    """As nginx has it."""
    assert routes.upstream(SETTINGS.edge, path) == upstream


def test_paths_that_are_handed_on() -> None:
    """Each once, and those with websockets are known."""
    assert routes.handed_on(SETTINGS.edge) == ["/ws/", "/ws/api/", "/live", "/chat"]
    assert [routes.is_websocket(SETTINGS.edge, path) for path in routes.handed_on(SETTINGS.edge)] == [
        True,
        True,
        False,
        True,
    ]
