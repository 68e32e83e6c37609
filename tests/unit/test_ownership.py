"""Whose a stack is: two projects with one backend do not take each other's stacks."""

import pytest

from components import ownership, state
from components.problems import Problem, SettingsError
from tests.unit.test_deployment import deployed


def test_the_stack_of_another_project_is_refused() -> None:
    """The error says whose it is, and what to do in both cases."""
    assert ownership.find({"app": "shop", "url": "http://there"}, "blog", "prod") == Problem(
        key="slipway:app.name",
        found='"blog", but in this backend stack prod is of "shop", with its data',
        allowed='"shop" where it is the same project; another one has a PULUMI_BACKEND_URL or a stack of its own',
        mend="pulumi config set --path 'slipway:app.name' shop --stack prod",
    )


@pytest.mark.parametrize("outputs", [{}, {"url": "http://there"}, {"app": "blog"}])
def test_a_new_stack_and_ones_own_are_taken(outputs: dict[str, object]) -> None:
    """A stack that was never deployed, or before it said whose it is, is nobody else's."""
    assert ownership.find(outputs, "blog", "prod") is None


def test_nothing_is_registered_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program ends before it says anything to the engine."""
    monkeypatch.setattr(state, "outputs", lambda: {"app": "blog"})

    with pytest.raises(SettingsError, match=r'found "shop", but in this backend stack .* is of "blog"'):
        deployed()
