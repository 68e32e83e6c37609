"""Mending what an interrupted update left."""

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from components.tokens import CONTAINER, NETWORK
from pipeline import host, interrupted
from pipeline.console import PipelineError
from pipeline.engine import Engine
from pipeline.host import tidy
from tests.unit.pipeline.fake_pulumi import Fake, printed

NOBODY = 2**22 + 1


def lock(root: Path, pid: int, host: str | None = None) -> None:
    """Write a lock as Pulumi does."""
    folder = root / ".slipway/state/.pulumi/locks/organization/slipway/dev"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": pid,
        "username": "u",
        "hostname": host or socket.gethostname(),
        "timestamp": "2026-01-01T00:00:00Z",
    }
    (folder / f"{pid}.json").write_text(json.dumps(content))


def test_the_lock_of_a_killed_update_is_taken_away(engine: Engine, fake: Fake, root: Path) -> None:
    """Its process is gone, so nobody needs it."""
    lock(root, NOBODY)

    assert interrupted.release_stale_locks(engine)
    assert fake.calls == ["cancel --yes dev"]
    assert f"takes away the lock of an update that was killed: process {NOBODY}" in printed(engine)


def test_what_was_cut_off_beside_the_state_is_removed(engine: Engine, fake: Fake, root: Path) -> None:
    """A backend that was killed while it wrote the attributes of the state would read nothing of the stack again."""
    folder = root / ".slipway/state/.pulumi/stacks/slipway"
    folder.mkdir(parents=True)
    texts = {"dev.json": "{}", "dev.json.attrs": "", "dev.json.bak.attrs": '{"md5":"x"}'}
    for name, text in texts.items():
        (folder / name).write_text(text)
    lock(root, NOBODY)

    assert interrupted.release_stale_locks(engine)
    assert sorted(path.name for path in folder.iterdir()) == ["dev.json", "dev.json.bak.attrs"]
    assert fake.calls == ["cancel --yes dev"]


def test_without_a_lock_nothing_is_run(engine: Engine, fake: Fake) -> None:
    """The usual case costs nothing."""
    assert not interrupted.release_stale_locks(engine)
    assert fake.calls == []


def test_the_lock_of_another_machine_is_left_alone(engine: Engine, fake: Fake, root: Path) -> None:
    """Nobody here can know whether that update still runs."""
    lock(root, NOBODY, "elsewhere")

    with pytest.raises(PipelineError, match="another update of stack dev is running: process 4194305 on elsewhere"):
        interrupted.release_stale_locks(engine, wait=0)
    assert fake.calls == []


def test_a_running_update_is_waited_for(engine: Engine, fake: Fake, root: Path) -> None:
    """A ``make up`` that was killed leaves a Pulumi that ends by itself; the next one goes on after it."""
    fake.when("up", seconds=1)
    with subprocess.Popen([engine.program, "up"]) as running:
        lock(root, running.pid)
        start = time.monotonic()
        while not fake.calls:
            time.sleep(0.02)

        assert interrupted.release_stale_locks(engine, wait=10)
        assert time.monotonic() - start > 0.5
    assert f"waits for another update of this stack: process {running.pid}" in printed(engine)
    assert fake.calls[-1] == "cancel --yes dev"


class Thing:
    """A made-up container or network."""

    def __init__(self, name: str, removed: list[str]) -> None:
        self.name, self.id, self.removed = name, f"id-{name}", removed

    def remove(self, **_options: bool) -> None:
        """Note that it was removed."""
        self.removed.append(self.name)


class Daemon:
    """A made-up Docker daemon with two containers and a network."""

    def __init__(self, removed: list[str]) -> None:
        things = {name: Thing(name, removed) for name in ("web-1", "web-2")}

        class Containers:
            def get(self, name: str) -> Thing:
                if name not in things:
                    raise docker.errors.NotFound("no")
                return things[name]

        class Networks:
            def list(self, filters: dict[str, str]) -> list[Thing]:
                assert filters == {"name": "^dev\\-internal$"}
                return [Thing("dev-internal", removed)]

        self.containers, self.networks = Containers(), Networks()

    def close(self) -> None:
        """End the talk."""


