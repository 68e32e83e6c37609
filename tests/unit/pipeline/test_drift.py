"""Drift: what differs is named, no secret is shown, and healing replaces what Pulumi does not see."""

import argparse
import contextlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import docker.errors
import pytest

from components.model import Target as Name
from pipeline import targets
from pipeline.console import PipelineError
from pipeline.drift import command
from pipeline.drift.difference import Difference, Look, Remedy, document, parted, safe, text
from pipeline.engine import Engine
from pipeline.host import drift, found
from tests.unit.pipeline.fake_pulumi import Fake, printed
from tests.unit.test_declaration import DESCRIBED, INPUTS

URN = "urn:pulumi:dev::slipway::slipway:docker:Web$docker:index/container:Container::shop-dev-web-1"
IMAGE = {"Config": {"Env": ["PATH=/bin", "A=0"], "Labels": {"maker": "us"}, "User": "1", "Cmd": ["serve"]}}


def inspected() -> dict[str, Any]:
    """What the daemon tells of a container that is as INPUTS declare it."""
    return {
        "Image": "sha256:1",
        "Config": {
            "User": "10001:10001",
            "Hostname": "mq",
            "StopSignal": "SIGINT",
            "Cmd": ["sh", "-c", "a b"],
            "Entrypoint": ["/entry"],
            "Env": ["A=1", "B=x=y", "PATH=/bin"],
            "Labels": {"slipway.component": "web", "maker": "us"},
            "Healthcheck": {
                "Test": ["CMD", "true"],
                "Interval": 3_000_000_000,
                "Timeout": 6_000_000_000,
                "StartPeriod": 90_000_000_000,
                "Retries": 3,
            },
        },
        "HostConfig": {
            "ReadonlyRootfs": True,
            "Init": True,
            "CapDrop": ["ALL"],
            "CapAdd": ["CHOWN", "DAC_OVERRIDE"],
            "SecurityOpt": ["no-new-privileges:true"],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
            "Memory": 512 * 1024 * 1024,
            "MemorySwap": 512 * 1024 * 1024,
            "NanoCpus": 500_000_000,
            "ShmSize": 128 * 1024 * 1024,
            "RestartPolicy": {"Name": "unless-stopped"},
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
            "Mounts": [{"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": {"SizeBytes": 67108864, "Mode": 1023}}],  # noqa: S108 - in a container
        },
        "Mounts": [
            {"Type": "volume", "Name": "media", "Destination": "/app/media", "RW": True},
            {"Type": "volume", "Name": "hidden", "Destination": "/run/secrets", "RW": False},
            {"Type": "tmpfs", "Destination": "/tmp", "RW": True},  # noqa: S108 - in a container
        ],
        "NetworkSettings": {"Networks": {"edge": {}}},
    }


