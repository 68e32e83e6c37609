"""A project without Postgres and Redis: MariaDB, memcached and RabbitMQ beside it, unmodified: tests/projects/services."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import ROOT, Site
from tools.airgap import service_images

PROJECT = ROOT / "tests/projects/services"
APP = {
    "health_path": "/",
    "environment": {
        "DATABASE_URL": "${services.mariadb.url}",
        "MEMCACHED": "${services.memcached.host}:${services.memcached.port}",
        "BROKER_URL": "${services.rabbitmq.url}",
    },
}
MARIADB: dict[str, Any] = {
    "image": "mariadb:11",
    "environment": {
        "MARIADB_DATABASE": "shop",
        "MARIADB_USER": "shop",
        "MARIADB_PASSWORD_FILE": "${secrets.mariadb_password.file}",
        "MARIADB_ROOT_PASSWORD_FILE": "${secrets.mariadb_root_password.file}",
    },
    "files": {"/etc/mysql/conf.d/shop.cnf": "[mariadbd]\ninnodb_buffer_pool_size = 24M\n"},
    "user": 999,
    "writable": "/run/mysqld",
    "volumes": {"data": "/var/lib/mysql"},
    "port": 3306,
    "resources": {"memory_mb": 256, "cpus": 0.5},
    "url": "mysql://shop:${secrets.mariadb_password}@${host}:${port}/shop",
}
MEMCACHED: dict[str, Any] = {
    "image": "memcached:1.6",
    "command": "-m 32",
    "user": 11211,
    "port": 11211,
    "startup_seconds": 20,
    "resources": {"memory_mb": 64, "cpus": 0.1},
}
RABBITMQ: dict[str, Any] = {
    "image": "rabbitmq:4",
    "entrypoint": "docker-entrypoint.sh",
    "command": "rabbitmq-server",
    "environment": {"RABBITMQ_DEFAULT_USER": "shop", "RABBITMQ_DEFAULT_PASS": "${secrets.rabbitmq_password}"},
    "user": 999,
    "volumes": {"data": "/var/lib/rabbitmq"},
    "port": 5672,
    "health_command": ["rabbitmq-diagnostics", "-q", "check_port_connectivity"],
    "startup_seconds": 120,
    "resources": {"memory_mb": 384, "cpus": 1.0},
    "url": "amqp://shop:${secrets.rabbitmq_password}@${host}:${port}/",
}
SETTINGS: dict[str, Any] = {
    "app": APP,
    "postgres": {"provider": "none"},
    "redis": {"provider": "none"},
    "services": {"mariadb": MARIADB, "memcached": MEMCACHED, "rabbitmq": RABBITMQ},
    "processes": {
        "worker": {
            "command": "celery --app config worker --pool solo --without-gossip --without-mingle --loglevel info"
        }
    },
}
PASSWORDS = ("mariadb_password", "mariadb_root_password", "rabbitmq_password")
ORDER_SECONDS = 30


def facts(site: Site) -> dict[str, Any]:
    """What the project knows of its services."""
    page = site.ask()
    assert page.status == 200, page.text[:2000]
    found: dict[str, Any] = json.loads(page.body)
    return found


def order(site: Site, name: str) -> None:
    """Give the worker something to do, and wait until it has done it."""
    assert site.ask("/order", "POST", name.encode()).status == 202
    limit = time.monotonic() + ORDER_SECONDS
    while name not in facts(site)["orders"]:
        assert time.monotonic() < limit, f"{name} was not taken within {ORDER_SECONDS} s"
        time.sleep(0.2)


def prove(site: Site) -> list[str]:
    """Bring the project up, and see it use each of its services; give every password of them."""
    service_images.ensure(print)
    made = site.pipeline("secrets", "init", site.stack).good()
    for name in PASSWORDS:
        assert f"secrets:{name:<20} made" in made.text
    site.up().good()

    first, second = facts(site), facts(site)
    assert "MariaDB" in first["version"]
    assert first["buffer"] == 24 * 1024 * 1024
    assert second["seen"] == first["seen"] + 1
    order(site, "a lamp")
    return [site.secret(name) for name in PASSWORDS]


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site]) -> None:
    """Each service is asked by nobody else, a change replaces it alone, its data stays, and a broken one says why."""
    site = make_site("services", project=PROJECT, **SETTINGS)
    values = prove(site)

    components = {each.labels["slipway.component"] for each in site.containers()}
    assert not components & {"postgres", "redis"}
    networks = {
        name: sorted(each.attrs["NetworkSettings"]["Networks"])
        for name in ("mariadb", "memcached", "rabbitmq")
        for each in [site.container(f"service-{name}")]
    }
    assert networks == {name: [f"e2e-{site.stack}-internal"] for name in networks}

    # No password is found in what Docker tells, in what anything logged, or in the state.
    places = {
        str(path.relative_to(site.folder)): path.read_text(errors="replace")
        for folder in (site.state, site.root / ".slipway", site.root / "stacks")
        for path in folder.rglob("*")
        if path.is_file()
    }
    for each in site.containers():
        places[f"inspect {each.name}"] = json.dumps(each.attrs)
        places[f"log of {each.name}"] = each.logs().decode(errors="replace")
    assert not [name for name, text in places.items() for value in values if value in text]

    # Nothing changed, nothing restarted.
    before = site.running()
    assert "create" not in site.up().good().text.lower().rpartition("resources:")[2]
    assert site.running() == before

    # Another setting replaces that service alone, and the data of another is found again.
    other = {**MARIADB, "files": {"/etc/mysql/conf.d/shop.cnf": "[mariadbd]\ninnodb_buffer_pool_size = 32M\n"}}
    site.set(**{**SETTINGS, "services": {**SETTINGS["services"], "mariadb": other}})
    site.up().good()
    now = site.running()
    changed = {name for name in now if now[name] != before.get(name)}
    assert {name for name in changed if "-files-" not in name} == {f"e2e-{site.stack}-service-mariadb"}
    assert facts(site)["buffer"] == 32 * 1024 * 1024
    assert facts(site)["orders"] == ["a lamp"]
    order(site, "a chair")

    doctor = site.pipeline("doctor", site.stack).good()
    assert f"e2e-{site.stack}-service-rabbitmq runs, healthy" in doctor.text

    # A service that does not start names its settings and says why; web goes on.
    broken = {**MEMCACHED, "command": "--no-such-option", "startup_seconds": 10}
    site.set(**{**SETTINGS, "services": {"mariadb": other, "rabbitmq": RABBITMQ, "memcached": broken}})
    refused = site.up().bad()
    assert "slipway:services.memcached: the service " in refused.text
    assert "no-such-option" in refused.text
    assert site.container("web").status == "running"
    site.set(**{**SETTINGS, "services": {**SETTINGS["services"], "mariadb": other}})
    site.up().good()
    assert facts(site)["orders"] == ["a lamp", "a chair"]

    site.set(**{**SETTINGS, "app": {**APP, "environment": {**APP["environment"], "X": "${services.rabitmq.url}"}}})  # type: ignore[dict-item]
    refused = site.up().bad()
    assert 'slipway:app.environment.X: found "${services.rabitmq.url}", and there is no service rabitmq' in refused.text
    assert "probably ${services.rabbitmq.url}" in refused.text


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """The same file of a stack does the same there; no object but Secrets holds a password."""
    sized = {name: {**each, "size_gb": 1} if "volumes" in each else each for name, each in SETTINGS["services"].items()}
    site = make_cluster_site("services", project=PROJECT, **{**SETTINGS, "services": sized})
    values = prove(site)

    assert {each["metadata"]["name"] for each in site.cluster.all("statefulsets", site.namespace)} == {
        "service-mariadb",
        "service-memcached",
        "service-rabbitmq",
    }
    kinds = ("pods", "deployments", "statefulsets", "jobs", "configmaps")
    objects = json.dumps([site.cluster.all(kind, site.namespace) for kind in kinds])
    assert not [value for value in values if value in objects]
