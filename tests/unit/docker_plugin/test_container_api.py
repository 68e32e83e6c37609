"""A container's inputs as Docker's API takes them. No daemon."""

import io
import tarfile
from typing import Any

import pytest

from tools.airgap.docker_plugin.container_api import duration, nanoseconds, processors, request
from tools.airgap.docker_plugin.uploads import archives
from tools.airgap.plugin.errors import PluginError


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0s", 0),
        ("1s", 10**9),
        ("1m30s", 90 * 10**9),
        ("1m0s", 60 * 10**9),
        ("1h0m5s", 3605 * 10**9),
        ("1.5s", 1_500_000_000),
        ("250ms", 250_000_000),
        ("1m0.5s", 60_500_000_000),
        ("1h1m0.5s", 3_660_500_000_000),
        ("3µs", 3_000),
        ("7ns", 7),
    ],
)
def test_durations_are_written_as_go_writes_them(text: str, amount: int) -> None:
    """A canonical duration survives a refresh."""
    assert (nanoseconds(text), duration(amount)) == (amount, text)


@pytest.mark.parametrize(
    ("nano", "text"),
    [(10**9, "1.0"), (2 * 10**9, "2.0"), (5 * 10**8, "0.5"), (25 * 10**7, "0.25"), (15 * 10**8, "1.5")],
)
def test_processors_are_written_as_the_official_plugin_does(nano: int, text: str) -> None:
    """Another spelling ("1") would be a replacement on every update there, so it is one here."""
    assert processors(nano) == text


def test_what_is_not_asked_for_is_not_sent() -> None:
    """The daemon's own defaults hold for everything that a program leaves out."""
    assert request({"image": "a", "restart": "no", "networkMode": "bridge", "start": True}) == {
        "Image": "a",
        "HostConfig": {
            "Init": False,
            "LogConfig": {"Type": "", "Config": {}},
            "NetworkMode": "bridge",
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        },
    }


@pytest.mark.parametrize(
    ("inputs", "field", "value"),
    [
        ({"memory": 64}, "Memory", 64 * 1024**2),
        ({"memorySwap": -1}, "MemorySwap", -1),
        ({"cpus": "0.5"}, "NanoCpus", 500_000_000),
        ({"cpuPeriod": 100000, "cpuQuota": 50000}, "CpuQuota", 50000),
        ({"volumes": [{"containerPath": "/a", "volumeName": "v", "readOnly": True}]}, "Binds", ["v:/a:ro"]),
        ({"volumes": [{"containerPath": "/a", "hostPath": "/b"}]}, "Binds", ["/b:/a:rw"]),
        ({"ports": [{"internal": 53, "external": 53, "ip": "127.0.0.1", "protocol": "udp"}]}, "PortBindings",
         {"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}]}),
        ({"securityOpts": ["systempaths=unconfined", "a"]}, "SecurityOpt", ["a"]),
        ({"securityOpts": ["systempaths=unconfined"]}, "MaskedPaths", []),
        ({"mounts": [{"type": "bind", "source": "/a", "target": "/b", "readOnly": True}]}, "Mounts",
         [{"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True}]),
        ({"tmpfs": {"/tmp": "size=1m"}}, "Tmpfs", {"/tmp": "size=1m"}),  # noqa: S108 - in the container
        ({"rm": True}, "AutoRemove", True),
        ({"publishAllPorts": True}, "PublishAllPorts", True),
    ],
)  # fmt: skip
def test_host_configuration(inputs: dict[str, Any], field: str, value: object) -> None:
    """Each input is in the field of HostConfig that Docker documents for it."""
    assert request({"image": "a", **inputs})["HostConfig"][field] == value


def test_an_anonymous_volume_is_a_volume_of_the_container_and_no_bind() -> None:
    """A containerPath alone makes a volume that goes with the container."""
    body = request({"image": "a", "volumes": [{"containerPath": "/run/secrets"}]})
    assert body["Volumes"] == {"/run/secrets": {}}
    assert "Binds" not in body["HostConfig"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"command": ["a", ""]}, "command has an empty element; Docker takes none"),
        ({"cpus": "0.0000000001"}, "cpus is '0.0000000001'; it takes at most nine digits after the point"),
    ],
)
def test_what_docker_would_take_wrongly_is_refused(inputs: dict[str, Any], message: str) -> None:
    """The error comes before anything is created."""
    with pytest.raises(PluginError) as refused:
        request({"image": "a", **inputs})
    assert str(refused.value) == message


def test_an_upload_is_unpacked_at_the_innermost_volume_that_holds_it() -> None:
    """Docker takes an archive for a read-only container only at a directory that lies in a volume."""
    uploads = [{"file": f"{path}", "content": "x"} for path in ("/run/secrets/a/b", "/run/secretsx", "/etc/x")]
    found = archives(uploads, ["/run", "/run/secrets"])
    assert [directory for directory, _ in found] == ["/run/secrets", "/run", "/"]
    names = []
    for _, archive in found:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            names += opened.getnames()
    assert names == ["a/b", "secretsx", "etc/x"]


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        ({}, "exactly one of content, contentBase64 and source must be set and not be empty; found none of them"),
        (
            {"content": "a", "source": "/b"},
            "exactly one of content, contentBase64 and source must be set and not be empty; found content and source",
        ),
        ({"contentBase64": "!"}, "contentBase64 is not base64"),
        ({"source": "/nowhere/x"}, "cannot read source /nowhere/x: No such file or directory"),
    ],
)
def test_a_wrong_upload_is_named(upload: dict[str, Any], message: str) -> None:
    """The error says which file it is about, and never what is in it."""
    with pytest.raises(PluginError) as refused:
        archives([{"file": "/x", **upload}], [])
    assert str(refused.value) == f"upload /x: {message}"
