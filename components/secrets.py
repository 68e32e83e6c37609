"""The secrets of one stack: encrypted in its file, never in clear, and known by name alone.

This module is the only one that reads them, with ``require_secret`` alone, so that every value stays masked.
It makes none: ``python -m pipeline secrets init STACK`` does.
"""

import shlex
from dataclasses import dataclass, field, fields

import pulumi

from components.problems import Problem, SettingsError

NAMESPACE = "secrets"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Every secret that a stack needs."""

    django_key: pulumi.Output[str] = field(metadata={"description": "Django's SECRET_KEY."})
    postgres_password: pulumi.Output[str] = field(metadata={"description": "The password of the app's database user."})
    redis_password: pulumi.Output[str] = field(metadata={"description": "The password of the cache."})


DESCRIPTIONS: dict[str, str] = {each.name: each.metadata["description"] for each in fields(Secrets)}
NAMES = tuple(DESCRIPTIONS)


def load() -> Secrets:
    """Read the secrets of the stack that is being deployed.

    Raises:
        SettingsError: with every one that is missing or is not encrypted.
    """
    stack = pulumi.get_stack()
    config = pulumi.Config(NAMESPACE)
    found = {}
    problems = []
    for name in NAMES:
        try:
            found[name] = config.require_secret(name)
        except pulumi.ConfigMissingError:
            problems.append(missing(name, stack))
            continue
        if not pulumi.runtime.is_config_secret(f"{NAMESPACE}:{name}"):
            problems.append(in_clear(name, stack))
    if problems:
        raise SettingsError(stack, problems)
    return Secrets(**found)


def missing(name: str, stack: str) -> Problem:
    """Say that a secret is not there."""
    return Problem(
        key=f"{NAMESPACE}:{name}",
        found="nothing",
        allowed="an encrypted value in the stack's file",
        mend=f"python -m pipeline secrets init {shlex.quote(stack)}",
    )


def in_clear(name: str, stack: str) -> Problem:
    """Say that a secret stands in clear in the stack's file."""
    return Problem(
        key=f"{NAMESPACE}:{name}",
        found="a value in clear (not shown)",
        allowed="an encrypted value; whoever could read the file knows this one, so make a new one",
        mend=f"pulumi config rm {NAMESPACE}:{name} --stack {shlex.quote(stack)} && "
        f"python -m pipeline secrets init {shlex.quote(stack)}",
    )
