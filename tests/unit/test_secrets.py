"""Secrets reach the program encrypted or not at all."""

import asyncio
from collections.abc import Callable, Iterator

import pulumi
import pytest

from components import secrets
from components.model import Settings
from components.problems import Problem, SettingsError
from tests.sample import settings as sample

SetConfig = Callable[[dict[str, str], list[str]], None]
USUAL = ("django_key", "postgres_password", "redis_password")
GOOD = {f"secrets:{name}": f"value-of-{name}" for name in USUAL}
CLUSTER = {"target": "kubernetes", "kubernetes": {"registry": "registry.example.org"}}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetConfig]:
    """Give a function that sets the configuration as Pulumi does."""
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    before = dict(pulumi.runtime.config.CONFIG.get())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield pulumi.runtime.set_all_config
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()
    pulumi.runtime.set_all_config(before, [])


def problems(settings: Settings | None = None) -> tuple[Problem, ...]:
    """Give everything that is wrong."""
    with pytest.raises(SettingsError) as error:
        secrets.load(settings or sample())
    assert "value-of" not in str(error.value)
    return error.value.problems


def resolved(output: pulumi.Output[str]) -> tuple[str | None, bool]:
    """Give the value of an output, and whether it is secret."""
    loop = asyncio.get_event_loop()
    return loop.run_until_complete(asyncio.ensure_future(output.future(), loop=loop)), loop.run_until_complete(
        asyncio.ensure_future(output.is_secret(), loop=loop)
    )


def test_every_secret_is_read_as_one(config: SetConfig) -> None:
    """Each value arrives, marked as secret."""
    config(GOOD, list(GOOD))

    found = secrets.load(sample())

    for name in USUAL:
        assert resolved(getattr(found, name)) == (f"value-of-{name}", True)
    assert {getattr(found, name) for name in set(secrets.NAMES) - set(USUAL)} == {None}


def test_all_missing_ones_are_named_at_once(config: SetConfig) -> None:
    """A missing secret is named with the command that makes it."""
    config({"secrets:django_key": GOOD["secrets:django_key"]}, ["secrets:django_key"])

    assert problems() == tuple(
        Problem(
            key=f"secrets:{name}",
            found="nothing",
            allowed="an encrypted value in the stack's file",
            mend="python -m pipeline secrets init dev",
        )
        for name in ("postgres_password", "redis_password")
    )


def test_a_secret_in_clear_is_refused(config: SetConfig) -> None:
    """What stands in clear in a file is no secret any more, and is not shown."""
    config(GOOD, ["secrets:django_key", "secrets:redis_password"])

    assert problems() == (
        Problem(
            key="secrets:postgres_password",
            found="a value in clear (not shown)",
            allowed="an encrypted value; whoever could read the file knows this one, so make a new one",
            mend="pulumi config rm secrets:postgres_password --stack dev && python -m pipeline secrets init dev",
        ),
    )


def test_each_secret_is_described() -> None:
    """The reference page has a sentence for each."""
    assert all(secrets.DESCRIPTIONS[name].endswith(".") for name in secrets.NAMES)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({}, USUAL),
        ({"postgres": {"provider": "external"}}, ("django_key", "redis_password", "database_url")),
        ({"redis": {"provider": "external"}}, ("django_key", "postgres_password", "redis_url")),
        ({"dependencies": {"netrc": True}}, (*USUAL, "netrc")),
        ({**CLUSTER, "postgres": {"provider": "cloudnative-pg"}}, USUAL),
        (
            {
                "target": "kubernetes",
                "kubernetes": {"registry": "a.b", "pull_secret": True, "expose": "ingress", "tls": "secret"},
            },
            (*USUAL, "registry_auth", "tls_certificate", "tls_key"),
        ),
    ],
)
def test_settings_ask_for_secrets(said: dict[str, object], names: tuple[str, ...]) -> None:
    """A server of ours has a password of ours; what belongs to somebody else is asked for where settings need it."""
    assert tuple(secrets.needed(sample(said))) == names


TEMPLATES = {
    "app": {
        "environment": {"DSN": "${secrets.sentry_dsn}", "KEY": "${secrets.django_key}"},
        "files": {"/app/x.ini": "${secrets.mail_password.file}"},
    }
}


def test_templates_ask_for_secrets(config: SetConfig) -> None:
    """A secret of the project's own is read as one, and given by name; one of ours may be named as well."""
    given = {**GOOD, "secrets:sentry_dsn": "value-of-dsn", "secrets:mail_password": "value-of-mail"}
    config(given, list(given))

    found = secrets.load(sample(TEMPLATES))

    assert {name: resolved(value) for name, value in found.own.items()} == {
        "django_key": ("value-of-django_key", True),
        "mail_password": ("value-of-mail", True),
        "sentry_dsn": ("value-of-dsn", True),
    }
    assert secrets.needed(sample(TEMPLATES)) == [*USUAL, "mail_password", "sentry_dsn"]
    assert not secrets.is_made("sentry_dsn")


def test_a_secret_of_the_projects_own_is_given(config: SetConfig) -> None:
    """All that are missing are named at once, each with the command that stores it."""
    config(GOOD, list(GOOD))

    assert [(each.key, each.mend) for each in problems(sample(TEMPLATES))] == [
        (f"secrets:{name}", f"pulumi config set --secret secrets:{name} --stack dev   # it asks for the value")
        for name in ("mail_password", "sentry_dsn")
    ]


def test_what_is_not_asked_for_is_not_read(config: SetConfig) -> None:
    """A secret that no setting asks for may be there, and changes nothing."""
    given = {
        "secrets:django_key": "value-of-key",
        "secrets:database_url": "value-of-1",
        "secrets:redis_url": "value-of-2",
    }
    config({**given, "secrets:redis_password": "value-of-3"}, [*given, "secrets:redis_password"])

    found = secrets.load(sample({"postgres": {"provider": "external"}, "redis": {"provider": "external"}}))

    assert found.database_url is not None
    assert resolved(found.database_url) == ("value-of-1", True)
    assert found.redis_password is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://USER:PASSWORD@HOST:5432/NAME"),
        ("redis_url", "redis://:PASSWORD@HOST:6379/0"),
        ("registry_auth", '\'{"auths": {"REGISTRY": {"auth": "BASE64"}}}\''),
        ("tls_certificate", "< certificate.pem"),
        ("tls_key", "< key.pem"),
    ],
)
def test_what_must_be_given_is_not_made(name: str, value: str) -> None:
    """The command that mends it stores what somebody else knows."""
    assert secrets.missing(name, "prod") == Problem(
        key=f"secrets:{name}",
        found="nothing",
        allowed="an encrypted value in the stack's file",
        mend=f"pulumi config set --secret secrets:{name} --stack prod {value}",
    )


def test_a_secret_of_somebody_else_in_clear(config: SetConfig) -> None:
    """It is taken away and given again."""
    config({**GOOD, "secrets:database_url": "value-of-1"}, list(GOOD))

    (only,) = problems(sample({"postgres": {"provider": "external"}}))

    assert only.mend == (
        "pulumi config rm secrets:database_url --stack dev && pulumi config set --secret secrets:database_url "
        "--stack dev postgresql://USER:PASSWORD@HOST:5432/NAME"
    )
