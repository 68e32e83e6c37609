"""A project that reads everything from its environment and from files of its own, unmodified: tests/projects/environment."""

import hashlib
import json
import secrets
from collections.abc import Callable

import pytest

from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import ROOT, Site

PROJECT = ROOT / "tests/projects/environment"
APP = {
    "health_path": "/",
    "environment": {
        "SECRET_KEY": "${secrets.django_key}",
        "DATABASE_URL": "${database.url}",
        "CACHE_URL": "${redis.url/1}",
        "SESSION_URL": "${redis.url/2}",
        "HOSTS": "${domain} 127.0.0.1",
        "SITE": "${url}/shop",
        "TOKEN": "to'ken ${secrets.token}",
        "TOKEN_FILE": "${secrets.token.file}",
    },
    "files": {
        "/app/config/local.py": "MAIL = {'password': ${secrets.mail_password.json}}\n",
        "/etc/shop/shop.ini": "[payment]\nkey = ${secrets.token}-${database.password}\n",
    },
}

BEFORE, AFTER = "it's ", "\\"
"""What breaks whatever does not quote it."""


def digest(text: str) -> str:
    """What the project shows of a secret."""
    return hashlib.sha256(text.encode()).hexdigest()


def give(site: Site, name: str) -> str:
    """Store a secret of the project's own, as the message about a missing one says."""
    value = BEFORE + secrets.token_hex(12) + AFTER
    command = ("pulumi", "config", "set", "--secret", f"secrets:{name}", "--stack", site.stack, value)
    site.run(*command).good()
    return value


def facts(site: Site) -> dict[str, object]:
    """What the project shows of its settings."""
    page = site.ask()
    assert page.status == 200, page.text[:2000]
    found: dict[str, object] = json.loads(page.body)
    return found


def prove(site: Site) -> list[str]:
    """Bring the project up, and hold what it shows against what it was given; give every secret of it."""
    site.secrets()
    refused = site.up().bad()
    assert f"pulumi config set --secret secrets:token --stack {site.stack}   # it asks for the value" in refused.text
    token, mail = give(site, "token"), give(site, "mail_password")

    site.up().good()

    password = site.secret("postgres_password")
    found = facts(site)
    assert found.pop("site").endswith("/shop")  # type: ignore[attr-defined]  # text
    assert found == {
        "hosts": ["localhost", "127.0.0.1"],
        "user": "app",
        "key": digest(site.secret("django_key")),
        "token": digest(f"to'ken {token}"),
        "token file": digest(token),
        "mail": digest(mail),
        "ini": digest(f"{token}-{password}"),
    }
    # Whatever the text around it is written like, this part of it would be found.
    cores = [value.removeprefix(BEFORE).removesuffix(AFTER) for value in (token, mail)]
    return [*cores, password, site.secret("redis_password"), site.secret("django_key")]


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site]) -> None:
    """Each value arrives, none is found in clear, another secret rolls web, and a wrong name changes nothing."""
    site = make_site("environment", project=PROJECT, app=APP)
    values = prove(site)

    places = {
        str(path.relative_to(site.folder)): path.read_text(errors="replace")
        for folder in (site.state, site.root / ".slipway", site.root / "stacks")
        for path in folder.rglob("*")
        if path.is_file()
    }
    for each in site.containers():
        assert each.image is not None
        places[f"inspect {each.name}"] = json.dumps(each.attrs)
        places[f"log of {each.name}"] = each.logs().decode(errors="replace")
        places[f"history of {each.image.id}"] = json.dumps(each.image.history()) + json.dumps(each.image.attrs)
    assert not [name for name, text in places.items() for value in values if value in text]
    assert site.execute("redis", "redis-cli", "-n", "2", "dbsize", REDISCLI_AUTH=site.secret("redis_password")) != "0"

    before = site.running()
    site.set(app={**APP, "environment": {**APP["environment"], "X": "${domian}"}})  # type: ignore[dict-item]
    assert 'slipway:app.environment.X: found "${domian}", which means nothing' in site.up().bad().text
    assert site.running() == before
    site.set(app=APP)

    token = give(site, "token")
    site.up().good()
    assert facts(site)["token file"] == digest(token)
    kept = set(before) & set(site.running())
    assert not [name for name in kept if "-web-" in name]


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """The same file of a stack does the same there; no object but Secrets holds a value."""
    site = make_cluster_site("environment", project=PROJECT, app=APP)
    values = prove(site)

    kinds = ("pods", "deployments", "jobs", "configmaps")
    objects = json.dumps([site.cluster.all(kind, site.namespace) for kind in kinds])
    assert not [value for value in values if value in objects]