def compared(attributes: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Hold a container against INPUTS."""
    return list(found.differences(DESCRIBED, found.describe(attributes, IMAGE), found.of_image(IMAGE)))


def test_what_runs_as_declared_does_not_differ() -> None:
    """What comes from the image or is the daemon's own choice is no difference."""
    assert compared(inspected()) == []


@pytest.mark.parametrize(
    ("where", "value", "difference"),
    [
        (("Config", "Env"), ["A=2", "B=x=y", "PATH=/bin"], ("environment A", "1", "2")),
        (("Config", "Env"), ["B=x=y", "PATH=/bin"], ("environment A", "1", "nothing")),
        (("Config", "Env"), ["A=1", "B=x=y", "PATH=/evil"], ("environment PATH", "/bin", "/evil")),
        (("Config", "Env"), ["A=1", "B=x=y", "PATH=/bin", "C=3"], ("environment C", "nothing", "3")),
        (("Config", "Labels"), {"maker": "us"}, ("label slipway.component", "web", "nothing")),
        (("Config", "Cmd"), ["sh"], ("command", "sh -c 'a b'", "sh")),
        (("Config", "User"), "", ("user", "10001:10001", "nothing")),
        (("HostConfig", "Privileged"), True, ("privileged", "nothing", "yes")),
        (("HostConfig", "ReadonlyRootfs"), False, ("read-only root", "yes", "nothing")),
        (("HostConfig", "CapAdd"), ["CAP_CHOWN", "DAC_OVERRIDE", "SYS_ADMIN"],
         ("capabilities added", "CHOWN, DAC_OVERRIDE", "CHOWN, DAC_OVERRIDE, SYS_ADMIN")),
        (("HostConfig", "Memory"), 256 * 1024 * 1024, ("memory", "512 MiB", "256 MiB")),
        (("HostConfig", "NanoCpus"), 2_000_000_000, ("CPUs", "0.5", "2")),
        (("HostConfig", "NanoCpus"), 0, ("CPUs", "0.5", "nothing")),
        (("HostConfig", "Mounts"), [], ("mount /tmp", "64 MiB in memory, mode 1777", "nothing")),
        (("HostConfig", "PortBindings"), {}, ("port 8080/tcp", "127.0.0.1:8080", "nothing")),
        (("HostConfig", "RestartPolicy"), {"Name": ""}, ("restart policy", "unless-stopped", "nothing")),
        (("NetworkSettings", "Networks"), {}, ("network edge", "joined", "nothing")),
        (("NetworkSettings", "Networks"), {"edge": {}, "bridge": {}}, ("network bridge", "nothing", "joined")),
    ],
)  # fmt: skip
def test_each_property_that_differs_is_named(
    where: tuple[str, str], value: object, difference: tuple[str, str, str]
) -> None:
    """With what was declared and what was found."""
    attributes = inspected()
    attributes[where[0]][where[1]] = value

    assert compared(attributes) == [difference]


def test_a_volume_that_the_image_wants_is_no_difference() -> None:
    """Docker makes one without a name where nothing else is mounted."""
    attributes = inspected()
    attributes["Mounts"].append({"Type": "volume", "Name": "0f" * 32, "Destination": "/data", "RW": True})
    wants = {"Config": {**IMAGE["Config"], "Volumes": {"/data": {}}}}

    assert "mount /data" not in found.describe(attributes, wants)
    assert found.describe(attributes, IMAGE)["mount /data"] == f"volume {'0f' * 32}, writable"


@pytest.mark.parametrize(
    ("name", "value", "declared", "shown"),
    [
        ("environment CACHE_TTL", "60", True, '"60"'),
        ("environment CACHE_TTL", "60", False, "[not shown]"),
        ("environment API_TOKEN", "hunter2", True, "[not shown]"),
        ("environment SECRET_KEY_FILE", "/run/secrets/secret_key", True, '"/run/secrets/secret_key"'),
        ("environment BROKER", "amqp://app:hunter2@mq/", True, '"amqp://app:[not shown]@mq/"'),
        ("command", "redis-server --requirepass hunter2", True, '"redis-server --requirepass [not shown]"'),
        ("command", "serve --password hunter2", True, '"serve --password [not shown]"'),
        ("command", "serve TOKEN=hunter2 x", True, '"serve TOKEN=[not shown] x"'),
        ("command", "a\nb", True, '"a\\nb"'),
        ("command", "x" * 200, True, f'"{"x" * 119}…"'),
    ],
)
def test_no_secret_is_shown(name: str, value: str, declared: bool, shown: str) -> None:  # noqa: FBT001 - a parameter
    """What nobody declared may hold anything, and what looks like a secret is none of the reader's business."""
    assert safe(name, value, declared=declared) == shown


def test_long_texts_are_cut_to_where_they_differ() -> None:
    """A configuration of nginx is long."""
    assert parted("a\nb 1;\nc\n", "a\nb 2;\nc\n") == ("b 1;", "b 2;")
    assert parted("a\n", "a\nmore\n") == ("nothing more", "more")


def test_for_people_and_for_programs() -> None:
    """One line for each difference, and the same as JSON."""
    one = Difference(
        component="web",
        name="shop-dev-web-1",
        what="memory",
        declared='"512 MiB"',
        found='"256 MiB"',
        remedy=Remedy.UPDATE,
    )
    assert text("dev", Look(containers=9)) == ["No drift: 9 containers of stack dev are as they were declared."]
    assert text("dev", Look(containers=9, differences=[one])) == [
        'web (shop-dev-web-1): memory: declared "512 MiB", found "256 MiB"',
        "Drift: 1 difference in 1 component of stack dev.",
    ]
    entry = {
        "component": "web",
        "name": "shop-dev-web-1",
        "property": "memory",
        "declared": "512 MiB",
        "found": "256 MiB",
        "heal": "updated",
    }
    assert json.loads(document("dev", Look(containers=9, differences=[one]), [one])) == {
        "stack": "dev",
        "drift": True,
        "containers": 9,
        "differences": [entry],
        "healed": [entry],
    }


class Box:
    """A made-up container."""

    def __init__(self, identity: str, name: str, status: str = "running", files: dict[str, str] | None = None) -> None:
        self.id, self.name, self.status = identity, name, status
        self.attrs = inspected()
        self.attrs["Config"]["Labels"] = {**LABELS, "maker": "us"}
        self.removed = False
        self.files = files or {}

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.attrs["Config"]["Labels"])

    def remove(self, **_: object) -> None:
        """Be gone."""
        self.removed = True

    def get_archive(self, _path: str) -> tuple[Iterator[bytes], None]:
        """Give its files."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in self.files.items():
                member = tarfile.TarInfo(f"slipway/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content.encode()))
        return iter([packed.getvalue()]), None

    def exec_run(self, _command: list[str]) -> tuple[int, bytes]:
        """Say what is loaded."""
        return 0, self.files.get("loaded", "").encode()


class Thing:
    """A made-up image, volume or network."""

    def __init__(self, identity: str, name: str = "", **attrs: object) -> None:
        self.id, self.name, self.attrs = identity, name, attrs
        self.tags: list[tuple[str, str]] = []

    def tag(self, *name: str) -> None:
        """Take a name."""
        self.tags.append((name[0], name[1]))


class Shelf:
    """A made-up collection."""

    def __init__(self, *things: Any) -> None:  # noqa: ANN401 - of any kind
        self.things = list(things)

    def list(self, **_: object) -> Any:  # noqa: ANN401 - of any kind
        """Give all."""
        return self.things

    def get(self, key: str) -> Any:  # noqa: ANN401 - of any kind
        """Give one, by its identity or its name."""
        for each in self.things:
            if key in (each.id, each.name):
                return each
        raise docker.errors.ImageNotFound(key)


class Daemon:
    """A made-up Docker daemon."""

    def __init__(self, *boxes: Box) -> None:
        self.containers = Shelf(*boxes)
        self.images = Shelf(Thing("sha256:1", "shop:0123456789ab", **IMAGE))
        self.volumes = Shelf(Thing("media", "media"))
        self.networks = Shelf(Thing("n1", "edge", Internal=False))


LABELS = {
    "slipway.project": "shop",
    "slipway.stack": "dev",
    "slipway.component": "web",
    "slipway.release": "0123456789ab",
}


def labels(component: str = "web") -> list[dict[str, str]]:
    """Labels as the plugin has them."""
    return [{"label": name, "value": value} for name, value in {**LABELS, "slipway.component": component}.items()]


def resource(kind: str, identity: str, inputs: dict[str, Any], **more: object) -> dict[str, Any]:
    """A resource of the state."""
    named = {"name": inputs.get("name", identity)}
    base = {"type": kind, "id": identity, "urn": URN, "inputs": inputs, "outputs": {**named}, "parent": "x::Web::web"}
    return {**base, **more}


def state(*more: dict[str, Any], **inputs: object) -> dict[str, Any]:
    """A state with one web container, a network, a volume and an image."""
    web = {**INPUTS, "labels": labels(), "mustRun": True, "name": "web-1", "__defaults": ["name"], **inputs}
    return {
        "resources": [
            resource("docker:index/container:Container", "c1", web),
            resource(
                "docker:index/network:Network", "n1", {"name": "edge", "internal": False, "labels": labels("edge")}
            ),
            resource("docker:index/volume:Volume", "media", {"name": "media", "labels": labels("media")}),
            resource(
                "docker:index/remoteImage:RemoteImage",
                "r1",
                {"name": "shop:0123456789ab"},
                outputs={"imageId": "sha256:1"},
                parent="urn:pulumi:dev::slipway::slipway:docker:AppImage::app",
            ),
            *more,
        ]
    }


Looker = Callable[..., list[Difference]]


@pytest.fixture
def look(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Looker:
    """Look at a made-up daemon."""

    def looked(client: Daemon, known: dict[str, Any] | None = None) -> list[Difference]:
        monkeypatch.setattr(drift, "daemon", lambda _environ: contextlib.nullcontext(client))
        return list(drift.look(engine, known or state()).differences)

    return looked


def lines(differences: list[Difference]) -> list[tuple[str, Remedy]]:
    """What is said, and how it heals."""
    return [(each.line(), each.remedy) for each in differences]


def test_a_stack_as_it_was_declared(look: Looker) -> None:
    """Nothing differs."""
    assert look(Daemon(Box("c1", "web-1"))) == []


def test_a_container_that_is_gone(look: Looker) -> None:
    """Pulumi misses it and makes it again; nothing is replaced for that."""
    [gone] = look(Daemon())

    assert gone.line() == "web (web-1): state: declared running, found no such container"
    assert (gone.remedy, gone.urns) == (Remedy.REFRESH, ())


def test_a_container_that_does_not_run(look: Looker) -> None:
    """A stopped one is started, a frozen one is replaced; one that Docker starts again and again is no drift."""
    assert lines(look(Daemon(Box("c1", "web-1", "exited")))) == [
        ("web (web-1): state: declared running, found exited", Remedy.REFRESH)
    ]
    [frozen] = look(Daemon(Box("c1", "web-1", "paused")))
    assert (frozen.remedy, frozen.urns) == (Remedy.REPLACE, (URN,))
    assert look(Daemon(Box("c1", "web-1", "restarting"))) == []


def test_what_the_plugin_sees_is_updated_and_the_rest_replaced(look: Looker) -> None:
    """Limits of memory change in a container that runs; a network does not come back by itself."""
    box = Box("c1", "web-1")
    box.attrs["HostConfig"]["Memory"] = 256 * 1024 * 1024
    box.attrs["NetworkSettings"]["Networks"] = {}

    memory, network = look(Daemon(box))

    assert (memory.line(), memory.remedy, memory.urns) == (
        'web (web-1): memory: declared "512 MiB", found "256 MiB"',
        Remedy.UPDATE,
        (),
    )
    assert (network.line(), network.remedy, network.urns) == (
        'web (web-1): network edge: declared "joined", found nothing',
        Remedy.REPLACE,
        (URN,),
    )


def test_a_container_that_was_renamed(look: Looker) -> None:
    """Nobody finds it by its name any more."""
    [renamed] = look(Daemon(Box("c1", "web-old")))

    assert renamed.line() == 'web (web-1): name: declared "web-1", found "web-old"'
    assert renamed.urns == (URN,)


def test_a_container_made_again_by_hand(look: Looker) -> None:
    """It is removed: before Pulumi makes its successor where that needs its name, after where it has its visitors."""
    box = Box("c2", "web-1")
    box.attrs["Config"]["Env"] = ["A=1", "B=x=y", "PATH=/bin", "DATABASE_URL=postgres://a:hunter2@b/c"]

    identity, environment = look(Daemon(box))

    assert identity.line() == (
        "web (web-1): identity: declared c1, found c2, a container of the same name that Pulumi did not make"
    )
    assert (identity.remedy, identity.id, identity.first) == (Remedy.REMOVE, "c2", False)
    assert environment.line() == "web (web-1): environment DATABASE_URL: declared nothing, found [not shown]"
    assert (environment.remedy, environment.urns) == (Remedy.REFRESH, ())
    assert look(Daemon(box), state(__defaults=[]))[0].first is True


def test_a_container_that_nobody_declared(look: Looker) -> None:
    """Only what has the labels of this stack and this project is meant."""
    foreign = Box("c4", "other")
    foreign.attrs["Config"]["Labels"]["slipway.project"] = "other"

    assert lines(look(Daemon(Box("c1", "web-1"), Box("c3", "web-9"), foreign))) == [
        (
            "web (web-9): state: declared nothing, found a container that Pulumi did not make, running, "  # noqa: ISC004 - one text
            "of release 0123456789ab",
            Remedy.REMOVE,
        )
    ]


def test_what_a_failed_update_left(look: Looker) -> None:
    """The state knows it. Only an update that succeeds can tell which release is to stay."""
    old = resource("docker:index/container:Container", "c0", {"name": "web-0", "labels": labels()}, delete=True)

    assert lines(look(Daemon(Box("c1", "web-1"), Box("c0", "web-0")), state(old))) == [
        (
            "web (web-0): state: declared gone, found running, of release 0123456789ab, left by an update that did not end",
            Remedy.NONE,
        )
    ]


def test_a_state_that_says_what_was_found(look: Looker) -> None:
    """After a refresh the state agrees with what runs; the label of the container does not."""
    box = Box("c1", "web-1")
    box.attrs["Config"]["Labels"]["slipway.declared"] = "0123456789abcdef"
    wanted = [*labels(), {"label": "slipway.declared", "value": "0123456789abcdef"}]

    [one] = look(Daemon(box), state(labels=wanted))

    assert one.what == "declaration"
    assert one.declared == '"0123456789abcdef, as its label records"'
    assert one.urns == (URN,)


def test_volumes_and_networks(look: Looker) -> None:
    """A missing volume is told apart by whether it held data; a network that lost its isolation is a person's work."""
    client = Daemon(Box("c1", "web-1"))
    client.volumes, client.networks = Shelf(), Shelf(Thing("n1", "edge", Internal=True))

    network, volume = look(client)

    assert (network.line(), network.remedy) == (
        "edge (network edge): way out: declared open, found none",
        Remedy.NONE,
    )
    assert volume.line() == "media (volume media): state: declared there, found no such volume; its data is gone"
    assert volume.data

    client.networks = Shelf(Thing("n2", "edge", Internal=False))
    assert look(client)[0].line() == "edge (network edge): state: declared there, found another network of this name"


