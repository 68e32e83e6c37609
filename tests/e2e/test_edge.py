"""Edge and switch in real containers, in front of small servers that stand for the app.

The load is small and the network is one host's: what is shown is that a switch loses nothing, not how much nginx can do.
"""

import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import pytest
from docker.models.containers import Container
from docker.types import Mount

from components import edge_rules, nginx, routes
from components.model import Settings
from tests.sample import settings

pytestmark = pytest.mark.docker

APP = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path.split("/")[2]))
        said = {"name": os.environ["NAME"], "headers": dict(self.headers), "body": len(body)}
        text = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_POST = answer
    def log_message(self, *args):
        pass

ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("0.0.0.0", 8000), App).serve_forever()
"""

HARDENED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "size=16m"},  # noqa: S108 - inside the container
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
}


class World:
    """A network, the volumes of an edge, and the containers of one test."""

    def __init__(self, client: docker.DockerClient) -> None:
        """Make what every test needs, but no container."""
        self.client = client
        self.prefix = f"slipway-test-edge-{secrets.token_hex(3)}"
        self.settings = settings()
        self.containers: list[Container] = []
        self.network = client.networks.create(f"{self.prefix}-edge")
        self.volumes = [client.volumes.create(f"{self.prefix}-{name}") for name in ("config", "static", "media")]
        self.edge: Container | None = None
        self.port = 0

    def run(self, image: str, command: Sequence[str], **options: Any) -> Container:  # noqa: ANN401 - Docker's options
        """Start a container that ``close()`` removes."""
        container = self.client.containers.create(
            image, list(command), network=self.network.name, **{**HARDENED, **options}
        )
        self.containers.append(container)
        container.start()
        return container

    def app(self, name: str) -> str:
        """Start a server that stands for a web container; give its ``host:port``."""
        host = f"{self.prefix}-{name}"
        container = self.run(
            f"python:{self.settings.app.python}-slim",
            ["python3", "-c", APP],
            name=host,
            environment={"NAME": name},
            user="10001:10001",
        )
        wait(lambda: b":1F40 " in container.exec_run("cat /proc/net/tcp").output, 20, f"{name} listens")
        return f"{host}:8000"

    def start_edge(self) -> None:
        """Start the edge as the component does."""
        self.edge = self.run(
            self.settings.edge.image,
            nginx.edge_command(),
            name=f"{self.prefix}-nginx",
            user="101:101",
            init=True,
            ports={f"{nginx.HTTP_PORT}/tcp": ("127.0.0.1", None)},
            mounts=[
                Mount(target, f"{self.prefix}-{name}", read_only=True)
                for target, name in (
                    (nginx.CONFIG_DIR, "config"),
                    (edge_rules.STATIC_DIR, "static"),
                    (edge_rules.MEDIA_DIR, "media"),
                )
            ],
        )
        self.find_edge()

    def find_edge(self) -> None:
        """Learn the published port and wait until nginx answers there."""
        assert self.edge is not None
        self.edge.reload()
        self.port = int(self.edge.attrs["NetworkSettings"]["Ports"][f"{nginx.HTTP_PORT}/tcp"][0]["HostPort"])
        wait(lambda: self.get("/") is not None, 20, "the edge answers")

    def switch(self, members: Sequence[str], site: str | None = None, **environment: str) -> tuple[int, str]:
        """Run a switch as the component does; give its exit code and what it said."""
        text = nginx.site(self.settings) if site is None else site
        container = self.run(
            self.settings.edge.image,
            nginx.switch_command(),
            user="0:0",
            environment={**nginx.switch_environment(text, members, f"{self.prefix}-nginx"), **environment},
            mounts=[Mount(nginx.CONFIG_DIR, f"{self.prefix}-config")],
        )
        code = container.wait(timeout=60)["StatusCode"]
        return code, bytes(container.logs()).decode()

    def put(self, volume: str, files: Mapping[str, str]) -> None:
        """Write files into a volume."""
        script = "".join(f"printf %s '{text}' >/v/{name}; " for name, text in files.items())
        container = self.run(
            self.settings.edge.image,
            ["sh", "-c", script],
            mounts=[Mount("/v", f"{self.prefix}-{volume}")],
        )
        assert container.wait(timeout=30)["StatusCode"] == 0

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask the edge over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def get(self, path: str) -> int | None:
        """Give the status of a page, or nothing when nobody answers."""
        try:
            return self.request("GET", path)[0]
        except OSError:
            return None

    def name(self) -> str:
        """Ask which server answers."""
        status, _, body = self.request("GET", "/")
        assert status == 200, body
        return str(json.loads(body)["name"])

    def status(self, path: str) -> str:
        """Ask the edge's status listener."""
        assert self.edge is not None
        output = self.edge.exec_run(["curl", "-s", f"http://127.0.0.1:{nginx.STATUS_PORT}/{path}"]).output
        assert isinstance(output, bytes)
        return output.decode()

    def logs(self) -> str:
        """Give what the edge said, for a test that fails."""
        return bytes(self.edge.logs(tail=60)).decode() if self.edge is not None else ""

    def close(self) -> None:
        """Remove everything."""
        for container in reversed(self.containers):
            container.remove(force=True, v=True)
        self.network.remove()
        for volume in self.volumes:
            volume.remove()


