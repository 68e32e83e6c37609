"""What is wrong with the configuration of a stack, and the command that mends it.

This module owns the shape and the wording of such errors, and never shows the value of a secret.
It does not decide what is wrong: settings, project and secrets do.
"""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pulumi

NAMESPACE = "slipway"
SECRET = "a secret (not shown)"  # noqa: S105  # the words for one, not one
_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a stack's configuration."""

    key: str
    """Full path of the key, such as ``slipway:web.replicas``."""
    found: str
    """What stands there, in words."""
    allowed: str
    """What may stand there, in words."""
    mend: str
    """The command that mends it."""

    def __str__(self) -> str:
        """The problem as it is printed."""
        return f"{self.key}: found {self.found}\n  allowed: {self.allowed}\n  mend:    {self.mend}"


class SettingsError(pulumi.RunError):
    """A stack's configuration cannot be used. It carries every problem that was found."""

    def __init__(self, stack: str, problems: Sequence[Problem]) -> None:
        self.stack = stack
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        text = "\n".join(str(problem) for problem in problems)
        super().__init__(f"{count} in the configuration of stack {stack}\n{text}")


def full_key(path: Iterable[str]) -> str:
    """Write a path the way ``pulumi config set --path`` reads it."""
    first, *rest = path
    return f"{NAMESPACE}:{first}" + "".join(f".{part}" if _plain(part) else f"[{json.dumps(part)}]" for part in rest)


def show(value: object) -> str:
    """Name a value that was found, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a group of values"
    if isinstance(value, list):
        return "a list"
    # Whoever writes a password into an address is told so, and reads it nowhere else.
    text = re.sub(r"://(?!git@)[^/@\s]*@", "://***@", json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def config_set(path: Sequence[str], value: object, stack: str) -> str:
    """Give the command that sets one key."""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"pulumi config set {_path_arguments(path)} {shlex.quote(text)} --stack {shlex.quote(stack)}"


def config_rm(path: Sequence[str], stack: str) -> str:
    """Give the command that takes one key away."""
    return f"pulumi config rm {_path_arguments(path)} --stack {shlex.quote(stack)}"


def _path_arguments(path: Sequence[str]) -> str:
    quoted = full_key(path).replace("'", "'\\''")
    return f"'{quoted}'" if len(path) == 1 else f"--path '{quoted}'"


def _plain(part: str) -> bool:
    return part.replace("_", "a").replace("-", "a").isalnum()
