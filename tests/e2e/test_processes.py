"""Processes beside web, and datastores of somebody else, on a Docker host."""

import secrets
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import docker
import pytest

from tests.e2e.site import RUN, Site, free_port, multipart

pytestmark = pytest.mark.docker

WORKS = (
    "import django, time; django.setup(); from guestbook.models import Entry; "
    "Entry.objects.create(name='Worker', message='from a process'); time.sleep(1e6)"
)
CRASHES = "import time; print('the queue is gone'); time.sleep(1); raise SystemExit(3)"


def worker(script: str) -> dict[str, object]:
    """Settings of a process that runs a script."""
    return {"worker": {"command": ["python", "-c", script], "resources": {"memory_mb": 128}}}


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    """A stack with a worker that is up."""
    site = make_site("processes", processes=worker(WORKS)).secrets()
    site.up().good()
    return site


def test_a_process_has_what_the_app_has(site: Site) -> None:
    """It runs with the settings, the secrets and the database of the release."""
    [running] = site.containers("process-worker")

    assert running.status == "running"
    assert running.labels["slipway.release"] == site.version()["release"]
    assert site.sql("select count(*) from guestbook_entry where name = 'Worker'") == ["1"]
    assert site.pipeline("preview", site.stack).good().text.count("process-worker") == 0


def test_a_process_that_does_not_stay_up_stops_the_release(site: Site) -> None:
    """The old one goes on, and so do the pages; the reason is named; the next good release cleans up."""
    [before] = site.containers("process-worker")
    version = site.version()
    site.set_version("2.0.0")
    site.set(processes=worker(CRASHES))

    failed = site.up().bad()

    assert "process-worker" in failed.text
    assert "; it said:\n      the queue is gone" in failed.text
    assert site.version() == version
    assert before.id in {each.id for each in site.containers("process-worker") if each.status == "running"}

    site.set(processes=worker(WORKS))
    site.up().good()
    assert site.version()["version"] == "2.0.0"
    [after] = site.containers("process-worker")
    assert (after.status, after.id != before.id) == ("running", True)


def test_a_process_that_is_no_longer_named_is_gone(site: Site) -> None:
    """Taking it out of the settings takes it away."""
    site.set(processes={})
    site.up().good()

    assert site.containers("process-worker") == []


# Datastores of somebody else -----------------------------------------------------------------------------------------


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    """A database and a cache on this machine that no stack knows, and their addresses."""
    client = docker.from_env()
    # Until Docker is started for the second time, it names the subnet of its own network and not the gateway.
    subnet = ip_network(client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"])
    gateway = str(next(subnet.hosts()))
    password, ports = secrets.token_hex(8), (free_port(), free_port())
    label = {"slipway.stack": f"e2e-{RUN}-servers"}
    made = []
    try:
        for image, command, environment in (
            (
                "postgres:17",
                ["postgres", "-c", f"listen_addresses={gateway}", "-c", f"port={ports[0]}"],
                {"POSTGRES_PASSWORD": password, "POSTGRES_DB": "theirs"},
            ),
            (
                "redis:8.0",
                ["redis-server", "--bind", gateway, "--port", str(ports[1]), "--requirepass", password],
                {},
            ),
        ):
            made.append(
                client.containers.run(
                    image, command, environment=environment, network_mode="host", labels=label, detach=True
                )
            )
        for _ in range(60):
            if made[0].exec_run(["pg_isready", "-h", gateway, "-p", str(ports[0])]).exit_code == 0:
                break
            time.sleep(1)
        yield {
            "database_url": f"postgresql://postgres:{password}@{gateway}:{ports[0]}/theirs",
            "redis_url": f"redis://:{password}@{gateway}:{ports[1]}/0",
        }
    finally:
        for each in made:
            each.remove(force=True, v=True)
        client.close()


def test_servers_of_somebody_else(make_site: Callable[..., Site], servers: dict[str, str]) -> None:
    """Without their addresses nothing happens but one clear error; with them there is no server of ours."""
    site = make_site("external", postgres={"provider": "external"}, redis={"provider": "external"})
    said = site.pipeline("secrets", "init", site.stack).good().text
    assert "secrets:database_url         still to be given" in said
    missing = site.up().bad().text
    assert f"pulumi config set --secret secrets:redis_url --stack {site.stack} redis://:PASSWORD@HOST:6379/0" in missing
    assert site.things() == []

    for name, url in servers.items():
        site.pulumi("config", "set", "--secret", f"secrets:{name}", url)
    site.up().good()

    cookie, token = site.form()
    body, headers = multipart({"csrfmiddlewaretoken": token, "name": "Ada", "message": "row-0815"}, {})
    assert site.ask("/", "POST", body, {**headers, "Cookie": cookie}).status == 302
    assert "row-0815" in site.ask().text
    assert site.ask().number("visits") > 1
    assert {each.labels["slipway.component"] for each in site.containers()} == {
        "app-secrets",
        "migration",
        "static",
        "web",
        "edge",
        "switch",
    }
    state = site.pulumi("stack", "export")
    assert servers["database_url"] not in state
