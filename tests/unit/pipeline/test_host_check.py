"""What the machine has to give."""

import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import docker
import pytest
import requests

from components.model import Settings
from components.settings import parse
from pipeline.console import PipelineError, Problem
from pipeline.engine import Engine
from pipeline.host import check as hostcheck


def settings(port: int, address: str = "127.0.0.1") -> Settings:
    """Settings of a stack that publishes there."""
    return parse(
        {
            "environment": "dev",
            "app": {"name": "shop", "source": "shop", "settings_module": "config.settings"},
            "edge": {"port": port, "address": address},
        },
        "dev",
    )


class Container:
    """A made-up container that publishes a port."""

    def __init__(self, port: int, address: str = "127.0.0.1", **labels: str) -> None:
        self.name = self.id = "box"
        self.labels = {f"slipway.{name}": value for name, value in labels.items()}
        self.ports = {"8080/tcp": [{"HostIp": address, "HostPort": str(port)}], "9/tcp": None}


class Daemon:
    """A made-up Docker daemon."""

    def __init__(self, *containers: Container) -> None:
        class Containers:
            def list(self, *, ignore_removed: bool) -> list[Container]:
                assert ignore_removed  # what others remove meanwhile is no error
                return list(containers)

        self.containers = Containers()

    def info(self) -> dict[str, str]:
        """Where its files are."""
        return {"DockerRootDir": "/"}


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free(taken: int) -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
    assert number != taken
    return number


def look(daemon: Daemon, wanted: Settings, environ: dict[str, str] | None = None) -> list[str]:
    """Check the port and give what was found."""
    client: Any = daemon
    return [problem.found for problem in hostcheck.port(client, wanted, "dev", environ or {})]


def test_a_free_port_is_fine(free: int) -> None:
    """Nothing is said about it."""
    assert look(Daemon(), settings(free)) == []


def test_a_port_that_a_program_has_is_named_with_another_one(taken: int) -> None:
    """The mend sets a port that is free now."""
    client: Any = Daemon()

    [problem] = hostcheck.port(client, settings(taken), "dev", {})

    assert problem.found == f"slipway:edge.port: 127.0.0.1:{taken} is taken by another program"
    assert problem.mend is not None
    assert problem.mend.startswith("pulumi config set --path slipway:edge.port ")
    assert problem.mend.endswith(" --stack dev")
    assert str(taken) not in problem.mend


def test_the_port_of_the_stack_itself_is_fine(taken: int) -> None:
    """A second ``up`` finds its own edge there."""
    assert look(Daemon(Container(taken, project="shop", stack="dev")), settings(taken)) == []


@pytest.mark.parametrize(
    ("container", "who"),
    [
        (Container(1, project="shop", stack="prod"), "the container box (stack prod of shop)"),
        (Container(1, project="other", stack="dev"), "the container box (stack dev of other)"),
        (Container(1, "0.0.0.0"), "the container box"),  # noqa: S104 - a made-up answer
    ],
)
def test_the_container_that_has_the_port_is_named(container: Container, who: str) -> None:
    """Also the one of another stack, or one that listens on every address."""
    assert look(Daemon(container), settings(1)) == [f"slipway:edge.port: 127.0.0.1:1 is taken by {who}"]


def test_containers_on_other_addresses_and_ports_do_not_matter(free: int) -> None:
    """The same port on another address is another port."""
    assert look(Daemon(Container(free, "10.0.0.1"), Container(free - 1)), settings(free)) == []


def test_an_address_of_another_machine_is_named(free: int) -> None:
    """Docker would only say so in the middle of the update."""
    [found] = look(Daemon(), settings(free, "192.0.2.1"))

    assert found == "slipway:edge.address: found 192.0.2.1, which is no address of this machine"


def test_ports_of_this_machine_say_nothing_about_a_remote_daemon(taken: int) -> None:
    """There only the daemon's containers count."""
    assert look(Daemon(), settings(taken), {"DOCKER_HOST": "ssh://elsewhere"}) == []


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With how much is free, how much is needed, and what to remove."""
    usage = namedtuple("usage", "free")  # noqa: PYI024 - a made-up answer
    client: Any = Daemon()
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(5 * hostcheck.MB))

    problems = hostcheck.room(client, tmp_path, {})

    assert [problem.found for problem in problems] == [
        "the disk is full: 5 MB are free at /",
        f"the disk is full: 5 MB are free at {tmp_path}",
    ]
    assert problems[0].allowed == "1024 MB or more"
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(5000 * hostcheck.MB))
    assert hostcheck.room(client, tmp_path, {}) == []


def test_a_missing_daemon_is_named() -> None:
    """Where it was asked, why not, and the command."""
    with (
        pytest.raises(PipelineError) as error,
        hostcheck.daemon({"DOCKER_HOST": "unix:///nonexistent/docker.sock"}),
    ):
        pass

    [problem] = error.value.problems
    assert problem.found == (
        "the Docker daemon does not answer at unix:///nonexistent/docker.sock: there is no such socket"
    )
    assert problem.mend is not None
    assert problem.mend.startswith("tools/bootstrap")


class SlowDaemon:
    """A made-up Docker daemon that is there, and then busy."""

    def ping(self) -> None:
        """It is there."""

    def close(self) -> None:
        """Nothing is open."""


def test_a_preview_says_that_the_daemon_was_not_asked(engine: Engine) -> None:
    """It needs none; an update does."""
    away = replace(engine, environ={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})

    assert hostcheck.doubts(away, settings(8080), {}) == [
        (
            "The Docker host was not asked, and settings and state alone tell: "
            "the Docker daemon does not answer at unix:///nonexistent/docker.sock: there is no such socket"
        )
    ]


def test_a_daemon_that_is_too_busy_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long is said, with what to do."""
    monkeypatch.setattr(docker, "from_env", lambda **_said: SlowDaemon())
    with pytest.raises(PipelineError) as error, hostcheck.daemon({"DOCKER_HOST": "tcp://192.0.2.1:2376"}):
        raise requests.ReadTimeout

    [problem] = error.value.problems
    assert problem.found == "the Docker daemon at tcp://192.0.2.1:2376 took longer than 30 s for an answer"
    assert problem.mend == "the same command again goes on from here, once there is less to do"