def wait(happened: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is true."""
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        time.sleep(0.1)


@pytest.fixture
def world() -> Iterator[World]:
    """Give a running edge without a release."""
    client = docker.from_env(timeout=60)
    made = World(client)
    try:
        made.start_edge()
        yield made
    finally:
        print(made.logs())
        made.close()
        client.close()


def site_with(**edge: object) -> str:
    """Give the configuration of a stack whose edge has other settings."""
    return nginx.site(settings({"edge": edge}))


def test_without_a_release_the_edge_answers_503(world: World) -> None:
    """An edge that has nothing to serve is healthy, and says so to visitors with a 503."""
    assert world.edge is not None
    assert world.request("GET", "/")[0] == 503
    assert world.status("id") == "none\n"
    assert world.edge.exec_run(nginx.edge_health_command()).exit_code == 0


def test_a_switch_loses_no_request(world: World) -> None:
    """Four switches under load, with slow requests in flight: every request is answered with 200."""
    members = {name: world.app(name) for name in ("blue", "green")}
    assert world.switch([members["blue"]])[0] == 0
    done = threading.Event()
    problems: list[object] = []
    counts = {"GET": 0, "POST": 0, "slow": 0}
    names: set[str] = set()

    def load(kind: str) -> None:
        while not done.is_set():
            try:
                method, path, body = {
                    "GET": ("GET", "/", None),
                    "POST": ("POST", "/", b"x" * 2000),
                    "slow": ("GET", "/slow/2", None),
                }[kind]
                status, _, text = world.request(method, path, body)
            except OSError as error:
                problems.append((kind, error))
                continue
            if status == 200:
                counts[kind] += 1
                names.add(json.loads(text)["name"])
            else:
                problems.append((kind, status, text[:200]))
            time.sleep(0.01)

    with ThreadPoolExecutor() as pool:
        running = [pool.submit(load, kind) for kind in ("GET", "GET", "POST", "POST", "slow", "slow")]
        try:
            for name in ("green", "blue", "green", "blue"):
                time.sleep(0.8)
                code, said = world.switch([members[name]])
                assert code == 0, said
                assert {world.name() for _ in range(5)} == {name}, "old and new never share traffic"
        finally:
            done.set()
        for each in running:
            each.result(timeout=30)
    assert problems == []
    assert names == {"blue", "green"}
    assert counts["GET"] > 100
    assert counts["POST"] > 100
    assert counts["slow"] > 4


def test_all_members_serve(world: World) -> None:
    """Requests go to every web container of a release."""
    members = [world.app(name) for name in ("one", "two")]
    assert world.switch(members)[0] == 0
    assert {world.name() for _ in range(20)} == {"one", "two"}


def test_each_upstream_has_its_members(world: World) -> None:
    """A path goes to the process that its route names; while nobody is there, it alone answers 502, until somebody is."""
    processes = {"sockets": {"command": "x", "port": 8000}}
    site = nginx.site(settings({"processes": processes, "edge": {"routes": {"/ws/": "sockets"}}}))
    web, late = world.app("web"), f"{world.prefix}-late:8000"

    assert world.switch([web, routes.member("process-sockets", late)], site)[0] == 0
    assert world.name() == "web"
    assert world.get("/ws/room") == 502

    world.app("late")
    wait(lambda: world.get("/ws/room") == 200, 20, "the edge finds the new address")
    assert json.loads(world.request("GET", "/ws/room")[2])["name"] == "late"
    assert json.loads(world.request("POST", "/ws/room", b"x" * 11_000_000)[2])["body"] == 11_000_000
    assert world.name() == "web"


def test_a_refused_configuration_changes_nothing(world: World) -> None:
    """What nginx refuses is named with nginx' own words; what served before goes on, also after a restart."""
    member = world.app("blue")
    code, said = world.switch([member], "nonsense;\n")
    assert code == 1
    assert 'unknown directive "nonsense"' in said
    assert "line 1: nonsense;" in said
    assert world.request("GET", "/")[0] == 503
    assert world.switch([member])[0] == 0
    served = world.status("id")
    code, said = world.switch([member], site_with(max_body_mb=7).replace("sendfile on;", "sendfile maybe;"))
    assert code == 1
    assert "switch: the edge refused the configuration" in said
    assert 'invalid value "maybe" in "sendfile" directive' in said
    assert world.status("id") == served
    assert world.name() == "blue"
    assert world.edge is not None
    world.edge.restart(timeout=20)
    world.find_edge()
    assert world.name() == "blue"
    assert world.status("id") == served
    assert "404" in world.status("rejected")


def test_a_setting_is_a_reload(world: World) -> None:
    """Another limit on requests arrives without another container."""
    assert world.edge is not None
    started = world.edge.attrs["State"]["StartedAt"]
    member = world.app("blue")
    assert world.switch([member], site_with(max_body_mb=1))[0] == 0
    assert world.request("POST", "/", b"x" * 1_500_000)[0] == 413
    assert world.switch([member], site_with(max_body_mb=2))[0] == 0
    status, _, body = world.request("POST", "/", b"x" * 1_500_000)
    assert (status, json.loads(body)["body"]) == (200, 1_500_000)
    world.edge.reload()
    assert world.edge.attrs["State"]["StartedAt"] == started


def test_a_request_may_be_larger_than_the_memory_for_it(world: World) -> None:
    """Large bodies are passed on as they come: several at once do not fill the 16 MB that the edge can write to."""
    assert world.switch([world.app("blue")], site_with(max_body_mb=40))[0] == 0
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda size: world.request("POST", "/", b"x" * size), [30_000_000] * 3 + [5_000_000]))
    assert [(status, json.loads(body)["body"]) for status, _, body in answers] == [
        *[(200, 30_000_000)] * 3,
        (200, 5_000_000),
    ]
    assert world.request("POST", "/", b"x" * 42_000_000)[0] == 413


