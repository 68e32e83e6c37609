"""Secrets reach the program encrypted or not at all."""

import asyncio
from collections.abc import Callable, Iterator

import pulumi
import pytest

from components import secrets
from components.problems import Problem, SettingsError

SetConfig = Callable[[dict[str, str], list[str]], None]
GOOD = {f"secrets:{name}": f"value-of-{name}" for name in secrets.NAMES}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetConfig]:
    """Give a function that sets the configuration as Pulumi does."""
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    before = dict(pulumi.runtime.config.CONFIG.get())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield pulumi.runtime.set_all_config
    asyncio.set_event_loop(None)
    loop.close()
    pulumi.runtime.set_all_config(before, [])


def problems() -> tuple[Problem, ...]:
    """Give everything that is wrong."""
    with pytest.raises(SettingsError) as error:
        secrets.load()
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

    found = secrets.load()

    for name in secrets.NAMES:
        assert resolved(getattr(found, name)) == (f"value-of-{name}", True)


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
