"""What is declared of a container has a name and a text for each property, and a hash that the container carries."""

from typing import Any

import pytest

from components.docker import declaration as d
from components.tokens import SECRET, SIGNATURE
from tests.unit.harness import CONTAINER
from tests.unit.test_deployment import deployed

INPUTS: dict[str, Any] = {
    "image": "sha256:1",
    "command": ["sh", "-c", "a b"],
    "entrypoints": ["/entry"],
    "envs": ["A=1", "B=x=y"],
    "labels": [{"label": "slipway.component", "value": "web"}],
    "user": "10001:10001",
    "hostname": "mq",
    "stopSignal": "SIGINT",
    "readOnly": True,
    "init": True,
    "capabilities": {"drops": ["ALL"], "adds": ["CAP_CHOWN", "DAC_OVERRIDE"]},
    "securityOpts": ["no-new-privileges:true"],
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m"},
    "memory": 512,
    "memorySwap": 512,
    "cpus": "0.5",
    "shmSize": 128,
    "restart": "unless-stopped",
    "healthcheck": {"tests": ["CMD", "true"], "interval": "3s", "timeout": "6s", "startPeriod": "1m30s", "retries": 3},
    "mounts": [
        {"type": "volume", "source": "media", "target": "/app/media", "readOnly": False},
        {"type": "volume", "source": "hidden", "target": "/run/secrets", "readOnly": True},
        {"type": "tmpfs", "target": "/tmp", "tmpfsOptions": {"sizeBytes": 67108864, "mode": 1023}},  # noqa: S108 - in a container
    ],
    "networksAdvanced": [{"name": "edge"}],
    "networkMode": "bridge",
    "ports": [{"ip": "127.0.0.1", "external": 8080, "internal": 8080, "protocol": "tcp"}],
}

DESCRIBED = {
    "image": "sha256:1",
    "command": "sh -c 'a b'",
    "entrypoint": "/entry",
    "environment A": "1",
    "environment B": "x=y",
    "label slipway.component": "web",
    "user": "10001:10001",
    "hostname": "mq",
    "stop signal": "SIGINT",
    "read-only root": "yes",
    "init": "yes",
    "capabilities dropped": "ALL",
    "capabilities added": "CHOWN, DAC_OVERRIDE",
    "security options": "no-new-privileges:true",
    "log driver": "json-file",
    "log option max-size": "10m",
    "memory": "512 MiB",
    "memory with swap": "512 MiB",
    "CPUs": "0.5",
    "shared memory": "128 MiB",
    "restart policy": "unless-stopped",
    "health check": "CMD true",
    "health check interval": "3 s",
    "health check timeout": "6 s",
    "health check start period": "90 s",
    "health check retries": "3",
    "mount /app/media": "volume media, writable",
    "mount /run/secrets": "volume hidden, read-only",
    "mount /tmp": "64 MiB in memory, mode 1777",
    "network edge": "joined",
    "port 8080/tcp": "127.0.0.1:8080",
}


def test_each_property_has_a_name() -> None:
    """What is declared reads like this."""
    assert d.describe(INPUTS) == DESCRIBED


def test_what_is_encrypted_is_left_out() -> None:
    """The state holds a secret list as one secret value; nothing of it is guessed."""
    secret = {SIGNATURE: SECRET, "ciphertext": "v1:x"}

    assert not [name for name in d.describe({**INPUTS, "envs": secret}) if name.startswith("environment")]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"envs": ["A=2", "B=x=y"]}, False),
        ({"healthcheck": None}, False),
        ({"cpus": "1.0"}, False),
        ({"labels": [{"label": "slipway.component", "value": "other"}]}, False),
        ({"image": "sha256:2"}, True),
        ({"memory": 256, "memorySwap": 256}, True),
        ({"restart": "no"}, True),
        ({"envs": ["B=x=y", "A=1"]}, True),
        ({"labels": [*INPUTS["labels"], {"label": "slipway.declared", "value": "0"}]}, True),
        ({"mustRun": True, "wait": True, "name": "x"}, True),
    ],
)
def test_the_hash_holds_what_the_plugin_does_not_read_back(changed: dict[str, Any], same: bool) -> None:  # noqa: FBT001 - a parameter
    """What the plugin changes in a container that runs is no part of it: another hash is another container."""
    assert (d.fingerprint({**INPUTS, **changed}) == d.fingerprint(INPUTS)) is same


@pytest.mark.usefixtures("nothing_of_this_machine")
def test_every_container_carries_the_hash_of_what_is_registered() -> None:
    """The label says exactly what the plugin was given."""
    made = {each.name: each for each in deployed().of(CONTAINER) if not each.name.endswith("-secrets")}

    assert len(made) > 5
    assert {name: each.labels["slipway.declared"] for name, each in made.items()} == {
        name: d.fingerprint(each.inputs) for name, each in made.items()
    }
