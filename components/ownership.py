"""Whether the state of a stack is this project's: two projects with one backend must not take each other's stacks.

Every physical name begins with the name of the app, so an update under another name would replace all that there is by
something empty.
"""

from collections.abc import Mapping

import pulumi

from components import state
from components.model import Settings
from components.problems import Problem, SettingsError, config_set, full_key

APP = "app"
"""The output of a stack that says whose it is."""
_KEY = ("app", "name")


def check(settings: Settings) -> None:
    """Refuse to turn what runs into something of another name.

    Raises:
        SettingsError: if the stack was deployed with another ``slipway:app.name``.
    """
    problem = find(state.outputs(), settings.app.name, pulumi.get_stack())
    if problem is not None:
        raise SettingsError(pulumi.get_stack(), [problem])


def find(outputs: Mapping[str, object], name: str, stack: str) -> Problem | None:
    """Say what is wrong with the outputs that a stack had before; None for one that has none, or is ours."""
    owner = outputs.get(APP)
    if owner is None or owner == name:
        return None
    return Problem(
        key=full_key(_KEY),
        found=f'"{name}", but in this backend stack {stack} is of "{owner}", with its data',
        allowed=f'"{owner}" where it is the same project; another one has a PULUMI_BACKEND_URL or a stack of its own',
        mend=config_set(_KEY, str(owner), stack),
    )
