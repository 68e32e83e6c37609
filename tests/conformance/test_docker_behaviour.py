"""What the docker plugin does to a real daemon, beyond the recorded answers.

Everything here follows from the source of the official plugin and asks for nothing that only ours has, except where a
test takes the fixture `ours` and says why: those are skipped where the official one is installed.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest
from google.protobuf import empty_pb2

from tests.conformance.provider import UNKNOWN, InitializationError, Plugin, Properties, RefusedError, secret

pytestmark = pytest.mark.docker

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
HERE = f"slipway-behaviour-{os.getpid()}"


class Made:
    """Resources that a test makes; whatever it leaves is deleted after it, newest first."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self._left: list[tuple[str, str, Properties, Properties]] = []

    def __call__(self, token: str, **inputs: Any) -> tuple[str, Properties, Properties]:  # noqa: ANN401 - any input
        """Check and create; return the id, the outputs and the checked inputs."""
        checked, failures = self.plugin.check(token, inputs)
        assert failures == []
        try:
            id_, state = self.plugin.create(token, checked)
        except InitializationError as error:
            self._left.append((token, error.id, error.properties, checked))
            raise
        self._left.append((token, id_, state, checked))
        return id_, state, checked

    def delete(self, id_: str) -> None:
        """Delete one of them now."""
        [entry] = [entry for entry in self._left if entry[1] == id_]
        self._left.remove(entry)
        self.plugin.delete(*entry)

    def clear(self) -> None:
        """Delete the rest."""
        while self._left:
            token, id_, state, inputs = self._left.pop()
            self.plugin.delete(token, id_, {**state, "destroyGraceSeconds": 0}, inputs)


@pytest.fixture
def make(plugin: Plugin) -> Iterator[Made]:
    """A maker of resources."""
    made = Made(plugin)
    yield made
    made.clear()


@pytest.fixture
def output(make: Made, image: str) -> Callable[..., str]:
    """Run a shell command in a container to its end and return what it printed."""

    def run(script: str, **inputs: Any) -> str:  # noqa: ANN401 - any input
        state = make(CONTAINER, image=image, command=["sh", "-c", script], attach=True, logs=True, **_ONCE, **inputs)[1]
        return str(state["containerLogs"])

    return run


_ONCE = {"mustRun": False}


def _all_containers(daemon: docker.APIClient) -> set[str]:
    return {entry["Id"] for entry in daemon.containers(all=True)}


def _image_id(daemon: docker.APIClient, name: str) -> str:
    found = daemon.inspect_image(name)  # type: ignore[no-untyped-call]  # its stub
    return str(found["Id"])


def test_a_failed_health_check_leaves_the_container_and_says_why(
    make: Made, image: str, daemon: docker.APIClient
) -> None:
    """Create fails with the id, the outputs, the inputs and a reason; the container runs on."""
    with pytest.raises(InitializationError) as failed:
        make(
            CONTAINER,
            image=image,
            command=["sleep", "1000"],
            healthcheck={"tests": ["CMD", "false"], "interval": "1s"},
            wait=True,
            waitTimeout=2,
        )
    assert daemon.inspect_container(failed.value.id)["State"]["Running"]
    assert failed.value.properties["image"] == image
    assert any("failed to be in healthy state" in reason for reason in failed.value.reasons)


def test_wait_returns_as_soon_as_the_container_is_healthy(make: Made, image: str, daemon: docker.APIClient) -> None:
    """Create ends when the health check passes, not when the time is up."""
    start = time.monotonic()
    id_, _, _ = make(
        CONTAINER,
        image=image,
        command=["sh", "-c", "sleep 1; touch /tmp/ready; sleep 1000"],
        healthcheck={"tests": ["CMD", "test", "-f", "/tmp/ready"], "interval": "1s", "timeout": "1s"},  # noqa: S108 - in the container
        wait=True,
        waitTimeout=60,
    )
    assert daemon.inspect_container(id_)["State"]["Health"]["Status"] == "healthy"
    assert time.monotonic() - start < 30


def test_an_attached_container_gives_its_exit_code_and_its_logs(make: Made, image: str) -> None:
    """A non-zero exit code is an output and not a failure: the program decides."""
    _, state, _ = make(
        CONTAINER, image=image, command=["sh", "-c", "echo out; echo err >&2; exit 3"], attach=True, logs=True, **_ONCE
    )
    assert state["exitCode"] == 3
    assert sorted(state["containerLogs"].split()) == ["err", "out"]


