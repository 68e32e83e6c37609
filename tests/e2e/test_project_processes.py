"""A project with everything that runs beside a page: tests/projects/processes."""

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.cluster import wait
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import ROOT, Site

PROJECT = ROOT / "tests/projects/processes"
APP = {
    "settings_module": "shop.settings",
    "health_path": "/health",
    "environment": {
        "SECRET_KEY": "${secrets.django_key}",
        "DATABASE": "${database.json}",
        "BROKER_URL": "${redis.url/0}",
        "RQ_REDIS_URL": "${redis.url/1}",
        "CHANNELS_URL": "${redis.url/2}",
        "DJANGO_SUPERUSER_USERNAME": "ada",
        "DJANGO_SUPERUSER_EMAIL": "ada@example.org",
        "DJANGO_SUPERUSER_PASSWORD": "${secrets.admin_password}",
    },
}
SMALL = {"resources": {"memory_mb": 128, "cpus": 0.5}, "stop_grace_seconds": 10}
CELERY = "celery --app shop.celery"
PROCESSES: dict[str, Any] = {
    "celery": {
        "command": f"{CELERY} worker --concurrency 1",
        "health_command": f"{CELERY} inspect ping --timeout 10",
        "startup_seconds": 120,
        "resources": {"memory_mb": 256, "cpus": 1},
        "stop_grace_seconds": 10,
    },
    "beat": {"command": f"{CELERY} beat", "singleton": True, **SMALL},
    "rq": {"command": "rq worker", **SMALL},
    "channels": {"command": "python manage.py runworker marks", **SMALL},
    "loop": {"command": "python manage.py leave loop --every 1", **SMALL},
    "clock": {"command": "python manage.py leave clock", "schedule": "* * * * *", **SMALL},
}
RELEASE = {
    "commands": ["python manage.py leave release", "python manage.py check --database default"],
    "once": {"superuser": "python manage.py createsuperuser --noinput", "seed": "python manage.py leave seed"},
}
FIRST: dict[str, Any] = {
    "app": APP,
    "web": {"server": "gunicorn_asgi"},
    # The page is red until the clock has run, and that is nothing to wait for.
    "health": {"check": "tcp"},
    "processes": PROCESSES,
    "release": RELEASE,
}
LATER: dict[str, Any] = {
    **FIRST,
    "web": {"server": "uvicorn"},
    "health": {"status": "200", "startup_path": "/"},
}


def facts(site: Site) -> dict[str, Any]:
    """What the project shows."""
    page = site.ask()
    assert page.status == 200, page.text[:2000]
    found: dict[str, Any] = json.loads(page.body)
    return found


def begin(site: Site) -> None:
    """Bring it up with a page that is red, let every process work, and see that the page is green then."""
    site.secrets()
    site.run(
        *("pulumi", "config", "set", "--secret", "secrets:admin_password", "--stack", site.stack),
        secrets.token_hex(8),
    ).good()
    site.up().good()

    assert site.ask("/order").text == "ordered"
    workers = {"celery", "rq", "channels", "beat", "loop", "clock"}
    wait("every process has left its mark", lambda: workers <= set(facts(site)["marks"]), 150)
    found = facts(site)
    assert found["asgi"] is True
    assert found["servers"] == ["uvicorn", "gunicorn"]
    assert found["users"] == ["ada"]
    assert (found["marks"]["release"], found["marks"]["seed"]) == (1, 1)
    assert {name: found["marks"][name] for name in ("celery", "rq", "channels")} == dict.fromkeys(
        ("celery", "rq", "channels"), 1
    )
    assert (site.ask("/health").status, site.ask("/health").text) == (200, "imported")


def go_on(site: Site) -> None:
    """Another server and another check are another release: commands run again, what runs once does not."""
    site.set(**LATER)
    site.up().good()

    found = facts(site)
    assert found["asgi"] is True
    assert found["servers"] == ["uvicorn"]
    assert found["users"] == ["ada"]
    assert found["marks"]["release"] == 2
    assert found["marks"]["seed"] == 1


@contextmanager
def counted(site: Site, component: str) -> Iterator[Counter[int]]:
    """Count how many of a component run at each moment."""
    seen: Counter[int] = Counter()
    stopped = threading.Event()
    labels = {"label": [f"slipway.stack={site.stack}", f"slipway.component={component}"]}

    def look() -> None:
        while not stopped.wait(0.05):
            seen[len(site.daemon.api.containers(filters=labels))] += 1

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        thread.join(10)


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site]) -> None:
    """Every process works, there is never a second clock, and each failure names its setting while the release serves."""
    site = make_site("jobs", project=PROJECT, **FIRST)
    begin(site)
    with counted(site, "process-beat") as beats, counted(site, "process-clock") as clocks:
        go_on(site)
    assert max(beats) == max(clocks) == 1
    assert site.container("web").attrs["State"]["Health"]["Status"] == "healthy"
    version = site.container("web").id

    site.set(**{**LATER, "release": {**RELEASE, "commands": ["python manage.py nonsense"]}})
    said = site.up().bad().text
    assert (
        "the release command failed with exit code 1 (slipway:release.commands): python manage.py nonsense" in said
    ), said

    site.set(**{**LATER, "web": {"server": "daphne", "startup_seconds": 15}, "health": {"status": "201"}})
    said = site.up().bad().text
    assert f"pulumi config set --path 'slipway:app.health_path' /PATH --stack {site.stack}" in said, said
    assert f"pulumi config set --path 'slipway:web.startup_seconds' 120 --stack {site.stack}" in said, said
    assert "its last health check said: 200 OK" in said
    assert facts(site)["servers"] == ["uvicorn"]
    assert version in {each.id for each in site.containers("web") if each.status == "running"}

    site.set(**{**LATER, "web": {"server": "daphne"}})
    site.up().good()
    assert facts(site)["servers"] == ["daphne"]


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """The same settings do the same there: a CronJob, a StatefulSet for what there is one of, probes of every kind."""
    site = make_cluster_site("jobs", project=PROJECT, **FIRST)
    begin(site)
    jobs = site.cluster.all("cronjobs", site.namespace)
    assert [job["metadata"]["name"] for job in jobs] == ["process-clock"]
    assert [each["metadata"]["name"] for each in site.cluster.all("statefulsets", site.namespace)] == [
        *("postgres", "process-beat", "redis"),
    ]
    go_on(site)
