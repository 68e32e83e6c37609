"""Which settings change how something is started and asked, for the errors about what did not get well. Pure."""

from components.flows import process_name
from components.problems import config_set

LONGER_SECONDS = 120
"""A time to start that is enough for most."""


def not_well(component: str, stack: str) -> list[str]:
    """Give the commands that change what tells that a component is well, and how long it may take."""
    name = process_name(component)
    if name is not None:
        path = ("processes", name, "startup_seconds")
        return [f"{config_set(path, LONGER_SECONDS, stack)}   # where it only needs longer"]
    if component != "web":
        return []
    return [
        f"{config_set(('app', 'health_path'), '/PATH', stack)}   # where another page tells; or see slipway:health",
        f"{config_set(('web', 'startup_seconds'), LONGER_SECONDS, stack)}   # where it only needs longer",
    ]


def not_up(component: str, stack: str) -> list[str]:
    """Give the commands that change what a component runs."""
    name = process_name(component)
    if name is not None:
        return [f"{config_set(('processes', name, 'command'), 'COMMAND', stack)}   # where it should run another"]
    return []