@pytest.mark.parametrize(("grace", "written"), [(20, "graceful"), (None, "")], ids=["20 s", "none"])
def test_a_deleted_container_gets_its_grace_seconds(
    make: Made, image: str, output: Callable[..., str], grace: int | None, written: str
) -> None:
    """With destroyGraceSeconds SIGTERM is waited for; without it the container is killed at once."""
    volume = make(VOLUME)[1]["name"]
    mounted = {"volumes": [{"containerPath": "/data", "volumeName": volume}]}
    script = "trap 'sleep 1; echo graceful > /data/end; exit 0' TERM; touch /data/up; while :; do sleep 0.1; done"
    id_, _, _ = make(
        CONTAINER,
        image=image,
        command=["sh", "-c", script],
        healthcheck={"tests": ["CMD", "test", "-f", "/data/up"], "interval": "1s"},
        wait=True,
        **mounted,
        **({"destroyGraceSeconds": grace} if grace else {}),
    )
    make.delete(id_)
    assert output("cat /data/end 2>/dev/null || true", **mounted).strip() == written


def test_an_anonymous_volume_goes_with_its_container(make: Made, image: str, daemon: docker.APIClient) -> None:
    """Secrets in an anonymous volume do not outlive the container; a named volume does."""
    named = make(VOLUME)[1]["name"]
    volumes = [{"containerPath": "/run/secrets"}, {"containerPath": "/data", "volumeName": named}]
    id_, _, _ = make(CONTAINER, image=image, command=["sleep", "1000"], volumes=volumes)
    [anonymous] = [
        mount["Name"]
        for mount in daemon.inspect_container(id_)["Mounts"]
        if mount["Type"] == "volume" and mount["Name"] != named
    ]
    make.delete(id_)
    left = {volume["Name"] for volume in daemon.volumes()["Volumes"] or []}
    assert anonymous not in left
    assert named in left


def test_uploads_are_there_when_the_container_starts(output: Callable[..., str], tmp_path: Path) -> None:
    """Each kind of content arrives, with the permissions that are asked for."""
    (tmp_path / "source").write_text("from a file")
    printed = output(
        "cd /up; for f in *; do echo $f $(stat -c %a $f) $(cat $f); done",
        uploads=[
            {"file": "/up/1", "content": "as text"},
            {"file": "/up/2", "contentBase64": "YXMgYnl0ZXM=", "executable": True},
            {"file": "/up/3", "source": str(tmp_path / "source"), "sourceHash": "1", "permissions": "0440"},
        ],
    )
    assert printed.splitlines() == ["1 644 as text", "2 744 as bytes", "3 440 from a file"]


@pytest.mark.usefixtures("ours")
def test_uploads_reach_a_volume_of_a_read_only_container(output: Callable[..., str]) -> None:
    """Ours alone: the official plugin unpacks at / and Docker refuses that ("rootfs is marked read-only")."""
    printed = output(
        "cat /run/secrets/key; touch /x 2>/dev/null || echo read-only",
        readOnly=True,
        volumes=[{"containerPath": "/run/secrets"}],
        uploads=[{"file": "/run/secrets/key", "content": "value\n"}],
    )
    assert printed.splitlines() == ["value", "read-only"]


