"""What a project keeps beside its database, and who mounts it."""

from components.storage import COLLECTED, WEB, Place, folders, places
from tests.sample import settings

SAID = {
    "processes": {"worker": {"command": "x"}},
    "static": {"serve": "volume", "root": "/app/collected"},
    "volumes": {
        "indexes": {"path": "/srv/indexes"},
        "models": {"path": "/srv/models", "processes": "worker", "read_only": True},
    },
}
STATIC = Place(role=COLLECTED, path="/app/collected", writable=True)
INDEXES = Place(role="volume-indexes", path="/srv/indexes", writable=True)


def test_places() -> None:
    """A volume is everybody's, or of those who are named; whoever serves or works writes static files, too."""
    assert places(settings(SAID), WEB) == [STATIC, INDEXES]
    assert places(settings(SAID), "worker") == [
        STATIC,
        INDEXES,
        Place(role="volume-models", path="/srv/models", writable=False),
    ]
    assert places(settings(), WEB) == []


def test_folders() -> None:
    """Everything that is kept has a folder in the image, whoever mounts it."""
    assert folders(settings(SAID)) == ["/app/media", "/app/collected", "/srv/indexes", "/srv/models"]
    assert folders(settings({"static": {"root": "/app/collected"}})) == ["/app/media"]