class Network:
    """A made-up network, connected to a container and to one that is gone."""

    name = "dev-internal"

    def __init__(self) -> None:
        self.attrs = {"Containers": {"5f5f": {"Name": "web-1"}, "ep-7c7c": {"Name": "web-9"}}}
        self.disconnected: list[tuple[str, bool]] = []

    def disconnect(self, name: str, *, force: bool) -> None:
        """Note who was disconnected."""
        self.disconnected.append((name, force))


def test_what_is_gone_is_disconnected(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ends that no container has, of networks that the state knows; a network that is gone is no error."""
    network = Network()

    class Client:
        @property
        def networks(self) -> "Client":
            return self

        def get(self, id_: str) -> Network:
            if id_ != "id-internal":
                raise docker.errors.NotFound("no")
            return network

    monkeypatch.setattr(tidy, "daemon", lambda _environ: contextlib.nullcontext(Client()))
    known = [{"type": NETWORK, "id": each} for each in ("id-internal", "id-gone")]

    assert tidy.disconnect_the_gone(engine, {"resources": [*known, {"type": CONTAINER, "id": "id-internal"}]})
    assert network.disconnected == [("web-9", True)]
    assert "disconnected web-9, which is gone, from network dev-internal" in printed(engine)
    assert not tidy.disconnect_the_gone(engine, {"resources": known[1:]})
    assert not tidy.disconnect_the_gone(engine, {})


def creating(kind: str, name: str) -> dict[str, Any]:
    """An operation that never ended."""
    return {"type": "creating", "resource": {"type": kind, "urn": f"urn::{name}", "inputs": {"name": name}}}


def test_half_made_things_are_removed_and_forgotten(
    engine: Engine, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers go before networks; what the state knows under its id stays, as do volumes and what is not there."""
    removed: list[str] = []
    monkeypatch.setattr(docker, "from_env", lambda **_: Daemon(removed))
    state = {
        "resources": [{"id": "id-web-2"}],
        "pending_operations": [
            creating(NETWORK, "dev-internal"),
            creating("docker:index/volume:Volume", "dev-postgres"),
            creating(CONTAINER, "web-1"),
            creating(CONTAINER, "web-2"),
            creating(CONTAINER, "web-3"),
            {"type": "deleting", "resource": {"type": CONTAINER, "urn": "u", "inputs": {"name": "web-1"}}},
        ],
    }

    assert interrupted.mend(engine, state, host.TARGET)
    assert removed == ["web-1", "dev-internal"]
    assert [call.split(" --stack")[0] for call in fake.calls] == [
        "refresh --yes --skip-preview --clear-pending-creates --suppress-outputs"
    ]


def test_what_never_got_healthy_is_not_looked_at(engine: Engine, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh would forget that, and the next update would hand the visitors to a release that failed."""
    monkeypatch.setattr(docker, "from_env", lambda **_: Daemon([]))
    state = {
        "resources": [{"urn": "urn::good"}, {"urn": "urn::bad", "initErrors": ["unhealthy"]}],
        "pending_operations": [creating(CONTAINER, "web-3")],
    }

    assert interrupted.mend(engine, state, host.TARGET)
    assert [call.split(" --stack")[0] for call in fake.calls] == [
        "refresh --yes --skip-preview --clear-pending-creates --suppress-outputs --exclude urn::bad"
    ]


def test_a_state_without_pending_operations_needs_no_mending(engine: Engine, fake: Fake) -> None:
    """Neither does a stack that was never up."""
    assert not interrupted.mend(engine, {"resources": []}, host.TARGET)
    assert not interrupted.mend(engine, {}, host.TARGET)
    assert fake.calls == []