def test_what_is_asked_for_reaches_docker(make: Made, image: str, daemon: docker.APIClient) -> None:
    """The hardening and the limits of a container are in the fields that Docker's API documents for them."""
    id_, _, _ = make(
        CONTAINER,
        image=image,
        command=["sleep", "1000"],
        user="10001:10001",
        readOnly=True,
        init=True,
        capabilities={"drops": ["ALL"]},
        securityOpts=["no-new-privileges:true"],
        mounts=[{"type": "tmpfs", "target": "/tmp", "tmpfsOptions": {"sizeBytes": 1048576, "mode": 0o1777}}],  # noqa: S108 - in the container
        memory=64,
        memorySwap=64,
        cpus="0.5",
        restart="unless-stopped",
        logDriver="json-file",
        logOpts={"max-size": "1m", "max-file": "2"},
        stopSignal="SIGQUIT",
        stopTimeout=7,
        ports=[{"internal": 80, "external": 0, "ip": "127.0.0.1"}],
        ulimits=[{"name": "nofile", "soft": 1024, "hard": 2048}],
        labels=[{"label": "a", "value": "b"}],
        sysctls={"net.core.somaxconn": "1024"},
        groupAdds=["10002"],
        hosts=[{"host": "a.example", "ip": "192.0.2.1"}],
        dns=["192.0.2.2"],
        shmSize=32,
    )
    found = daemon.inspect_container(id_)
    host, config = found["HostConfig"], found["Config"]
    assert (config["User"], config["StopSignal"], config["StopTimeout"]) == ("10001:10001", "SIGQUIT", 7)
    assert config["Labels"]["a"] == "b"
    assert (host["ReadonlyRootfs"], host["Init"], host["CapDrop"]) == (True, True, ["ALL"])
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Mounts"][0]["TmpfsOptions"] == {"SizeBytes": 1048576, "Mode": 0o1777}
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (64 * 1024**2, 64 * 1024**2, 500_000_000)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}
    assert host["PortBindings"]["80/tcp"][0]["HostIp"] == "127.0.0.1"
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]
    assert (host["Sysctls"], host["GroupAdd"]) == ({"net.core.somaxconn": "1024"}, ["10002"])
    assert (host["ExtraHosts"], host["Dns"]) == (["a.example:192.0.2.1"], ["192.0.2.2"])
    assert host["ShmSize"] == 32 * 1024**2


def test_a_refresh_of_what_was_just_made_finds_no_difference(make: Made, plugin: Plugin, image: str) -> None:
    """Read gives back the inputs, and Diff against what Read found says that nothing changed."""
    network = make(NETWORK, internal=True, labels=[{"label": "z", "value": "1"}, {"label": "a", "value": "2"}])[1]
    id_, state, inputs = make(
        CONTAINER,
        image=image,
        command=["sleep", "1000"],
        envs=["Z=1", "A=2"],
        networksAdvanced=[{"name": network["name"], "aliases": ["web", "app"]}],
        healthcheck={"tests": ["CMD", "true"], "interval": "1m30s", "timeout": "5s", "retries": 3},
        mounts=[{"type": "tmpfs", "target": "/tmp"}],  # noqa: S108 - in the container
        volumes=[{"containerPath": "/run/secrets"}],
        uploads=[{"file": "/etc/x", "content": "y"}],
        capabilities={"drops": ["ALL"]},
        memory=64,
        memorySwap=64,
        cpus="0.25",
        user="1000:1000",
        logDriver="json-file",
        logOpts={"max-size": "1m"},
    )
    _, now, read = plugin.read(CONTAINER, id_, state, inputs)
    assert {key: value for key, value in read.items() if key[0] != "_"} == {
        key: value for key, value in inputs.items() if key[0] != "_"
    }
    assert plugin.diff(CONTAINER, id_, now, read, inputs)["changes"] == "DIFF_NONE"


def test_what_an_image_brings_is_no_difference(
    make: Made, plugin: Plugin, image: str, daemon: docker.APIClient
) -> None:
    """A user, directory, command, environment, label, signal, volume or health check of the image is no drift."""
    base, _, _ = make(CONTAINER, image=image, command=["sleep", "1000"])
    tag = f"{HERE}:1"
    settings = {
        "Cmd": ["sleep", "1000"],
        "Env": ["PATH=/usr/bin:/bin", "A=1"],
        "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 90 * 10**9},
        "Labels": {"a": "b"},
        "StopSignal": "SIGQUIT",
        "User": "10001:10001",
        "Volumes": {"/data": {}},
        "WorkingDir": "/srv",
    }
    daemon.commit(base, tag, conf=settings)
    try:
        id_, state, inputs = make(CONTAINER, image=tag)
        assert plugin.diff(CONTAINER, id_, state, inputs, inputs)["changes"] == "DIFF_NONE"
        _, now, read = plugin.read(CONTAINER, id_, state, inputs)
        assert plugin.diff(CONTAINER, id_, now, read, inputs)["changes"] == "DIFF_NONE"
        make.delete(id_)
    finally:
        daemon.remove_image(tag, force=True)