def test_a_member_with_a_new_address_is_found(world: World) -> None:
    """A web container that comes back under another address serves again, without a switch."""
    member = world.app("blue")
    assert world.switch([member])[0] == 0
    container = world.client.containers.get(member.removesuffix(":8000"))
    before = _address(world, container)
    container.stop(timeout=1)
    world.run(world.settings.edge.image, ["sleep", "60"])  # takes the address that has become free
    container.start()
    assert _address(world, container) != before
    # A worker of before the reload may take one more request.
    wait(lambda: all(world.get("/") == 200 for _ in range(10)), 20, "the edge finds the new address")
    assert world.name() == "blue"


def test_a_dead_member_is_left_out(world: World) -> None:
    """When one of two web containers dies, the other one answers; what fails is over within seconds."""
    members = [world.app(name) for name in ("one", "two")]
    assert world.switch(members)[0] == 0
    world.client.containers.get(members[0].removesuffix(":8000")).kill()
    assert [world.get("/") for _ in range(10)] == [200] * 10
    wait(lambda: world.name() == "two", 20, "the dead one is left out")


def test_a_stopped_edge_finishes_requests(world: World) -> None:
    """Docker's stop lets a slow request end with 200, and the edge exits with 0 well before it would be killed."""
    assert world.edge is not None
    member = world.app("blue")
    assert world.switch([member])[0] == 0
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(world.request, "GET", "/slow/3")
        time.sleep(0.5)
        started = time.monotonic()
        world.edge.stop(timeout=30)
        took = time.monotonic() - started
        assert slow.result(timeout=30)[0] == 200
    assert took < 15
    world.edge.reload()
    assert world.edge.attrs["State"]["ExitCode"] == 0


