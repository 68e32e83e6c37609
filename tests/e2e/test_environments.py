"""Review environments on a Docker host: made at once, reached through one gateway, and gone without a trace.

Each clone is what a job of CI has: the backend and the passphrase, and no file of any stack.
"""

import base64
import http.client
import json
import os
import secrets
import shutil
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from pipeline.host.tidy import disconnected
from tests.e2e import test_project_edge as edge
from tests.e2e.cluster import Cluster
from tests.e2e.cluster_site import SMALL as SMALL_ON_A_CLUSTER
from tests.e2e.cluster_site import STORAGE
from tests.e2e.site import EXAMPLE, RUN, UP_SECONDS, Answer, Done, copy_repository, free_port, share_tools, tools
from tests.e2e.websocket import websocket

COMMAND_SECONDS = 2 * UP_SECONDS
"""The longest that one command may take, where five run at once."""

SMALL = {"memory_mb": 192, "cpus": 0.5}


@dataclass
class Reviews:
    """The review environments of one project, and the clones that its commands run in."""

    folder: Path
    port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=tools)
    daemon: docker.DockerClient = field(default_factory=docker.from_env)

    @property
    def project(self) -> str:
        """The name of the project, which no other run of the tests has."""
        return f"e2e-{RUN}-env"

    @property
    def gateway(self) -> str:
        """The name of the gateway."""
        return f"e2e-{RUN}"

    @property
    def app(self) -> Path:
        """The copy of the project."""
        return self.folder / "guestbook"

    @property
    def state(self) -> Path:
        """The backend."""
        return self.folder / "state"

    def make(self) -> "Reviews":
        """Write everything that the commands need."""
        shutil.copytree(EXAMPLE, self.app, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        self.state.mkdir()
        self.environ |= {
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(8),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "NO_COLOR": "1",
        }
        return self

    def template(self, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - settings are of many types
        """What the template says."""
        review = {
            "domain": "review.example.org",
            "max_environments": 12,
            "gateway": {"name": self.gateway, "port": self.port},
        }
        app = {"name": self.project, "source": str(self.app), "settings_module": "config.settings"}
        config: dict[str, Any] = {
            "environment": "review",
            "target": "docker",
            "app": app,
            "web": {"resources": SMALL, "startup_seconds": 240},
            "review": review,
        }
        for key, value in said.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        if config["target"] == "kubernetes":
            config["review"] = {key: value for key, value in config["review"].items() if key != "gateway"}
        return {"config": {f"slipway:{key}": value for key, value in config.items()}}

    def clone(self, name: str, **templates: Mapping[str, Any]) -> "Clone":
        """Make a clone with the usual template, and with others that differ from it."""
        folder = self.folder / name
        copy_repository(folder)
        share_tools(folder)
        for each, said in {"review": {}, **templates}.items():
            (folder / f"stacks/{each}.template.yaml").write_text(yaml.safe_dump(self.template(**said)))
        return Clone(self, folder)

    def ask(
        self,
        name: str,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        """Ask through the gateway, by host name."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"Host": f"{name}.review.example.org", **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ours(self, labels: Mapping[str, str] | None) -> bool:
        """Whether something belongs to this run."""
        said = labels or {}
        return said.get("slipway.project") == self.project or said.get("slipway.gateway") == self.gateway

    def things(self) -> list[str]:
        """Everything that the daemon has of these environments and of the gateway."""
        everything = self.daemon.containers.list(all=True, ignore_removed=True)
        return sorted(
            [f"container {each.name}" for each in everything if self.ours(each.labels)]
            + [f"network {each.name}" for each in self.daemon.networks.list() if self.ours(each.attrs["Labels"])]
            + [f"volume {each.name}" for each in self.daemon.volumes.list() if self.ours(each.attrs["Labels"])]
            + [f"image {tag}" for each in self.daemon.images.list(self.project) for tag in each.tags]
        )

    def running(self) -> dict[str, str]:
        """Every container of ours with the time it was started."""
        found = self.daemon.containers.list(all=True, ignore_removed=True)
        return {str(each.name): each.attrs["State"]["StartedAt"] for each in found if self.ours(each.labels)}

    def mounted(self) -> set[str]:
        """The names of all volumes that our containers mount, also of those that nobody has named."""
        found = self.daemon.containers.list(all=True, ignore_removed=True)
        return {each["Name"] for it in found if self.ours(it.labels) for each in it.attrs["Mounts"] if "Name" in each}

    def image(self) -> str:
        """An image that is there."""
        [found, *_] = self.daemon.images.list("nginx")
        return str(found.id)

    def backend(self) -> list[str]:
        """Everything that the backend has."""
        left = {"meta.yaml", "meta.yaml.attrs"}
        return sorted(
            str(each.relative_to(self.state))
            for each in self.state.rglob("*")
            if each.name not in left and (each.is_file() or "review-" in each.name)
        )

    def close(self) -> None:
        """Leave nothing behind, whatever has happened."""
        for container in self.daemon.containers.list(all=True, ignore_removed=True):
            if self.ours(container.labels):
                container.remove(force=True, v=True)
        for network in self.daemon.networks.list():
            if self.ours(network.attrs["Labels"]):
                network.reload()
                disconnected(network)
                network.remove()
        for volume in self.daemon.volumes.list():
            if self.ours(volume.attrs["Labels"]):
                volume.remove(force=True)
        for tag in (tag for each in self.daemon.images.list(self.project) for tag in each.tags):
            self.daemon.images.remove(tag)
        self.daemon.close()


@dataclass
class Clone:
    """One clone."""

    reviews: Reviews
    folder: Path

    def env(self, *arguments: str, **environ: str) -> Done:
        """Run ``python -m pipeline env``."""
        return self.pipeline("env", *arguments, **environ)

    def pipeline(self, *arguments: str, **environ: str) -> Done:
        """Run ``python -m pipeline``."""
        command = ["python", "-m", "pipeline", *arguments]
        begun = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.reviews.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                kill(process)
                said, _ = process.communicate()
                raise AssertionError(f"{' '.join(command[2:])} took longer than {COMMAND_SECONDS} s:\n{said}") from None
        seconds = time.monotonic() - begun
        print(f"$ {' '.join(command[2:])}   # {seconds:.1f} s\n{said}")
        return Done(process.returncode, said, seconds)

    def kill_creating(self, name: str) -> None:
        """Make an environment, and kill it with everything that it has started once something of it runs."""
        done = subprocess.Popen(
            ["python", "-m", "pipeline", "env", "create", name, "--ttl", "1m"],
            cwd=self.folder,
            env=self.reviews.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        filters: dict[str, str | list[str] | bool] = {
            "label": [f"slipway.stack=review-{name}", "slipway.component=postgres"]
        }
        end = time.monotonic() + 200
        while not self.reviews.daemon.containers.list(filters=filters, ignore_removed=True):
            assert done.poll() is None, "it ended before it was killed"
            assert time.monotonic() < end, "nothing of it runs"
            time.sleep(0.1)
        kill(done)
        done.wait(30)

    def known(self) -> dict[str, dict[str, Any]]:
        """The list for programs, by name."""
        done = subprocess.run(
            ["python", "-m", "pipeline", "env", "list", "--format", "json"],
            cwd=self.folder,
            env=self.reviews.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return {each["name"]: each for each in json.loads(done.stdout)}

    def secret(self, name: str, environment: str) -> str:
        """One secret of an environment in clear, without a trace in what is printed."""
        done = subprocess.run(
            ["pulumi", "config", "get", f"secrets:{name}", "--stack", f"review-{environment}"],
            cwd=self.folder,
            env=self.reviews.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def files(self) -> list[str]:
        """What is in the folders of stacks, and of what the commands write down."""
        places = ("stacks", "pipeline/gateway", ".slipway/logs", ".slipway/build")
        return sorted(
            str(each.relative_to(self.folder))
            for place in places
            for each in (self.folder / place).rglob("*")
            if "__pycache__" not in each.parts and each.is_file()
        )


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(path.parent.name)
                found += [*descendants(child), child]
    return found


def kill(process: "subprocess.Popen[Any]") -> None:
    """Kill a process with all that it has started."""
    for each in [*descendants(process.pid), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


@pytest.fixture
def reviews(tmp_path: Path) -> Iterator[Reviews]:
    """A project whose environments are gone at the end."""
    made = Reviews(tmp_path).make()
    yield made
    made.close()


def at_once(*calls: Callable[[], Done]) -> list[Done]:
    """Run commands at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


@pytest.mark.docker
def test_two_at_once(reviews: Reviews) -> None:
    """Two environments have nothing in common but the gateway; a new clone updates, extends and destroys them."""
    first = reviews.clone("first", review={"review": seeded("of-one")})
    private = {"review": seeded("of-two"), "edge": {"basic_auth": "reviewer"}}
    second = reviews.clone("second", review=private)
    third = reviews.clone("third")
    before = (reviews.things(), reviews.backend(), third.files())

    one, two = at_once(
        lambda: first.env("create", "one", "--ttl", "2h"),
        lambda: second.env("create", "two", "--ttl", "1m", SLIPWAY_SECRET_BASIC_AUTH_PASSWORD="given"),
    )
    one.good()
    two.good()
    apart(reviews, first, second)

    # Another clone, as the next job has it: it knows the backend alone.
    listed = third.known()
    assert {name: each["url"] for name, each in listed.items()} == {
        name: f"http://{name}.review.example.org:{reviews.port}/" for name in ("one", "two")
    }
    (reviews.app / "config/version.py").write_text('"""The version that the pages show."""\n\nVERSION = "pushed"\n')
    first.env("create", "one").good()
    assert json.loads(reviews.ask("one", "/version").body)["version"] == "pushed"
    assert reviews.ask("one").text.count("of-one") == 1, "its data stays, and is not brought again"
    after = third.known()["one"]
    assert after["release"] != listed["one"]["release"]
    assert after["expires"] == listed["one"]["expires"]
    assert len([each for each in reviews.things() if each.startswith("image ")]) == 2, "the image of before is gone"

    running = reviews.running()
    third.env("extend", "one", "--ttl", "72h").good()
    assert third.known()["one"]["expires"] > after["expires"]
    assert reviews.running() == running, "nothing rolls"
    refused = third.env("gateway", "down").bad()
    assert "stack review-one, stack review-two are reached through it" in refused.text

    time.sleep(max(0, 61 - third.known()["two"]["age_seconds"]))
    assert "Gone:   two" in third.env("expire").good().text
    assert set(third.known()) == {"one"}
    gone = third.env("destroy", "one").good()
    assert "nothing carries the name review-one" in gone.text
    assert third.env("destroy", "one").good().text.endswith("There is no review environment one: nothing to do.\n")
    third.env("gateway", "down").good()
    assert (reviews.things(), reviews.backend(), third.files()) == before


def seeded(text: str) -> dict[str, Any]:
    """Say with which data environments start."""
    code = f"from guestbook.models import Entry; Entry.objects.create(name='seed', message='{text}')"
    return {"seed": {"command": f'python manage.py shell -c "{code}"'}}


def apart(reviews: Reviews, first: "Clone", second: "Clone") -> None:
    """Each of two environments answers at its own name, with data and passwords that the other does not have."""
    password = {"Authorization": f"Basic {base64.b64encode(b'reviewer:given').decode()}"}
    page = reviews.ask("one")
    assert page.status == 200
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert "of-one" in page.text
    assert "of-two" not in page.text
    assert reviews.ask("two").status == 401
    assert reviews.ask("two", "/healthz").status == 200
    other = reviews.ask("two", headers=password)
    assert other.status == 200
    assert "of-two" in other.text
    assert "of-one" not in other.text
    assert reviews.ask("three").status == 404
    assert "There is no environment three.review.example.org." in reviews.ask("three").text

    names = ("django_key", "postgres_password", "redis_password")
    mine = [first.secret(name, "one") for name in names]
    others = [second.secret(name, "two") for name in names]
    assert len({*mine, *others}) == 6
    for stack, foreign in (("review-one", others), ("review-two", mine)):
        found = reviews.daemon.containers.list(all=True, filters={"label": f"slipway.stack={stack}"})
        assert len(found) > 5
        text = json.dumps([each.attrs for each in found])
        assert not [value for value in [*mine, *others] if value in text]
        for each in found:
            if each.labels["slipway.component"] == "web":
                code, files = each.exec_run(["sh", "-c", "cat /run/secrets/*"])
                assert code == 0
                assert isinstance(files, bytes)
                assert not [value for value in foreign if value in files.decode()]
        networks = {name for each in found for name in each.attrs["NetworkSettings"]["Networks"]}
        own = f"{reviews.project}-{stack}-"
        assert networks <= {f"{own}edge", f"{own}internal", f"slipway-gateway-{reviews.gateway}", "none"}


@pytest.mark.docker
@pytest.mark.long
def test_ten_in_a_row_and_five_at_once(reviews: Reviews) -> None:
    """Afterwards everything is as before, also where one fails, one is killed and one cannot be destroyed at first."""
    clone = reviews.clone("clone", broken={"release": {"commands": ["exit 3"]}})
    volumes: set[str] = set()
    shown("before", reviews, clone)
    before = (reviews.things(), reviews.backend(), clone.files())
    clone.env("gateway", "up").good()
    ready = (reviews.things(), reviews.backend(), clone.files())

    created, destroyed = in_a_row(reviews, clone, volumes, ready[0])

    names = ["a", "b", "c", "d", "e"]
    killed = threading.Thread(target=clone.kill_creating, args=("e",))
    killed.start()
    done = at_once(
        *(
            partial(clone.env, "create", name, "--ttl", "1m", "--from", "broken" if name == "d" else "review")
            for name in names[:4]
        )
    )
    killed.join()
    volumes |= reviews.mounted()
    shown("five at once", reviews, clone)
    assert [each.code for each in done] == [0, 0, 0, 1]
    assert "Traceback" not in done[3].text
    assert [reviews.ask(name).status for name in names[:3]] == [200, 200, 200]
    listed = clone.known()
    assert sorted(listed) == names
    assert [listed[name]["url"] is None for name in names] == [False, False, False, True, True]

    # A container of somebody else on a network of one of them: Docker does not remove it then.
    network = f"{reviews.project}-review-b-edge"
    stranger = reviews.daemon.containers.run(reviews.image(), ["sleep", "3600"], network=network, detach=True)
    other = reviews.clone("other")
    try:
        time.sleep(max(0.0, 61 - min(each["age_seconds"] for each in clone.known().values())))
        failed = other.env("expire").bad()
        assert failed.code == 1
        assert "Failed: b (the reasons are above)" in failed.text
        assert set(other.known()) == {"b"}
    finally:
        stranger.remove(force=True)
    other.env("expire").good()
    assert (reviews.things(), reviews.backend()) == ready[:2]
    for name in names:  # the files of those in the clone that made them
        clone.env("destroy", name).good()
    assert clone.files() == ready[2]

    clone.env("gateway", "down").good()
    shown("after", reviews, clone)
    assert (reviews.things(), reviews.backend(), clone.files()) == before
    assert not volumes & {each.name for each in reviews.daemon.volumes.list()}
    assert statistics.median(created) < 60
    assert statistics.median(destroyed) < 30


def in_a_row(reviews: Reviews, clone: Clone, volumes: set[str], before: list[str]) -> tuple[list[float], list[float]]:
    """Make and destroy ten environments one after the other, and give how long each took, in seconds."""
    created, destroyed = [], []
    for number in range(10):
        name = f"row-{number}"
        created.append(clone.env("create", name).good().seconds)
        assert reviews.ask(name).status == 200
        volumes |= reviews.mounted()
        destroyed.append(clone.env("destroy", name).good().seconds)
        assert reviews.things() == before
    print(f"create: {[round(each, 1) for each in created]}\ndestroy: {[round(each, 1) for each in destroyed]}")
    return created, destroyed


@pytest.mark.docker
@pytest.mark.long
def test_what_goes_through_the_gateway(reviews: Reviews) -> None:
    """Websockets, bodies of many megabytes, and who asked for what."""
    said = {
        **edge.SETTINGS,
        "app": {**edge.APP, "source": str(edge.PROJECT)},
        "edge": {"websockets": "/ws/", "routes": {"/ws/": "sockets"}},
    }
    clone = reviews.clone("clone", review=said)
    clone.env("create", "sockets").good()

    with websocket(("127.0.0.1", reviews.port), "/ws/room", host="sockets.review.example.org") as open_:
        open_.say("hello")
        assert open_.hear().endswith(": hello")
    upload = reviews.ask("sockets", "/", method="POST", body=b"x" * (20 << 20))
    assert upload.status != 413, "the edge takes 25 MiB"
    assert reviews.ask("sockets", "/", method="POST", body=b"x" * (26 << 20)).status == 413
    clone.env("destroy", "sockets").good()
    clone.env("gateway", "down").good()


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(reviews: Reviews, cluster: Cluster) -> None:
    """The same commands make a namespace with an Ingress for the host name, and leave nothing of it."""
    reviews.environ |= {"KUBECONFIG": cluster.environ["KUBECONFIG"]}
    said = {**SMALL_ON_A_CLUSTER, "target": "kubernetes", "kubernetes": {"storage": STORAGE}}
    clone = reviews.clone("clone", review={**said, "review": {"domain": "review.example.org"}})
    namespace = f"{reviews.project}-review-one"
    before = reviews.backend()

    clone.env("create", "one").good()
    [ingress] = cluster.all("ingresses", namespace)
    assert [each["host"] for each in ingress["spec"]["rules"]] == ["one.review.example.org"]
    assert clone.known()["one"]["url"] == "http://one.review.example.org/"

    other = reviews.clone("other")
    assert "nothing carries the name review-one" in other.env("destroy", "one").good().text
    assert cluster.find("namespaces", None, namespace) is None
    assert reviews.backend() == before


def shown(when: str, reviews: Reviews, clone: "Clone") -> None:
    """Print what there is."""
    for what, found in (("daemon", reviews.things()), ("backend", reviews.backend()), ("files", clone.files())):
        print(f"--- {when}: {what}: {len(found)}", *found, sep="\n    ")