def test_a_container_is_on_its_networks_only(make: Made, image: str) -> None:
    """With networksAdvanced the default network is left; aliases resolve for others on the network."""
    network = make(NETWORK, internal=True, ipamConfigs=[{"subnet": "10.231.77.0/24"}])[1]
    _, server, _ = make(
        CONTAINER,
        image=image,
        command=["sleep", "1000"],
        networksAdvanced=[{"name": network["name"], "aliases": ["web"], "ipv4Address": "10.231.77.9"}],
    )
    _, client, _ = make(
        CONTAINER,
        image=image,
        command=["getent", "hosts", "web"],
        networksAdvanced=[{"name": network["name"]}],
        attach=True,
        logs=True,
        **_ONCE,
    )
    assert [entry["networkName"] for entry in server["networkDatas"]] == [network["name"]]
    assert client["containerLogs"].split()[0] == "10.231.77.9"


def test_memory_and_restart_change_in_place(make: Made, plugin: Plugin, image: str, daemon: docker.APIClient) -> None:
    """An update changes the running container, which goes on running."""
    id_, state, inputs = make(CONTAINER, image=image, command=["sleep", "1000"], memory=64, memorySwap=64)
    started = daemon.inspect_container(id_)["State"]["StartedAt"]
    changed, _ = plugin.check(CONTAINER, {**inputs, "memory": 96, "memorySwap": 96, "restart": "always"}, inputs)
    now = plugin.update(CONTAINER, id_, state, inputs, changed)
    found = daemon.inspect_container(id_)
    assert found["HostConfig"]["Memory"] == 96 * 1024**2
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert found["State"]["StartedAt"] == started
    assert (now["memory"], now["restart"]) == (96, "always")


def test_a_stopped_container_is_started_again(make: Made, plugin: Plugin, image: str, daemon: docker.APIClient) -> None:
    """A refresh sees that it stopped, the difference is an update, and the update starts it."""
    id_, state, inputs = make(CONTAINER, image=image, command=["sleep", "1000"])
    daemon.stop(id_, timeout=0)
    _, now, read = plugin.read(CONTAINER, id_, state, inputs)
    assert read["mustRun"] is False
    difference = plugin.diff(CONTAINER, id_, now, read, inputs)
    assert difference["detailed"] == {"mustRun": "UPDATE"}
    plugin.update(CONTAINER, id_, now, read, inputs)
    assert daemon.inspect_container(id_)["State"]["Running"]


def test_what_is_gone_is_gone_for_a_refresh_and_for_a_delete(
    make: Made, plugin: Plugin, image: str, daemon: docker.APIClient
) -> None:
    """Read answers with no id, and Delete of something that is not there succeeds."""
    container, container_state, inputs = make(CONTAINER, image=image, command=["sleep", "1000"])
    network, network_state, _ = make(NETWORK)
    volume, volume_state, _ = make(VOLUME)
    daemon.remove_container(container, force=True, v=True)
    daemon.remove_network(network)
    daemon.remove_volume(volume)
    assert plugin.read(CONTAINER, container, container_state, inputs)[0] == ""
    assert plugin.read(NETWORK, network, network_state, {})[0] == ""
    assert plugin.read(VOLUME, volume, volume_state, {})[0] == ""
    for id_ in (container, network, volume):
        make.delete(id_)


def test_containers_are_created_at_the_same_time(plugin: Plugin, make: Made, image: str) -> None:
    """Eight containers that each take two seconds take much less than sixteen."""

    def run(number: int) -> int:
        _, state, _ = make(
            CONTAINER, image=image, command=["sh", "-c", f"sleep 2; exit {number}"], name=f"{HERE}-{number}",
            attach=True, **_ONCE,
        )  # fmt: skip
        return int(state["exitCode"])

    assert plugin.check(CONTAINER, {"image": image})[1] == []
    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(8))) == list(range(8))
    assert time.monotonic() - start < 14


def test_a_secret_stays_secret(plugin: Plugin, image: str, make: Made) -> None:
    """An output that comes from a secret input is a secret; where a plugin leaves that to the engine, nothing is lost."""
    if not plugin.accepts_secrets:
        pytest.skip("this plugin leaves secrets to the engine")
    checked, _ = plugin.check(CONTAINER, {"image": image, "envs": ["A=1", secret("PASSWORD=hunter2")]})
    wrapped = secret(["A=1", "PASSWORD=hunter2"])
    assert checked["envs"] == wrapped
    id_, state, inputs = make(
        CONTAINER, image=image, command=["sleep", "1000"], envs=["A=1", secret("PASSWORD=hunter2")]
    )
    assert state["envs"] == wrapped
    assert plugin.read(CONTAINER, id_, state, inputs)[1]["envs"] == wrapped
    assert plugin.diff(CONTAINER, id_, state, inputs, checked | {"command": ["sleep", "1000"], "name": inputs["name"]})[
        "changes"
    ] == "DIFF_NONE"  # fmt: skip


