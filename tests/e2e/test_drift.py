"""Drift on a Docker host: whatever somebody did by hand is found, and healed while visitors are served."""

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator

import docker.errors
import pytest
from docker.models.containers import Container

from tests.e2e.load import Kind, Load
from tests.e2e.site import RUN, Done, Site

pytestmark = pytest.mark.docker

DRIFT = 3
APP = {"name": f"drift-{RUN}"}
"""A name of its own, since a tag of its image is moved, which other tests may use under the usual one."""
VISITORS = (Kind("read", 1, 0.1), Kind("write", 1, 0.5), Kind("slow", 1, 0.5))
"""Few, since the containers that heal need the processor."""
STRANGER = "a container that Pulumi did not make"


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    """A stack with three web containers that is up."""
    site = make_site("drift", app=APP, web={"replicas": 3, "startup_seconds": 300}).secrets()
    site.up().good()
    return site


@pytest.fixture(autouse=True)
def logs(site: Site, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the containers logged when a test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        site.print_logs()


def drift(site: Site, *arguments: str, code: int = DRIFT) -> Done:
    """Look for drift, and insist on what comes of it."""
    done = site.pipeline("drift", site.stack, *arguments)
    assert done.code == code, f"exit code {done.code} instead of {code}:\n{done.text}"
    assert "Traceback" not in done.text
    return done


def lines(done: Done) -> list[str]:
    """The differences."""
    return sorted(line for line in done.text.splitlines() if ": declared " in line)


def named(site: Site, component: str) -> list[Container]:
    """The containers of a component in the order of their names, stopped ones too."""
    return sorted(site.containers(component), key=lambda each: str(each.name))


def overwrite(container: Container, path: str, text: str) -> None:
    """Write a file into a container, by hand."""
    folder, _, name = path.rpartition("/")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    assert container.put_archive(folder, packed.getvalue())


def configuration(site: Site) -> tuple[str, str]:
    """The path of the edge's configuration, and its text."""
    name = site.execute("edge", "cat", "/etc/slipway/current")
    path = f"/etc/slipway/{name}/nginx.conf"
    return path, site.execute("edge", "cat", path) + "\n"


def write(site: Site, path: str, text: str) -> None:
    """Write into the edge's configuration, which the edge itself cannot: through another container with its volume."""
    image = site.container("edge").image
    assert image is not None
    volume = f"{site.container('edge').name}"
    helper = site.daemon.containers.create(image, volumes={volume: {"bind": "/etc/slipway", "mode": "rw"}})
    try:
        overwrite(helper, path, text)
    finally:
        helper.remove()


def test_what_was_done_by_hand_is_found_and_healed(site: Site) -> None:
    """A container removed, limits, a network, an extra one, a moved tag, a file: all found, all healed, none noticed."""
    assert "No drift: 12 containers" in drift(site, code=0).text
    first, second, third = named(site, "web")
    redis, edge = site.container("redis"), site.container("edge")
    postgres = site.container("postgres")
    path, text = configuration(site)
    assert first.image is not None
    [tag] = first.image.tags
    release = tag.partition(":")[2]
    other = redis.image
    assert other is not None

    first.update(mem_limit="300m", memswap_limit="300m")
    site.daemon.networks.get(str(edge.name)).disconnect(second)
    third.remove(force=True)
    extra = site.daemon.containers.create(
        first.image, name=f"{site.stack}-extra", labels={**first.labels, "slipway.release": "0ld"}
    )
    assert other.tag(*tag.split(":"))
    time.sleep(5)  # the edge looks up who is there every few seconds
    write(site, path, text.replace("client_max_body_size 25m", "client_max_body_size 26m"))

    found = drift(site)
    # On a slow machine the edge may have loaded the file meanwhile, since the addresses of two are gone.
    loaded = [line for line in lines(found) if ": configuration in use: " in line]
    assert [line for line in lines(found) if line not in loaded] == sorted(
        [
            f"app ({tag}): image of the tag: declared {str(first.image.id)[:19]}, found {str(other.id)[:19]}",
            f'edge ({edge.name}): file {path}: declared "client_max_body_size 25m;", found "client_max_body_size 26m;"',
            f'web ({first.name}): memory with swap: declared "512 MiB", found "300 MiB"',
            f'web ({first.name}): memory: declared "512 MiB", found "300 MiB"',
            f'web ({second.name}): network {edge.name}: declared "joined", found nothing',
            f"web ({third.name}): state: declared running, found no such container",
            f"web ({extra.name}): state: declared nothing, found {STRANGER}, created, of release 0ld",
        ]
    )
    assert f"Drift: {7 + len(loaded)} differences in 3 components" in found.text
    before = site.running()

    with Load(site.port, kinds=VISITORS) as load:
        load.wait_for(20)
        healed = drift(site, "--heal", code=0)
        load.wait_for(20)
    print(load.summary())

    assert load.failures == []
    assert "No drift: 12 containers" in healed.text
    assert configuration(site)[1] == text
    assert site.daemon.images.get(tag).labels["org.opencontainers.image.revision"] == release
    with pytest.raises(docker.errors.NotFound):
        extra.reload()
    kept = {name for name, started in site.running().items() if before.get(name) == started}
    assert {str(edge.name), str(redis.name), str(postgres.name)} <= kept
    if not loaded:  # else all of them roll, so that the edge loads the declared configuration
        assert str(first.name) in kept
    assert set(load.acknowledged) <= set(site.sql("select message from guestbook_entry where name = 'Load'"))


@pytest.mark.long
def test_a_server_started_again_by_hand(site: Site) -> None:
    """Another environment and no labels: each difference is named, its secret is not, and the data stays."""
    redis = site.container("redis")
    redis.stop()
    assert lines(drift(site)) == [f"redis ({redis.name}): state: declared running, found exited"]
    name, image = str(redis.name), redis.image
    assert image is not None
    redis.remove()
    site.daemon.containers.run(
        image,
        ["redis-server"],
        name=name,
        detach=True,
        environment={"CACHE_PASSWORD": "hunter2"},
        network=name.removesuffix("-redis") + "-internal",
    )

    found = drift(site, "--format", "json")
    document = json.loads(found.text[found.text.index("{") :])
    properties = {each["property"]: each for each in document["differences"]}
    assert document["drift"] is True
    assert properties["identity"]["heal"] == "removed"
    assert properties["environment CACHE_PASSWORD"]["found"] == "[not shown]"
    assert properties["read-only root"] == {
        "component": "redis",
        "name": name,
        "property": "read-only root",
        "declared": "yes",
        "found": "nothing",
        "heal": "made again",
    }
    assert {"label slipway.declared", "memory", "user", "health check", "mount /data"} <= set(properties)
    assert "hunter2" not in found.text

    drift(site, "--heal", code=0)
    assert site.container("redis").attrs["HostConfig"]["ReadonlyRootfs"]


@pytest.mark.long
def test_the_network_of_the_database(site: Site) -> None:
    """A database that left its network is made again on the data that it had, and web is not touched."""
    postgres = site.container("postgres")
    network = str(postgres.name).removesuffix("-postgres") + "-internal"
    rows = site.sql("select count(*) from guestbook_entry")
    web = [each.id for each in named(site, "web")]
    site.daemon.networks.get(network).disconnect(postgres)

    assert lines(drift(site)) == [f'postgres ({postgres.name}): network {network}: declared "joined", found nothing']
    drift(site, "--heal", code=0)

    assert site.sql("select count(*) from guestbook_entry") == rows
    assert [each.id for each in named(site, "web")] == web


@pytest.mark.long
def test_a_missing_volume(site: Site) -> None:
    """A volume of static files is filled again; one with data is not made anew unless somebody says so."""
    prefix = str(site.container("edge").name).removesuffix("-edge")
    for component in ("edge", "static"):
        for each in named(site, component):
            each.remove(force=True)
    site.daemon.volumes.get(f"{prefix}-static").remove()
    found = drift(site)
    assert f"static (volume {prefix}-static): state: declared there, found no such volume" in lines(found)
    drift(site, "--heal", code=0)
    assert site.ask("/").status == 200
    assert site.execute("edge", "ls", "/srv/static")

    for component in ("edge", "web"):
        for each in named(site, component):
            each.remove(force=True)
    site.daemon.volumes.get(f"{prefix}-media").remove()
    refused = site.pipeline("drift", site.stack, "--heal").bad()
    assert refused.code == 1
    assert f"media (volume {prefix}-media): no such volume; its data is gone" in refused.text
    assert not site.containers("edge")
    drift(site, "--heal", "--new-volumes", code=0)
    assert site.ask("/").status == 200


@pytest.mark.long
def test_what_the_edge_has_loaded(site: Site) -> None:
    """A changed file that the edge has loaded is a difference of its own, and healing makes it load the declared one."""
    path, text = configuration(site)
    write(site, path, text.replace("client_max_body_size 25m", "client_max_body_size 26m"))
    site.container("edge").restart()
    deadline = time.monotonic() + 20
    while site.execute("edge", "sh", "-c", "grep -c 26m /tmp/edge/active/nginx.conf || true") != "1":
        assert time.monotonic() < deadline, "the edge did not load the changed file"
        time.sleep(0.5)

    found = drift(site)
    edge = site.container("edge").name
    assert lines(found) == sorted(
        f'edge ({edge}): {what}: declared "client_max_body_size 25m;", found "client_max_body_size 26m;"'
        for what in (f"file {path}", "configuration in use")
    )
    with Load(site.port, kinds=VISITORS) as load:
        drift(site, "--heal", code=0)
    assert load.failures == []
    assert site.execute("edge", "sh", "-c", "grep -c 25m /tmp/edge/active/nginx.conf") == "1"


@pytest.mark.long
def test_what_a_failed_release_left(site: Site) -> None:
    """Containers of a release that never served are drift; healing is refused, so that it never serves."""
    site.change("guestbook/views.py", "status=503 if failed else 200,", "status=503,")
    site.set(app=APP, web={"replicas": 3, "startup_seconds": 15})
    site.up().bad()

    found = drift(site)
    assert [line for line in lines(found) if ", left by an update that did not end" in line]

    refused = site.pipeline("drift", site.stack, "--heal").bad()
    assert f"the last update of stack {site.stack} did not end well, and healing is no update" in refused.text
    assert site.ask("/").status == 200
    assert site.ask("/healthz").status == 200  # as the release before has it