class Network(NamedTuple):
    """A made-up network."""

    id: str
    name: str


def strangers(*networks: Network, state: dict[str, Any]) -> list[Problem]:
    """What is found among networks that carry the labels of the stack."""

    class Networks:
        def list(self, filters: dict[str, list[str]]) -> list[Network]:
            assert filters == {"label": ["slipway.project=shop", "slipway.stack=dev"]}
            return list(networks)

    client: Any = Daemon()
    client.networks = Networks()
    return hostcheck.stranger(client, settings(8080), "dev", state)


def test_a_stack_of_another_checkout_is_named() -> None:
    """What another checkout runs under the same name is left alone, and the ways out are said."""
    [problem] = strangers(Network("1", "shop-dev-edge"), state={})

    filters = "--filter label=slipway.project=shop --filter label=slipway.stack=dev"
    assert problem.lines() == [
        "slipway:app.name: shop-dev runs on this host already, and this checkout did not make it (network shop-dev-edge)",
        "  allowed: one checkout for each name and stack",
        "  mend:    make down   # in the checkout that it runs from",
        "           pulumi config set --path slipway:app.name shop-2 --stack dev   # or another name here",
        "           # or, if its state was lost, without its data:",
        f"           docker rm -f $(docker ps -aq {filters}); docker network rm $(docker network ls -q {filters})",
    ]


def test_what_the_stack_made_itself_is_no_stranger() -> None:
    """Networks that the state knows, or that an interrupted update was making, are this stack's own."""
    made = {"resources": [{"id": "1"}, {"type": "pulumi:pulumi:Stack"}]}
    half = {"pending_operations": [{"type": "creating", "resource": {"inputs": {"name": "shop-dev-internal"}}}]}

    assert strangers(state={}) == []
    assert strangers(Network("1", "shop-dev-edge"), Network("2", "shop-dev-internal"), state={**made, **half}) == []


class Owned(NamedTuple):
    """A made-up volume or network with its labels."""

    attrs: Mapping[str, Any]


def owned(name: str, project: str, stack: str) -> Owned:
    """Make one that belongs to a stack."""
    return Owned({"Name": name, "Labels": {"slipway.project": project, "slipway.stack": stack}})


def namesakes(*volumes: Owned, stack: str) -> list[Problem]:
    """What is found of the names of shop among volumes of others; there are no networks."""

    class Found:
        def __init__(self, *found: Owned) -> None:
            self._found = found

        def list(self, filters: dict[str, list[str]]) -> list[Owned]:
            assert filters == {"label": ["slipway.stack"]}
            return list(self._found)

    client: Any = Daemon()
    client.networks, client.volumes = Found(), Found(*volumes)
    return hostcheck.namesake(client, settings(8080), stack)


def test_two_projects_whose_names_meet_are_refused() -> None:
    """The volumes of shop-eu in prod would be those of shop in eu-prod: its data is not taken."""
    [problem] = namesakes(owned("shop-eu-prod-media", "shop-eu", "prod"), stack="eu-prod")

    assert problem.lines() == [
        (
            "slipway:app.name: the names of shop in stack eu-prod begin with shop-eu-prod, as those of shop-eu in stack prod "
            "on this host do (shop-eu-prod-media)"
        ),
        "  allowed: a name that gives another beginning together with the name of the stack",
        "  mend:    pulumi config set --path slipway:app.name shop-2 --stack eu-prod",
    ]


def test_names_that_only_look_alike_do_not_meet() -> None:
    """Other stacks of the project, projects of a longer name and what the stack itself has kept are no namesakes."""
    others = [("shop", "dev"), ("shop", "eu-prod-2"), ("shop-eu", "dev"), ("shop-eu-prod", "dev"), ("shop", "eu-prod")]

    assert namesakes(*(owned("x", *each) for each in others), stack="eu-prod") == []


def test_containers_that_stopped_are_named() -> None:
    """Those that should run: not one-shots, not the remains of an earlier release, nothing that runs."""

    def resource(name: str, *, must_run: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        kind = "docker:index/container:Container"
        return {"type": kind, "id": name, "outputs": {"name": name, "mustRun": must_run}, **more}

    up = Container(1)
    up.id = "up"
    client: Any = Daemon(up)
    resources = [resource("up"), resource("down"), resource("migration", must_run=False), resource("old", delete=True)]

    assert hostcheck.stopped(client, {"resources": [*resources, {"type": "pulumi:pulumi:Stack"}]}) == ["down"]
    assert hostcheck.stopped(client, {}) == []
