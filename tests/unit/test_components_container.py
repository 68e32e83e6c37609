"""Every container is hardened and limited, and written so that an unchanged one is no change for the plugin."""

from dataclasses import replace

import pytest
from pulumi import ResourceOptions

from components.docker.container import Container, Health, Mount, Port, cores, create, duration
from components.model import Resources
from tests.unit.harness import CONTAINER, Registered, run

PLAIN = Container(
    image="sha256:1",
    labels={"b": "2", "a": "1"},
    user="10001:10001",
    resources=Resources(memory_mb=256, cpus=0.5),
    networks=["inside"],
    stop_grace_seconds=35,
)

HARDENED = {
    "readOnly": True,
    "capabilities": {"drops": ["ALL"]},
    "securityOpts": ["no-new-privileges:true"],
    "user": "10001:10001",
    "memory": 256,
    "memorySwap": 256,
    "cpus": "0.5",
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m", "max-file": "3"},
    "init": True,
    "destroyGraceSeconds": 35,
    "networksAdvanced": [{"name": "inside"}],
    "mounts": [{"type": "tmpfs", "target": "/tmp", "tmpfsOptions": {"sizeBytes": 67108864, "mode": 1023}}],  # noqa: S108 - in a container
    "labels": [
        {"label": "a", "value": "1"},
        {"label": "b", "value": "2"},
        {"label": "slipway.declared", "value": "87e74f0134c43756"},
    ],
    "image": "sha256:1",
    "envs": [],
}


def made(spec: Container) -> Registered:
    """Give what is registered for a container."""
    return run(lambda: create("it", spec, ResourceOptions()).id).one(CONTAINER)


def test_what_serves() -> None:
    """One that serves restarts by itself, is not waited for without a health check, and makes room beside the old one."""
    container = made(PLAIN)

    assert container.inputs == {
        **HARDENED,
        "restart": "unless-stopped",
        "mustRun": True,
        "attach": False,
        "logs": False,
        "wait": False,
    }
    assert container.deletes_first is False
    assert container.replace_on_changes == [
        "#initerror",
        "healthcheck",
        "init",
        "tmpfs",
        "rm",
        "cpuPeriod",
        "cpuQuota",
    ]


def test_what_runs_once() -> None:
    """One that runs once is attached, read, and never started again by Docker."""
    assert made(replace(PLAIN, once=True)).inputs == {
        **HARDENED,
        "restart": "no",
        "mustRun": False,
        "attach": True,
        "logs": True,
        "wait": False,
    }


def test_a_fixed_name_is_deleted_first() -> None:
    """Two containers cannot have one name, so the old one goes before the new one comes."""
    container = made(replace(PLAIN, name="the-one"))

    assert container.inputs["name"] == "the-one"
    assert container.deletes_first is True


def test_health_is_waited_for() -> None:
    """A health check is written as Docker reports it, and waited for as long as the start may take."""
    container = made(replace(PLAIN, health=Health(command=["true"], startup_seconds=90)))

    assert container.inputs["healthcheck"] == {
        "tests": ["CMD", "true"],
        "interval": "3s",
        "timeout": "6s",
        "startPeriod": "1m30s",
        "retries": 3,
    }
    assert container.inputs["wait"] is True
    assert container.inputs["waitTimeout"] == 90


def test_without_a_network_there_is_none() -> None:
    """A container that joins no network of ours joins none, not the one of Docker that has a way out."""
    container = made(replace(PLAIN, networks=[]))

    assert container.inputs["networkMode"] == "none"
    assert "networksAdvanced" not in container.inputs


def test_mounts_and_port() -> None:
    """Volumes are read-only unless they are said to be writable; a port has its address."""
    container = made(
        replace(
            PLAIN,
            mounts=[Mount(volume="a", target="/a"), Mount(volume="b", target="/b", writable=True)],
            memory_mounts={"/run": 1},
            port=Port(address="127.0.0.1", external=8080, internal=80),
        )
    )

    assert container.mounts == {"/a": ("a", False), "/b": ("b", True), "/run": (None, True)}
    assert container.inputs["ports"] == [{"ip": "127.0.0.1", "external": 8080, "internal": 80, "protocol": "tcp"}]


def test_environment_is_sorted() -> None:
    """The order in which variables are said is no change."""
    assert made(replace(PLAIN, environment={"B": "2", "A": "x=1"})).inputs["envs"] == ["A=x=1", "B=2"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (5, "5s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (3725, "1h2m5s")],
)
def test_duration(seconds: int, text: str) -> None:
    """Durations are spelled as Go spells them."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("cpus", "text"), [(1, "1.0"), (2, "2.0"), (0.5, "0.5"), (0.25, "0.25"), (10, "10."), (10.05, "10.05")]
)
def test_cores(cpus: float, text: str) -> None:
    """CPUs are spelled as the plugin reads them back from the daemon."""
    assert cores(cpus) == text
