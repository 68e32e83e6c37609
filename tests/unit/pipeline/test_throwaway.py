"""What a check or a preview needs for minutes goes, also where the command was killed."""

import time
from types import SimpleNamespace
from typing import Any

import docker.errors

from pipeline.host import throwaway


class Made:
    """A container or a network."""

    def __init__(self, labels: dict[str, str], *, held: bool = False) -> None:
        self.labels, self.attrs, self.gone, self.held = labels, {"Labels": labels}, False, held

    def remove(self, **_: bool) -> None:
        """Go, or be held by something."""
        if self.held:
            raise docker.errors.APIError("held")
        self.gone = True


def host(containers: list[Made], networks: list[Made]) -> Any:  # noqa: ANN401 - a stand-in
    """A daemon that has them."""
    return SimpleNamespace(
        containers=SimpleNamespace(list=lambda **_: containers), networks=SimpleNamespace(list=lambda **_: networks)
    )


def test_the_labels_say_what_it_is_for_and_until_when() -> None:
    """Two hours from now, in whole seconds."""
    labels = throwaway.labels("slipway.check", "prod")

    assert labels["slipway.check"] == "prod"
    assert 7190 < int(labels["slipway.until"]) - time.time() <= 7200


def test_only_what_is_past_its_time_is_swept() -> None:
    """What another command may still need stays, and so does what carries something else under that name."""
    past, odd = {"slipway.until": str(int(time.time()) - 1)}, {"slipway.until": "never"}
    now = throwaway.labels("slipway.preview", "prod")
    held, left, needed, strange = Made(past, held=True), Made(past), Made(now), Made(odd)
    network, used = Made(past), Made(now)

    throwaway.sweep(host([held, left, needed, strange], [network, used]))

    assert [each.gone for each in (held, left, needed, strange, network, used)] == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]
