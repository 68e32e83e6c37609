"""The secrets of one stack: encrypted in its file, never in clear, and known by name alone.

This module is the only one that reads them, with ``require_secret`` alone, so that every value stays masked.
It makes none: ``python -m pipeline secrets init STACK`` does.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pulumi

from components import environment, template
from components.model import PostgresProvider, RedisProvider, Settings, TlsFrom
from components.problems import Problem, SettingsError

NAMESPACE = "secrets"


def _about(
    description: str, when: str, needed: Callable[[Settings], bool], *, example: str | None = None
) -> dict[str, Any]:
    """Describe a secret: what it is, who needs it, and what it looks like where it is not made but given."""
    return {"description": description, "when": when, "needed": needed, "example": example}


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Every secret that a stack needs; None for those that its settings do not ask for."""

    django_key: pulumi.Output[str] = field(metadata=_about("Django's SECRET_KEY.", "always", lambda _: True))
    postgres_password: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The password of the app's database user.",
            "unless `postgres.provider` is external or none",
            lambda it: it.postgres.provider.deployed,
        ),
    )
    redis_password: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The password of the cache.",
            "unless `redis.provider` is external or none",
            lambda it: it.redis.provider.deployed,
        ),
    )
    database_url: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The address of a database that somebody else runs, with its user and password.",
            "`postgres.provider: external`",
            lambda it: it.postgres.provider is PostgresProvider.EXTERNAL,
            example="postgresql://USER:PASSWORD@HOST:5432/NAME",
        ),
    )
    redis_url: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The address of a cache that somebody else runs, with its password.",
            "`redis.provider: external`",
            lambda it: it.redis.provider is RedisProvider.EXTERNAL,
            example="redis://:PASSWORD@HOST:6379/0",
        ),
    )
    registry_auth: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "How a cluster logs in to the registry of the images: the text of a Docker `config.json`.",
            "`kubernetes.pull_secret: true`",
            lambda it: it.kubernetes.pull_secret,
            example='{"auths": {"REGISTRY": {"auth": "BASE64"}}}',
        ),
    )
    netrc: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "Credentials of a private index or of private git, for the build alone, and of the repository that "
            "`app.source` names: the text of a `.netrc`.",
            "`dependencies.netrc: true`",
            lambda it: it.dependencies.netrc,
            example="machine HOST login USER password TOKEN",
        ),
    )
    tls_certificate: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The certificate of the domain with its chain, in PEM.",
            "`kubernetes.tls: secret`",
            lambda it: it.kubernetes.tls is TlsFrom.SECRET,
            example="< certificate.pem",
        ),
    )
    tls_key: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The private key of that certificate, in PEM.",
            "`kubernetes.tls: secret`",
            lambda it: it.kubernetes.tls is TlsFrom.SECRET,
            example="< key.pem",
        ),
    )
    basic_auth_password: pulumi.Output[str] | None = field(
        default=None,
        metadata=_about(
            "The password of who may see the site.",
            "`edge.basic_auth` names a user",
            lambda it: it.edge.basic_auth is not None,
        ),
    )
    own: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Those that templates of the project name, whatever else they are for."""


_FIELDS = {each.name: each.metadata for each in fields(Secrets) if each.metadata}
DESCRIPTIONS: dict[str, str] = {name: each["description"] for name, each in _FIELDS.items()}
WHEN: dict[str, str] = {name: each["when"] for name, each in _FIELDS.items()}
"""For which settings each is needed, in words."""
NAMES = tuple(DESCRIPTIONS)
GIVEN = tuple(name for name, each in _FIELDS.items() if each.get("example"))
"""Those that nobody can make up: whoever runs the database, the registry or the domain knows them."""
USUAL = tuple(name for name in NAMES if name not in GIVEN and name != "basic_auth_password")
"""Those that a stack needs whose settings do not say otherwise."""


def own(settings: Settings) -> list[str]:
    """Name the secrets that the templates of the project and of services beside it ask for."""
    return sorted(_named(environment.texts(settings.app)) | of_services(settings))


def of_services(settings: Settings) -> set[str]:
    """Name the secrets that the templates of services ask for."""
    each = settings.services.values()
    return _named([text for service in each for text in [*environment.texts(service), service.url or ""]])


def _named(texts: list[str]) -> set[str]:
    found = {template.secret(name) for name in environment.names(texts)}
    return {name for name in found if name}


def needed(settings: Settings) -> list[str]:
    """Name the secrets that a stack with these settings needs."""
    ours = [name for name, each in _FIELDS.items() if each["needed"](settings)]
    return list(dict.fromkeys([*ours, *own(settings)]))


PASSWORD = "_password"  # noqa: S105 - the end of names
"""The end of the names of secrets that only a service and the app have to know."""


def is_made(name: str, settings: Settings | None = None) -> bool:
    """Whether a secret can be made up, and nobody has to give it: also the passwords of services, of settings that name them."""
    if name in NAMES:
        return name not in GIVEN
    return settings is not None and name.endswith(PASSWORD) and name in of_services(settings)


def load(settings: Settings) -> Secrets:
    """Read the secrets of the stack that is being deployed.

    Raises:
        SettingsError: with every one that is missing or is not encrypted.
    """
    stack = pulumi.get_stack()
    config = pulumi.Config(NAMESPACE)
    found = {}
    problems = []
    for name in needed(settings):
        try:
            found[name] = config.require_secret(name)
        except pulumi.ConfigMissingError:
            problems.append(missing(name, stack, settings))
            continue
        if not pulumi.runtime.is_config_secret(f"{NAMESPACE}:{name}"):
            problems.append(in_clear(name, stack))
    if problems:
        raise SettingsError(stack, problems)
    return Secrets(
        **{name: value for name, value in found.items() if name in NAMES},
        own={name: found[name] for name in own(settings)},
    )


def missing(name: str, stack: str, settings: Settings | None = None) -> Problem:
    """Say that a secret is not there; the settings say what may be made up."""
    return Problem(
        key=f"{NAMESPACE}:{name}",
        found="nothing",
        allowed="an encrypted value in the stack's file",
        mend=f"python -m pipeline secrets init {shlex.quote(stack)}" if is_made(name, settings) else give(name, stack),
    )


def give(name: str, stack: str) -> str:
    """Give the command that stores a secret which is known elsewhere."""
    command = f"pulumi config set --secret {NAMESPACE}:{name} --stack {shlex.quote(stack)}"
    if name not in _FIELDS:  # a value on the command line would stay in the history of the shell
        return f"{command}   # it asks for the value"
    example: str = _FIELDS[name]["example"]
    return f"{command} {example if example.startswith('<') else shlex.quote(example)}"


def in_clear(name: str, stack: str) -> Problem:
    """Say that a secret stands in clear in the stack's file."""
    return Problem(
        key=f"{NAMESPACE}:{name}",
        found="a value in clear (not shown)",
        allowed="an encrypted value; whoever could read the file knows this one, so make a new one",
        mend=f"pulumi config rm {NAMESPACE}:{name} --stack {shlex.quote(stack)} && {missing(name, stack).mend}",
    )