def test_a_tag_that_moved(look: Looker) -> None:
    """It is moved back while the declared image is there; an image of the app that is gone is built again."""
    client = Daemon(Box("c1", "web-1"))
    client.images = Shelf(Thing("sha256:1", "", **IMAGE), Thing("sha256:2", "shop:0123456789ab"))

    build = resource(
        "docker-build:index:Image", "b1", {"tags": ["shop:0123456789ab"], "labels": {"a": "b"}}, urn="built"
    )
    [moved] = look(client, state(build))

    assert moved.line() == "app (shop:0123456789ab): image of the tag: declared sha256:1, found sha256:2"
    assert (moved.remedy, moved.id, moved.urns) == (Remedy.TAG, "sha256:1", ())

    client.images = Shelf(Thing("sha256:2", "shop:0123456789ab"))
    assert look(client, state(build))[0].urns == ("built", URN)
    client.images = Shelf()
    gone = look(client, state(build))[0]
    assert (gone.found, gone.remedy, gone.urns) == ("no image", Remedy.REFRESH, ("built",))


def test_the_configuration_of_the_edge(look: Looker) -> None:
    """Its files and what it has loaded are held against what the switch was given."""
    given = ["SLIPWAY_ID=abc", "SLIPWAY_SITE=a 1;\nb 2;\n", "SLIPWAY_MEMBERS=web-1:8000 web-2:8000"]
    ids = {"switch": "c8", "edge": "c9"}
    more = [
        resource(
            "docker:index/container:Container",
            identity,
            {**INPUTS, "envs": given, "labels": labels(name), "name": name},
            urn=f"urn::{name}",
        )
        for name, identity in ids.items()
    ]
    files = {
        "current": "abc\n",
        "abc/nginx.conf": "a 1;\nb 2;\n",
        "abc/members": "web-1:8000\nweb-2:8000\n",
        "loaded": "a 1;\nb 2;\n",
    }
    boxes = {name: Box(identity, name, files=files) for name, identity in ids.items()}
    for name, box in boxes.items():
        box.attrs["Config"]["Env"] = [*given, "PATH=/bin", "A=0"]
        box.attrs["Config"]["Labels"]["slipway.component"] = name
    client = Daemon(Box("c1", "web-1"), *boxes.values())

    assert look(client, state(*more)) == []

    boxes["edge"].files = {**files, "abc/nginx.conf": "a 1;\nb 3;\n"}
    [file] = look(client, state(*more))
    assert file.line() == 'edge (edge): file /etc/slipway/abc/nginx.conf: declared "b 2;", found "b 3;"'
    assert (file.remedy, file.urns) == (Remedy.REPLACE, ("urn::switch",))

    boxes["edge"].files = {**files, "loaded": "a 1;\nb 3;\n"}
    [loaded] = look(client, state(*more))
    assert loaded.line() == 'edge (edge): configuration in use: declared "b 2;", found "b 3;"'
    assert loaded.urns == (URN,)

    boxes["edge"].files = {name: content for name, content in files.items() if name != "abc/members"}
    [missing] = look(client, state(*more))
    assert missing.line() == 'edge (edge): file /etc/slipway/abc/members: declared "web-1:8000", found no such file'


