"""Whose a namespace is, before a stack takes it."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from components.kubernetes import ownership
from components.problems import SettingsError
from tests.sample import settings
from tests.unit.harness import run

SAID: dict[str, Any] = {"target": "kubernetes", "kubernetes": {"registry": "r.example.org", "namespace": "shop-live"}}
OURS = {"slipway.project": "shop", "slipway.stack": "test"}


def test_a_new_one_and_ours() -> None:
    """A namespace that is not there may be made, and one with our labels may be taken up again."""
    assert ownership.find(None, settings(SAID), "test") is None
    assert ownership.find({**OURS, "more": "x"}, settings(SAID), "test") is None


@pytest.mark.parametrize(
    ("labels", "whose"),
    [
        ({}, "a namespace that somebody else has made"),
        ({"slipway.project": "shop", "slipway.stack": "prod"}, "a namespace that belongs to stack prod of shop"),
    ],
)
def test_one_of_somebody_else(labels: dict[str, str], whose: str) -> None:
    """Whose it is, is said, and how to take another."""
    problem = ownership.find(labels, settings(SAID), "test")

    assert problem is not None
    assert problem.key == "slipway:kubernetes.namespace"
    assert problem.found == f"shop-live, {whose}"
    assert problem.mend == ("pulumi config set --path 'slipway:kubernetes.namespace' shop-live-slipway --stack test")


def check(monkeypatch: pytest.MonkeyPatch, labels: dict[str, str] | None, state: dict[str, Any] | None = None) -> int:
    """Check the namespace of a stack, and count how often the cluster was asked."""
    asked = []

    def answer(context: str | None, namespace: str) -> dict[str, str] | None:
        asked.append((context, namespace))
        return labels

    monkeypatch.setattr(ownership, "_labels", answer)
    run(lambda: ownership.check(settings(SAID)), state=state)
    return len(asked)


def test_only_a_new_stack_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a stack is deployed, its state says what is its own, and no cluster is asked."""
    assert check(monkeypatch, None) == 1
    assert check(monkeypatch, {}, state={"a": {"type": "b", "outputs": {}}}) == 0


def test_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace of somebody else ends the update before anything is registered."""
    with pytest.raises(SettingsError, match="that somebody else has made"):
        check(monkeypatch, {})


class ApiException(Exception):  # noqa: N818 - the name of the client
    """What the client raises."""


class ConfigException(Exception):  # noqa: N818 - the same
    """What the client raises."""


def client(answer: object) -> dict[str, object]:
    """Give modules as the official client's, with one answer."""

    def read(_name: str, _request_timeout: int) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    def api(_client: object) -> object:
        pool = SimpleNamespace(connection_pool_kw={})
        rest = SimpleNamespace(rest_client=SimpleNamespace(pool_manager=pool))
        return SimpleNamespace(api_client=rest, read_namespace=read)

    def configure(**_context: str | None) -> object:
        if isinstance(answer, ConfigException):
            raise answer
        return object()

    return {
        "kubernetes": SimpleNamespace(
            client=SimpleNamespace(CoreV1Api=api, ApiException=ApiException),
            config=SimpleNamespace(new_client_from_config=configure, ConfigException=ConfigException),
        )
    }


@pytest.mark.parametrize("answer", [ApiException("404"), ConfigException("no kubeconfig"), OSError("refused")])
def test_a_cluster_without_an_answer_is_no_problem(monkeypatch: pytest.MonkeyPatch, answer: Exception) -> None:
    """A preview works without a cluster; what is wrong with it, the update says itself."""
    for name, module in client(answer).items():
        monkeypatch.setitem(sys.modules, name, module)

    assert ownership._labels("prod", "shop-live") is None


def test_labels_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels are those that the cluster has."""
    found = SimpleNamespace(metadata=SimpleNamespace(labels=OURS))
    for name, module in client(found).items():
        monkeypatch.setitem(sys.modules, name, module)

    assert ownership._labels(None, "shop-live") == OURS