def test_a_switch_without_an_edge_fails_in_time(world: World) -> None:
    """A switch that reaches no edge says so, and leaves nothing that an edge would take later."""
    assert world.edge is not None
    world.edge.stop(timeout=20)
    code, said = world.switch(["nowhere:8000"], SLIPWAY_TIMEOUT="2")
    assert code == 1
    assert said == f"switch: the edge does not answer at http://{world.prefix}-nginx:8081/id\n"
    world.edge.start()
    world.find_edge()
    assert world.status("id") == "none\n"


def test_headers_that_the_app_trusts_are_the_edges_own(world: World) -> None:
    """A visitor cannot choose what the app believes, unless only this host can connect."""
    member = world.app("blue")
    lies = {
        "Host": "shop.example.org",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "Proxy": "http://evil.example",
        "SCRIPT_NAME": "/evil",
    }

    def seen(settings_: Settings) -> dict[str, str]:
        assert world.switch([member], nginx.site(settings_))[0] == 0
        headers = json.loads(world.request("GET", "/", headers=lies)[2])["headers"]
        assert not {"Forwarded", "Proxy", "SCRIPT_NAME", "X-Forwarded-Port"} & headers.keys()
        assert headers["Host"] == headers["X-Forwarded-Host"] == "shop.example.org"
        return dict(headers)

    public = seen(settings({"edge": {"address": "0.0.0.0"}}))  # noqa: S104 - not published there
    assert public["X-Forwarded-Proto"] == "http"
    assert public["X-Forwarded-For"] == public["X-Real-IP"] != "203.0.113.9"
    local = seen(settings({"edge": {"address": "127.0.0.1"}}))
    assert local["X-Forwarded-Proto"] == "https"
    assert local["X-Forwarded-For"] == local["X-Real-IP"] == "203.0.113.9"


def test_files_are_served_by_nginx(world: World) -> None:
    """Static files are cached for ever when their name has a hash; uploads cannot run as part of the site."""
    world.put("static", {"app.0123456789ab.css": "a" * 3000, "plain.css": "b"})
    world.put("media", {"photo.png": "p", "page.html": "<p>", "drawing.SVG": "s"})
    assert world.switch([world.app("blue")])[0] == 0
    status, headers, body = world.request("GET", "/static/app.0123456789ab.css", headers={"Accept-Encoding": "gzip"})
    assert status == 200
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"] == "text/css; charset=utf-8"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert len(body) < 100
    status, headers, _ = world.request("GET", "/static/plain.css")
    assert (status, headers["Cache-Control"], headers["X-Content-Type-Options"]) == (
        200,
        "public, max-age=60",
        "nosniff",
    )
    status, headers, _ = world.request("GET", "/static/none.0123456789ab.css")
    assert (status, headers.get("Cache-Control"), headers["Server"]) == (404, None, "nginx")
    for name, disposition in (("photo.png", None), ("page.html", "attachment"), ("drawing.SVG", "attachment")):
        status, headers, _ = world.request("GET", f"/media/{name}")
        assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert headers.get("Content-Disposition") == disposition
    assert world.request("GET", "/media/../static/../../etc/passwd")[0] in {400, 404}


def _address(world: World, container: Container) -> str:
    container.reload()
    return str(container.attrs["NetworkSettings"]["Networks"][world.network.name]["IPAddress"])