def test_what_is_in_the_way_goes_first(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag is moved back before Pulumi looks; what serves visitors is removed only after."""
    boxes = Box("c2", "redis"), Box("c3", "web-9")
    client = Daemon(*boxes)
    monkeypatch.setattr(drift, "daemon", lambda _environ: contextlib.nullcontext(client))

    def one(name: str, remedy: Remedy, identity: str, *, first: bool = False) -> Difference:
        return Difference(
            component="x", name=name, what="x", declared="x", found="x", remedy=remedy, id=identity, first=first
        )

    differences = [
        one("shop:0123456789ab", Remedy.TAG, "sha256:1"),
        one("redis", Remedy.REMOVE, "c2", first=True),
        one("web-9", Remedy.REMOVE, "c3"),
    ]

    drift.clear(engine, differences, True)
    assert client.images.things[0].tags == [("shop", "0123456789ab")]
    assert [box.removed for box in boxes] == [True, False]

    drift.clear(engine, differences, False)
    assert [box.removed for box in boxes] == [True, True]
    assert printed(engine).splitlines() == [
        "    tags the declared image as shop:0123456789ab again",
        "    removes the container redis, which nobody declared",
        "    removes the container web-9, which nobody declared",
    ]


# The command ------------------------------------------------------------------------------------------------------


def difference(**more: Any) -> Difference:  # noqa: ANN401 - of many types
    """One difference."""
    base = {"component": "web", "name": "web-1", "what": "state", "declared": "running", "found": "exited"}
    return Difference(**{**base, "remedy": Remedy.REFRESH, **more})


def test_urns_are_replaced_once() -> None:
    """Two differences of one container are one replacement."""
    assert command.replacing([difference(urns=("a",)), difference(urns=("a", "b")), difference()]) == [
        "--replace",
        "a",
        "--replace",
        "b",
    ]


def test_lost_data_is_not_healed_over() -> None:
    """An empty volume would look as if all were well, unless somebody decides for it."""
    lost = difference(component="media", name="volume media", found="no such volume; its data is gone", data=True)

    with pytest.raises(PipelineError) as refused:
        command.refuse("prod", [lost], new_volumes=False)

    assert str(refused.value) == (
        "media (volume media): no such volume; its data is gone; an empty one would look as if all were well\n"
        "  allowed: the volume with its data, or the decision to begin with an empty one\n"
        "  mend:    python -m pipeline drift prod --heal --new-volumes   # then: python -m pipeline data restore"
    )
    command.refuse("prod", [lost], new_volumes=True)


@pytest.mark.parametrize(
    "state",
    [
        {"resources": [{"delete": True}]},
        {"resources": [{"initErrors": ["it never got healthy"]}]},
        {"pending_operations": [{"type": "creating"}]},
    ],
)
def test_a_failed_update_is_not_healed(state: dict[str, Any]) -> None:
    """A refresh forgets that a container never got healthy, and the next update would hand it the visitors."""
    with pytest.raises(PipelineError) as refused:
        command.unfinished("prod", state)

    assert str(refused.value) == (
        "the last update of stack prod did not end well, and healing is no update; nothing was changed\n"
        "  allowed: a stack whose last update succeeded\n"
        "  mend:    make up STACK=prod   # with the cause mended, or with the code that serves"
    )
    command.unfinished("prod", {"resources": [{"type": "x"}]})


def test_what_only_a_person_can_heal() -> None:
    """It is said, and nothing is begun."""
    with pytest.raises(PipelineError) as refused:
        command.refuse("prod", [difference(what="way out", remedy=Remedy.NONE)], new_volumes=True)

    assert str(refused.value) == (
        "web (web-1): way out: declared running, found exited; healing would take down everything on it\n"
        "  mend:    python -m pipeline down prod --keep-data && make up STACK=prod   # data that is not protected goes"
    )


def test_healing_deploys_nothing_new(engine: Engine, fake: Fake) -> None:
    """Changes of the checkout are refused; what a failed update has left to delete is none."""
    same = {"op": "same", "urn": "a::x"}
    left = {"op": "delete", "urn": "a::old", "oldState": {"delete": True}}
    fake.when("preview --json", json.dumps({"steps": [same, left]}))
    command.undeployed(engine)

    changed = [{"op": "replace", "urn": f"a::web-{number}", "oldState": {}} for number in range(7)]
    fake.when("preview --json", json.dumps({"steps": [same, *changed]}))
    with pytest.raises(PipelineError) as refused:
        command.undeployed(engine)

    assert str(refused.value) == (
        "this checkout has changes that stack dev does not run yet: replace web-0, replace web-1, replace web-2, "
        "replace web-3, replace web-4 and 2 more\n"
        "  allowed: the checkout that was deployed last: healing deploys nothing new\n"
        "  mend:    make up STACK=dev   # deploys the changes; or check out what was deployed, and heal again"
    )


@pytest.fixture
def asked(engine: Engine, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str]]]:
    """Run the command on looks that were made up, and give its exit code and the calls of Pulumi."""
    deployment = {"deployment": {"resources": [{"type": "slipway:docker:Web", "urn": "x"}]}}
    fake.when("stack export", json.dumps(deployment))
    fake.when("preview --json", json.dumps({"steps": []}))
    fake.when("up", "done\n")

    def ask(looks: list[list[Difference]], *, heal: bool = False, format_: str = "text") -> tuple[int, list[str]]:
        rest = iter(looks)
        row = replace(
            targets.TARGETS[Name.DOCKER],
            look=lambda *_: Look(containers=3, differences=next(rest)),
            clear=lambda _engine, _differences, first: engine.console.say(f"clear {first}"),
        )
        monkeypatch.setattr(targets, "TARGETS", {**targets.TARGETS, Name.DOCKER: row})
        monkeypatch.setattr(command, "Engine", lambda *_: engine)
        arguments = argparse.Namespace(stack="dev", heal=heal, new_volumes=False, format=format_)
        return command.run(arguments, engine.console), [call.partition(" --stack")[0] for call in fake.calls]

    return ask


def test_exit_codes(asked: Callable[..., tuple[int, list[str]]], engine: Engine) -> None:
    """0 where there is none, 3 where there is, and the state alone is read for it."""
    assert asked([[]]) == (0, ["stack export"])
    assert asked([[difference()]])[0] == 3
    assert printed(engine).splitlines()[-3:-1] == [
        "Drift: 1 difference in 1 component of stack dev.",
        "        python -m pipeline drift dev --heal   # puts it right",
    ]


def test_healing(asked: Callable[..., tuple[int, list[str]]], engine: Engine) -> None:
    """The checkout is looked at, then what is in the way goes, Pulumi heals, the rest goes, and all is looked at again."""
    code, calls = asked([[difference(urns=("a",))], []], heal=True)

    assert code == 0
    assert calls == [
        "stack export",
        "preview --json",
        "up --yes --skip-preview --refresh --replace a",
        "stack export",
    ]
    said = printed(engine).splitlines()
    assert [line for line in said if line.startswith(("clear", "done", "No drift"))] == [
        "clear True",
        "done",
        "clear False",
        "No drift: 3 containers of stack dev are as they were declared.",
    ]


def test_what_healing_did_not_heal_is_drift(asked: Callable[..., tuple[int, list[str]]]) -> None:
    """The exit code says so."""
    assert asked([[difference()], [difference()]], heal=True)[0] == 3


def test_for_programs_nothing_else_is_printed(asked: Callable[..., tuple[int, list[str]]], engine: Engine) -> None:
    """What is printed is one document; steps are told on the other output."""
    assert asked([[difference()]], format_="json")[0] == 3
    assert json.loads(printed(engine))["drift"] is True


def test_a_stack_that_never_ran(engine: Engine, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to compare with, which is no good news."""
    fake.when("stack export", "{}")
    monkeypatch.setattr(command, "Engine", lambda *_: engine)

    with pytest.raises(PipelineError) as refused:
        command.run(argparse.Namespace(stack="dev", heal=False, new_volumes=False, format="text"), engine.console)

    assert str(refused.value) == (
        "stack dev was never brought up from here, so nothing was declared\n"
        "  allowed: a stack that is up\n"
        "  mend:    make up STACK=dev"
    )
