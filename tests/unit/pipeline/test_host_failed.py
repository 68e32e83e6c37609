"""The error about a container that did not get well on a Docker host."""

import pytest

from pipeline import adjusting
from pipeline.engine import Engine
from pipeline.host.failed import Unwell, not_ready


@pytest.mark.parametrize(
    ("component", "what", "mends"),
    [
        (
            "web",
            "is unhealthy",
            [
                (
                    "pulumi config set --path 'slipway:app.health_path' /PATH --stack dev   "
                    "# where another page tells; or see slipway:health"
                ),
                "pulumi config set --path 'slipway:web.startup_seconds' 120 --stack dev   # where it only needs longer",
            ],
        ),
        ("web", "restarts again and again", []),
        (
            "process-mail-out",
            "is not healthy yet",
            [
                (
                    "pulumi config set --path 'slipway:processes.mail-out.startup_seconds' 120 --stack dev   "
                    "# where it only needs longer"
                ),
            ],
        ),
        (
            "process-mail-out",
            "was started again 3 times, since it does not stay up",
            [
                (
                    "pulumi config set --path 'slipway:processes.mail-out.command' COMMAND --stack dev   "
                    "# where it should run another"
                ),
            ],
        ),
    ],
)
def test_what_is_not_well_names_its_settings(engine: Engine, component: str, what: str, mends: list[str]) -> None:
    """Its log comes first, then what may have to be said differently; what served goes on."""
    error = not_ready([Unwell("edge", "e", "is unhealthy", "9"), Unwell(component, "it-1", what, "2")], engine)

    assert error is not None
    (only,) = error.problems
    assert only.found == f"{component} (it-1) {what}; what served before goes on serving (what it said is above)"
    assert (only.mend or "").splitlines() == ["docker logs --tail 50 it-1", *mends]


def test_the_newest_is_what_failed(engine: Engine) -> None:
    """What has been unwell for longer is not the reason."""
    old = Unwell("process-a", "a-1", "is unhealthy", "2026-11-28T10:00:00Z")
    new = Unwell("web", "web-1", "is unhealthy", "2026-11-29T10:00:00Z")

    assert "web (web-1)" in str(not_ready([new, old], engine))


def test_what_is_not_the_apps(engine: Engine) -> None:
    """A datastore has an error of its own."""
    assert not_ready([Unwell("postgres", "p", "is unhealthy", "1")], engine) is None
    assert adjusting.not_well("postgres", "dev") == adjusting.not_up("postgres", "dev") == []
