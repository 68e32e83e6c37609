"""Texts in which names stand for what the stack knows."""

import ast
import json
import subprocess

import pytest
import yaml

from components import environment, template
from components.environment import Known
from tests.sample import settings

KNOWN = Known(
    plain={"domain": "shop.example.org"},
    database_url="postgresql://us%40er:p%2Fw@db.example.org:6432/sh%20op?sslmode=require",
    redis_url="rediss://:p%20w@cache.example.org",
    secrets={"dsn": "hush"},
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain $HOME 5$ {x} $$", []),
        ("${domain}/${domain}${url}", ["domain", "url"]),
        ("$${domain} $${a ${url}", ["url"]),
        ("${domain", ["${domain"]),
        ("${a\n}", ["${a"]),
        ("${}", [""]),
    ],
)
def test_names_in_a_text(text: str, names: list[str]) -> None:
    """Each is given once; what is not closed shows, and what is doubled is meant as it is."""
    assert template.references(text) == names


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$HOME $${HOME} 5$", "$HOME ${HOME} 5$"),
        ("https://${domain}/", "https://shop.example.org/"),
        ("${secrets.dsn} ${secrets.dsn.file}", "hush /run/secrets/secrets.dsn"),
        ("${database.host}:${database.port}", "db.example.org:6432"),
        ("${database.user} ${database.password} ${database.name}", "us@er p/w sh op"),
        ("${database.url}", KNOWN.database_url),
        ("${redis.host} ${redis.port} ${redis.password}", "cache.example.org 6379 p w"),
        ("${redis.url} ${redis.url/7}", "rediss://:p%20w@cache.example.org rediss://:p%20w@cache.example.org/7"),
        ("${secrets.dsn.json} ${redis.password.json}", '"hush" "p w"'),
        ("${secrets.dsn.json.file}", "/run/secrets/secrets.dsn.json"),
        ("${redis.url/7.file}", "/run/secrets/redis.url-7"),
    ],
)
def test_a_text_is_filled(text: str, filled: str) -> None:
    """Parts are taken out of addresses, whoever runs the servers."""
    assert all(template.is_known(name) for name in template.references(text))
    assert template.fill(text, KNOWN.value) == filled


@pytest.mark.parametrize("value", ["it's", 'a"b', "a\nb", "\\", "ü😀", "'; import os; '"])
def test_a_quoted_text_is_the_same_everywhere(value: str) -> None:
    """Python, YAML and JSON read the value that was given, whatever is in it."""
    known = Known(plain={}, secrets={"a": value})
    text = known.value("secrets.a.json")

    assert ast.literal_eval(text) == yaml.safe_load(text) == json.loads(text) == value


@pytest.mark.parametrize(
    ("name", "known", "secret"),
    [
        ("database.host", Known(plain={}, database_url="postgresql://me:hu/sh@host/db"), "database_url"),
        ("redis.url/1", Known(plain={}, redis_url="redis://:hu[sh@host"), "redis_url"),
    ],
)
def test_an_address_that_cannot_be_read(name: str, known: Known, secret: str) -> None:
    """The error says which secret it is and how to write it, and nothing of the password."""
    with pytest.raises(environment.AddressError) as error:
        known.value(name)

    assert str(error.value) == (
        f"secrets:{secret}: found an address that cannot be read (not shown)\n"
        "  allowed: SCHEME://USER:PASSWORD@HOST:PORT/NAME, in user and password %XX for all but letters, digits and ._~-\n"
        f"  mend:    pulumi config set --secret secrets:{secret} --stack STACK"
    )
    assert error.value.__cause__ is None


def test_the_database_as_json() -> None:
    """It is what Django's DATABASES wants."""
    assert json.loads(KNOWN.value("database.json")) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "sh op",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example.org",
        "PORT": "6432",
    }


@pytest.mark.parametrize(
    "name", ["domains", "database", "database.uri", "redis.url/16", "redis.name", "secrets.", "x.file"]
)
def test_a_name_that_is_none(name: str) -> None:
    """What is near a name is none."""
    assert not template.is_known(name)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("x", True),
        ("${domain}", True),
        ("${database.url.file}", True),
        ("${database.host}", False),
        ("${secrets.a}", False),
    ],
)
def test_what_everybody_may_see(text: str, plain: bool) -> None:  # noqa: FBT001 - expected value
    """A path may be seen; what comes from the database, the cache or a secret may not."""
    assert template.is_plain(text) is plain


def test_a_shell_reads_any_value() -> None:
    """Quotes, dollars, newlines and backslashes arrive as they are."""
    value = 'it\'s "$HOME" `date`\n\\n; #ü\t'
    app = settings({"app": {"environment": {"A": "${secrets.a}", "B": "b${secrets.a}"}}}).app
    lines = environment.contents(app, Known(plain={}, secrets={"a": value}))["environment"]

    script = f"set -a; {lines} set +a; exec env -0"
    done = subprocess.run(["sh", "-c", script], env={}, capture_output=True, check=True, timeout=10)

    found = dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry)
    assert (found["A"], found["B"]) == (value, f"b{value}")


def test_files_that_are_not_linked() -> None:
    """What lies in the folder of the secret files needs no link; everything else has a name of its own there."""
    app = settings({"app": {"files": {"/run/secrets/a.ini": "x", "/etc/shop/a.ini": "y", "/app/a.ini": "z"}}}).app

    assert list(environment.links(app)) == ["/app/a.ini", "/etc/shop/a.ini"]
    assert len(set(environment.files(app))) == 3
    assert "a.ini" in environment.files(app)