def test_a_preview_knows_what_can_be_known(plugin: Plugin, image: str, daemon: docker.APIClient) -> None:
    """Names and inputs are known before anything exists, ids and addresses are not, and nothing is created."""
    before = _all_containers(daemon)
    checked, failures = plugin.check(CONTAINER, {"image": UNKNOWN, "networksAdvanced": [{"name": UNKNOWN}]})
    assert failures == []
    id_, state = plugin.create(CONTAINER, checked, preview=True)
    assert id_ == ""
    assert state["name"] == checked["name"]
    assert [state[key] for key in ("image", "networkDatas", "exitCode")] == [UNKNOWN] * 3
    _, looked_up = plugin.create(IMAGE, plugin.check(IMAGE, {"name": image})[0], preview=True)
    assert (looked_up["name"], looked_up["imageId"]) == (image, UNKNOWN)
    assert _all_containers(daemon) == before


def test_an_unknown_input_that_replaces_plans_a_replacement(make: Made, plugin: Plugin, image: str) -> None:
    """A preview does not hide a replacement behind a value that it does not know yet."""
    id_, state, inputs = make(CONTAINER, image=image, command=["sleep", "1000"])
    changed, _ = plugin.check(CONTAINER, {"image": UNKNOWN, "command": ["sleep", "1000"]}, inputs)
    difference = plugin.diff(CONTAINER, id_, state, inputs, changed)
    assert difference["detailed"] == {"image": "UPDATE_REPLACE"}
    assert changed["name"] == inputs["name"]


def test_a_remote_image_is_the_id_that_containers_take(
    make: Made, image: str, daemon: docker.APIClient, plugin: Plugin
) -> None:
    """The output imageId is Docker's id of the image, a container made from it does not drift, and a kept image stays."""
    id_, state, _ = make(IMAGE, name=image, keepLocally=True)
    assert state["imageId"] == _image_id(daemon, image)
    container, outputs, inputs = make(CONTAINER, image=state["imageId"], command=["sleep", "1000"])
    _, now, read = plugin.read(CONTAINER, container, outputs, inputs)
    assert plugin.diff(CONTAINER, container, now, read, inputs)["changes"] == "DIFF_NONE"
    make.delete(container)
    make.delete(id_)
    assert _image_id(daemon, image) == state["imageId"]


def test_an_image_that_cannot_be_had_is_named(make: Made) -> None:
    """The error says which image it is about, for a RemoteImage and for a container alike."""
    missing = "127.0.0.1:1/slipway/missing:1"
    for token, inputs in ((IMAGE, {"name": missing}), (CONTAINER, {"image": missing})):
        with pytest.raises(RefusedError, match=missing):
            make(token, **inputs)


def test_what_is_there_can_be_imported(make: Made, plugin: Plugin, image: str) -> None:
    """Read with nothing but an id gives the inputs that would make what is there."""
    id_, state, inputs = make(CONTAINER, image=image, command=["sleep", "1000"], memory=64, memorySwap=64)
    found, outputs, read = plugin.read(CONTAINER, id_, {}, {})
    assert (found, outputs["name"], outputs["command"]) == (id_, state["name"], ["sleep", "1000"])
    assert {key: read[key] for key in ("name", "image", "memory")} == {
        key: inputs[key] for key in ("name", "image", "memory")
    }


def test_a_volume_keeps_its_data_apart_from_its_container(make: Made, output: Callable[..., str]) -> None:
    """What one container writes into a named volume the next one reads."""
    mounted = {"mounts": [{"type": "volume", "target": "/data", "source": make(VOLUME)[1]["name"]}]}
    output("echo kept > /data/file", **mounted)
    assert output("cat /data/file", **mounted) == "kept\n"


