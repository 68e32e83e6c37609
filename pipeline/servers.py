"""What it means that a service beside the app does not serve, from its last words, and which of its settings mend it. Pure."""

import re

from components.problems import config_set
from components.services import SETTINGS
from pipeline.console import Problem

_REFUSED = re.compile(
    r"(?P<path>/[\w./-]+)['\"]?\)?:? *(?:\(?(?:errno|Errcode): \d+ *)?[\"']?(?P<why>Read-only file system|Permission denied)"
    r"|(?P<why_first>Read-only file system|Permission denied)(?:[^/]{0,160}?(?P<path_after>/[\w./-]+))?",
    re.IGNORECASE,
)
_NO_SHELL = re.compile(r'exec: \\?"?sh\\?"?: (?:executable file not found|stat sh)|"sh": executable file not found')


def mend(service: str, said: str, stack: str) -> str:
    """Give the commands that mend what a service said last; the settings of it where that tells nothing."""
    refused = _REFUSED.search(said)
    if _NO_SHELL.search(said):
        path = ("services", service, "environment", "NAME")
        return (
            f"{config_set((*path[:-1], 'NAME_FILE'), '${secrets.NAME.file}', stack)}"
            "   # its image has no shell: give it files, and no entrypoint"
        )
    if refused is not None:
        found = refused["path"] or refused["path_after"] or "/FOLDER"
        folder = found.rpartition("/")[0] or found
        return (
            f"{config_set(('services', service, 'writable'), folder, stack)}"
            "   # beside those that are there; or one of its volumes\n"
            f"{config_set(('services', service, 'user'), 'NUMBER', stack)}   # where its image has another user\n"
            f"{config_set(('services', service, 'read_only'), value=False, stack=stack)}   # where it writes in many places"
        )
    return (
        f"correct slipway:services.{service} in stacks/Pulumi.{stack}.yaml: {SETTINGS}\n"
        f"{config_set(('services', service, 'startup_seconds'), 180, stack)}   # where it only needs longer"
    )


def problem_of(service: str, what: str, said: str, stack: str) -> Problem:
    """Say that a service does not serve, with its last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = f": {lines[-1][:200]}" if lines else ""
    return Problem(
        f"slipway:services.{service}: the service {what}{last}; nothing of the release has started",
        allowed="a service that takes connections on its port, or whose health_command exits 0, in startup_seconds",
        mend=mend(service, said, stack),
    )