# Where our own plugin is stricter or quicker than the official one.


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (
            NETWORK,
            {"configOnly": True, "configFrom": "a"},
            (
                "configFrom, configOnly are not inputs of docker:index/network:Network that this plugin implements. It "
                "takes: attachable, driver, ingress, internal, ipamConfigs, ipamDriver, ipamOptions, ipv6, labels, name, "
                "options"
            ),
        ),
        (
            VOLUME,
            {"cluster": {}},
            (
                "cluster is not an input of docker:index/volume:Volume that this plugin implements. It takes: driver, "
                "driverOpts, labels, name"
            ),
        ),
        (
            CONTAINER,
            {"image": "a", "volumes": [{"containerPath": "/a", "fromContainer": "b"}]},
            (
                "volumes[0].fromContainer is not an input of docker:index/container:Container that this plugin implements. "
                "It takes: containerPath, hostPath, readOnly, volumeName"
            ),
        ),
        (CONTAINER, {}, "image is missing; it is required"),
        (CONTAINER, {"image": "a", "memory": "64m"}, "memory must be a whole number, not a string"),
        (
            CONTAINER,
            {"image": "a", "restart": "sometimes"},
            "restart is 'sometimes'; it must match ^(no|on-failure|always|unless-stopped)$",
        ),
    ],
)
def test_what_is_not_implemented_is_refused(plugin: Plugin, token: str, inputs: Properties, reason: str) -> None:
    """Ours alone: one message names what was found and lists what there is."""
    assert [found for _, found in plugin.check(token, inputs)[1]] == [reason]


@pytest.mark.usefixtures("ours")
def test_a_type_that_is_not_implemented_is_refused(plugin: Plugin) -> None:
    """Ours alone: the error names the type and lists those that there are."""
    with pytest.raises(RefusedError) as refused:
        plugin.check("docker:index/service:Service", {})
    assert str(refused.value) == (
        "docker:index/service:Service is not a resource type that this plugin implements; it implements "
        f"{CONTAINER}, {NETWORK}, {IMAGE}, {VOLUME}"
    )


@pytest.mark.usefixtures("ours")
def test_a_failure_before_the_start_leaves_nothing(make: Made, image: str, daemon: docker.APIClient) -> None:
    """Ours alone: the official plugin leaves a container that never ran, with its name taken."""
    name = f"{HERE}-half"
    with pytest.raises(RefusedError, match=f"container {name}: network {HERE}-none not found"):
        make(CONTAINER, image=image, name=name, networksAdvanced=[{"name": f"{HERE}-none"}])
    assert daemon.containers(all=True, filters={"name": name}) == []


@pytest.mark.usefixtures("ours")
def test_ctrl_c_ends_a_wait(command: list[str], image: str, daemon: docker.APIClient) -> None:
    """Ours alone: the official plugin waits to its limit. The container is recorded with the reason."""
    with Plugin(command) as plugin:
        checked, _ = plugin.check(
            CONTAINER,
            {
                "image": image,
                "command": ["sleep", "1000"],
                "healthcheck": {"tests": ["CMD", "false"], "interval": "1s"},
                "wait": True,
                "waitTimeout": 100,
            },
        )
        start = time.monotonic()
        threading.Timer(3, lambda: plugin.stub.Cancel(empty_pb2.Empty())).start()
        with pytest.raises(InitializationError) as failed:
            plugin.create(CONTAINER, checked)
        try:
            assert time.monotonic() - start < 20
            assert failed.value.reasons == [f"cancelled while waiting for {checked['name']} to be healthy"]
            assert daemon.inspect_container(failed.value.id)["State"]["Running"]
        finally:
            plugin.delete(CONTAINER, failed.value.id, failed.value.properties, checked)


@pytest.mark.usefixtures("ours")
def test_a_long_wait_says_what_it_waits_for(plugin: Plugin, output: Callable[..., str]) -> None:
    """Ours alone: whoever looks at the display sees which container it is and how long it has been."""
    output("sleep 3", name=f"{HERE}-slow")
    assert any(line.startswith(f"waiting for {HERE}-slow to end (2 s of at most") for line in plugin.lines)


@pytest.mark.usefixtures("ours")
def test_a_daemon_that_is_not_there_is_named(command: list[str], image: str) -> None:
    """Ours alone: the error says which daemon, why not, and what to do."""
    with Plugin(command, {"host": "unix:///nowhere/docker.sock"}) as plugin, pytest.raises(RefusedError) as refused:
        plugin.create(CONTAINER, plugin.check(CONTAINER, {"image": image})[0])
    assert str(refused.value).endswith(
        "cannot reach the Docker daemon at unix:///nowhere/docker.sock (No such file or directory). Start it, or name "
        "another with docker:host or DOCKER_HOST"
    )
