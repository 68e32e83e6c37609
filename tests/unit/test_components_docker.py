"""Each component of the Docker target registers exactly what it says."""

import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import args, docker, gateway, health, image, nginx, schedule
from components.budget import budget
from components.docker import declaration, process
from components.docker.container import REPLACE_ON_CHANGES
from components.docker.gateway import Gateway
from components.docker.task import StepError
from components.flows import flows
from components.health import HealthCheck
from components.labels import Owner
from components.model import Check, Expose, Resources
from components.release import Release
from tests.sample import settings
from tests.unit.harness import (
    BUILT_IMAGE,
    CONTAINER,
    MEMORY,
    NETWORK,
    REMOTE_IMAGE,
    STASH,
    VOLUME,
    Recorded,
    Registered,
    clear,
    run,
    secret,
)

OWNER = Owner(project="shop", stack="test")
SMALL = Resources(memory_mb=128, cpus=0.5)
HEALTH = HealthCheck(kind=Check.PAGE, path="/healthz", host="shop.example.org")
OURS = {"slipway.project": "shop", "slipway.stack": "test"}


def only_container(recorded: Recorded, component: str, user: str, networks: list[str]) -> Registered:
    """Give the only container of a component, after a look at what all have."""
    container = recorded.one(CONTAINER)
    root = recorded.resources[0]
    assert container.parent == root.urn
    assert root.custom is False
    assert {key: container.labels[key] for key in OURS} == OURS
    assert container.labels["slipway.component"] == component
    assert container.inputs["user"] == user
    assert [each["name"] for each in container.inputs.get("networksAdvanced", [])] == networks
    assert container.replace_on_changes == REPLACE_ON_CHANGES
    return container


def test_networks() -> None:
    """There is one network with a way out and one without, with fixed names."""
    made = args.NetworksArgs(
        owner=OWNER,
        flows=flows(settings()),
        budget=budget(settings()),
        place=args.Place(context=None, namespace="shop-test"),
        protect=False,
    )
    recorded = run(lambda: docker.Networks("networks", made).internal)
    found = {each.inputs["name"]: each for each in recorded.of(NETWORK)}

    assert recorded.result == "shop-test-internal"
    assert {name: each.inputs["internal"] for name, each in found.items()} == {
        "shop-test-edge": False,
        "shop-test-internal": True,
    }
    assert found["shop-test-edge"].labels == {**OURS, "slipway.component": "edge"}


def storage(*, protect: bool) -> Registered:
    """Give the volume of some storage."""
    made = args.StorageArgs(
        owner=OWNER,
        role="media",
        network="inside",
        protect=protect,
        size_gb=1,
        shared=True,
        storage_class=None,
        access="ReadWriteOnce",
    )
    return run(lambda: docker.Storage("media-storage", made).source).one(VOLUME)


def test_protected_storage() -> None:
    """Data that is protected cannot be deleted, and is left in place when Pulumi is told to forget it."""
    volume = storage(protect=True)

    assert volume.inputs["name"] == "shop-test-media"
    assert volume.labels == {**OURS, "slipway.component": "media"}
    assert volume.protect
    assert volume.retain_on_delete
    assert volume.ignore_changes == ["labels", "driver", "driverOpts"]


def test_unprotected_storage() -> None:
    """Data that is not protected goes with the stack, but no change of a label ever replaces it."""
    volume = storage(protect=False)

    assert not volume.protect
    assert not volume.retain_on_delete
    assert volume.ignore_changes == ["labels", "driver", "driverOpts"]


def test_pulled_image() -> None:
    """Containers get the identity of an image, and the host keeps the image."""
    recorded = run(lambda: docker.PulledImage("nginx", args.PulledImageArgs(reference="nginx:1.26")).id)

    assert recorded.result == "sha256:nginx:1.26"
    assert recorded.one(REMOTE_IMAGE).inputs == {"name": "nginx:1.26", "keepLocally": True}


def test_an_image_named_by_its_identity_is_there() -> None:
    """Nothing is pulled, since no registry would know it."""
    reference = f"sha256:{'1' * 64}"
    recorded = run(lambda: docker.PulledImage("app", args.PulledImageArgs(reference=reference)).id)

    assert recorded.result == reference
    assert recorded.of(REMOTE_IMAGE) == []


def app_image(
    ca_bundle: str | None = None,
    netrc: pulumi.Input[str] | None = None,
    known_hosts: str | None = None,
    ssh_agent: str | None = None,
) -> Recorded:
    """Register the app's image."""
    made = args.AppImageArgs(
        repository="shop",
        release="0123456789ab",
        context="examples/guestbook",
        dockerfile=".slipway/build/test/Dockerfile",
        labels={"a": "b"},
        ca_bundle=ca_bundle,
        netrc=netrc,
        known_hosts=known_hosts,
        ssh_agent=ssh_agent,
    )
    return run(lambda: docker.AppImage("app", made).id)


def test_app_image() -> None:
    """The image is built once for a release, never in a preview, and never deleted from where it was pushed."""
    recorded = app_image()
    built = recorded.one(BUILT_IMAGE)
    present = recorded.one(REMOTE_IMAGE)

    assert recorded.result == "sha256:shop:0123456789ab"
    assert built.inputs == {
        "tags": ["shop:0123456789ab"],
        "context": {"location": "examples/guestbook"},
        "dockerfile": {"location": ".slipway/build/test/Dockerfile"},
        "labels": {"a": "b"},
        "load": True,
        "push": False,
        "buildOnPreview": False,
        "network": "default",
    }
    assert built.retain_on_delete
    assert present.inputs == {"name": "shop:0123456789ab", "keepLocally": True}
    assert built.urn in present.dependencies


def test_ca_bundle_is_a_build_secret() -> None:
    """A CA bundle is a secret of the build, and another one is no reason to build."""
    built = app_image("-----BEGIN").one(BUILT_IMAGE)

    assert secret(built.inputs["secrets"])
    assert clear(built.inputs["secrets"]) == {"ca_bundle": "-----BEGIN"}
    assert built.inputs["ignoreSecretsInDiffCalculation"] == ["ca_bundle"]


def test_credentials_are_a_build_secret() -> None:
    """So are the credentials of what a build downloads from; another password builds nothing anew."""
    built = app_image("-----BEGIN", "machine a login b password c").one(BUILT_IMAGE)

    assert secret(built.inputs["secrets"])
    assert clear(built.inputs["secrets"]) == {"ca_bundle": "-----BEGIN", "netrc": "machine a login b password c"}
    assert built.inputs["ignoreSecretsInDiffCalculation"] == ["ca_bundle", "netrc"]


def test_the_build_asks_an_agent() -> None:
    """Its place is a path that never changes; another key of a host builds nothing anew."""
    built = app_image(known_hosts="a ssh-ed25519 b\n", ssh_agent=".slipway/build/test/ssh-agent").one(BUILT_IMAGE)

    assert clear(built.inputs["secrets"]) == {"known_hosts": "a ssh-ed25519 b\n"}
    assert built.inputs["ignoreSecretsInDiffCalculation"] == ["known_hosts"]
    assert built.inputs["ssh"] == [{"id": "default", "paths": [".slipway/build/test/ssh-agent"]}]


def test_files_of_the_build(tmp_path: Path) -> None:
    """The builder finds the Dockerfile with its ignore file beside it; paths name no machine; the same is not written."""
    release = Release(identity="0", source=tmp_path / "code" / "shop", dockerfile="FROM a\n", ignore="b\n", labels={})

    path = image.write(release, "test", tmp_path)
    written = (tmp_path / path).stat().st_mtime_ns
    image.write(release, "test", tmp_path)

    assert path == ".slipway/build/test/Dockerfile"
    assert (tmp_path / path).read_text() == "FROM a\n"
    assert (tmp_path / f"{path}.dockerignore").read_text() == "b\n"
    assert (tmp_path / path).stat().st_mtime_ns == written
    assert image.context(release, tmp_path) == "code/shop"


def test_secret_files() -> None:
    """Secrets are in a volume of their own for each set of contents, put there by a container that never starts."""
    made = args.SecretFilesArgs(
        owner=OWNER, role="app", network="inside", image="sha256:1", files={"b": "two", "a": "one"}
    )
    recorded = run(lambda: docker.SecretFiles("app-secrets", made).source)
    writer = recorded.one(CONTAINER)
    volume = recorded.one(VOLUME)
    contents = recorded.one(STASH)

    assert recorded.result == volume.name + "-0123456"
    assert secret(contents.inputs["input"])
    assert "one" not in clear(contents.inputs["input"])
    assert contents.replace_on_changes == ["input"]
    assert volume.trigger == "app-secrets-contents-id"
    assert secret(writer.inputs["uploads"])
    assert clear(writer.inputs["uploads"]) == [
        {"file": "/run/secrets/a", "content": "one", "permissions": "0444"},
        {"file": "/run/secrets/b", "content": "two", "permissions": "0444"},
    ]
    assert writer.inputs["start"] is False
    assert writer.inputs["mustRun"] is False
    assert writer.inputs["networkMode"] == "none"
    assert writer.ignore_changes == ["image"]
    assert [each.deletes_first for each in (contents, volume, writer)] == [False, False, False]


def fingerprint(files: dict[str, str]) -> object:
    """Give what is kept of some contents."""
    made = args.SecretFilesArgs(owner=OWNER, role="app", network="inside", image="sha256:1", files=files)
    return clear(run(lambda: docker.SecretFiles("app-secrets", made).source).one(STASH).inputs["input"])


def test_other_secrets_have_another_fingerprint() -> None:
    """Another value, and another name for a value, is something else; the order is not."""
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert len({fingerprint({"a": "1"}), fingerprint({"a": "2"}), fingerprint({"b": "1"})}) == 3


def test_postgres() -> None:
    """The database has a fixed name, only the internal network, its data in a volume and its password in a file."""
    made = args.PostgresArgs(
        owner=OWNER,
        image="sha256:1",
        resources=SMALL,
        database="app",
        command=["postgres", "-c", "jit=off"],
        shared_memory_mb=64,
        network="inside",
        storage="data",
        secrets="hidden",
    )
    recorded = run(lambda: [(it := docker.Postgres("postgres", made)).host, it.port])
    container = only_container(recorded, "postgres", "999:999", ["inside"])

    assert recorded.result == ["shop-test-postgres", 5432]
    assert container.inputs["name"] == "shop-test-postgres"
    assert container.inputs["command"] == ["postgres", "-c", "jit=off"]
    assert container.env == {
        "POSTGRES_DB": "app",
        "POSTGRES_USER": "app",
        "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
        "POSTGRES_INITDB_ARGS": "--data-checksums",
    }
    assert container.mounts == {
        "/var/lib/postgresql/data": ("data", True),
        "/run/secrets": ("hidden", False),
        **MEMORY,
        "/var/run/postgresql": (None, True),
    }
    assert container.inputs["healthcheck"]["tests"] == [
        "CMD",
        "pg_isready",
        "--host=127.0.0.1",
        "--username=app",
        "--dbname=app",
    ]
    assert container.inputs["stopSignal"] == "SIGINT"
    assert container.inputs["destroyGraceSeconds"] == 120
    assert container.inputs["shmSize"] == 64
    assert "ports" not in container.inputs


def test_redis() -> None:
    """The cache has a fixed name, only the internal network, and its password in a file."""
    made = args.RedisArgs(
        owner=OWNER,
        image="sha256:1",
        resources=SMALL,
        command=["redis-server"],
        network="inside",
        storage="data",
        secrets="hidden",
    )
    recorded = run(lambda: [(it := docker.Redis("redis", made)).host, it.port])
    container = only_container(recorded, "redis", "999:999", ["inside"])

    assert recorded.result == ["shop-test-redis", 6379]
    assert container.inputs["name"] == "shop-test-redis"
    assert container.mounts == {"/data": ("data", True), "/run/secrets": ("hidden", False), **MEMORY}
    assert "ports" not in container.inputs


def migration(**changes: Any) -> Recorded:  # noqa: ANN401 - any argument
    """Register a migration."""

    def build() -> pulumi.Output[bool]:
        made: dict[str, Any] = {
            "owner": OWNER,
            "image": "sha256:1",
            "release": "0123456789ab",
            "resources": SMALL,
            "command": ["migrate", "now"],
            "environment": {"A": "1"},
            "secrets": "hidden",
            "hidden": [],
            "networks": ["inside"],
            "after": [],
            "limit_seconds": 900,
        }
        return docker.Migration("migration", args.MigrationArgs(**{**made, **changes})).ready

    return run(build)


def test_migration() -> None:
    """The migration runs once, on the internal network, with the app's environment and secrets."""
    recorded = migration()
    container = only_container(recorded, "migration", "10001:10001", ["inside"])

    assert recorded.result is True
    assert container.inputs["command"] == ["migrate", "now"]
    assert container.inputs["attach"] is True
    assert container.inputs["mustRun"] is False
    assert container.labels["slipway.release"] == "0123456789ab"
    assert container.labels["slipway.attempt"] == "1"
    assert container.env == {"A": "1"}
    assert container.mounts == {"/run/secrets": ("hidden", False), **MEMORY}
    assert container.deletes_first is False


def test_another_attempt_is_another_container() -> None:
    """The number of the attempt is an input, so that a migration that failed runs again."""
    assert migration(attempt=2).one(CONTAINER).labels["slipway.attempt"] == "2"


def test_static_files() -> None:
    """Static files are copied by their owner, who has no capability and no network."""
    made = args.StaticFilesArgs(
        owner=OWNER, image="sha256:1", release="0123456789ab", resources=SMALL, network="outside", storage="static"
    )
    recorded = run(lambda: docker.StaticFiles("static-files", made).ready)
    container = only_container(recorded, "static", "0:0", [])

    assert recorded.result is True
    assert container.inputs["networkMode"] == "none"
    assert container.mounts == {"/srv/published": ("static", True), **MEMORY}
    assert container.inputs["command"][:3] == ["timeout", "-k", "10"]


def test_collected_static() -> None:
    """The project collects them as its own user, with all of its settings, and what fails names the setting."""
    made = args.CollectedStaticArgs(
        owner=OWNER,
        image="sha256:1",
        release="0123456789ab",
        resources=SMALL,
        command=["collect"],
        environment={"A": "1"},
        secrets="hidden",
        hidden=[],
        networks=["inside"],
        files=args.Files(role="collected", storage="collected", path="/app/collected", writable=True),
    )
    recorded = run(lambda: docker.CollectedStatic("collected-static", made).ready)
    container = only_container(recorded, "static", "10001:10001", ["inside"])

    assert recorded.result is True
    assert container.env == {"A": "1"}
    assert container.mounts == {"/app/collected": ("collected", True), "/run/secrets": ("hidden", False), **MEMORY}
    with pytest.raises(StepError, match=r"must be slipway:static\.root \(/app/collected\)"):
        run(
            lambda: docker.CollectedStatic("collected-static", made).ready,
            outcome=lambda _name, _inputs: {"exitCode": 1},
        )


def web(replicas: int) -> Recorded:
    """Register web containers."""
    made = args.WebArgs(
        owner=OWNER,
        image="sha256:1",
        release="0123456789ab",
        replicas=replicas,
        resources=SMALL,
        command=["gunicorn"],
        environment={"A": "1"},
        secrets="hidden",
        networks=["outside", "inside"],
        storage="media",
        media_root="/app/media",
        health=HEALTH,
        port=8000,
        startup_seconds=60,
        stop_grace_seconds=35,
    )
    return run(lambda: docker.Web("web", made).members)


def test_web() -> None:
    """A web container has an automatic name, publishes nothing, and must be healthy before it counts."""
    recorded = web(1)
    container = only_container(recorded, "web", "10001:10001", ["outside", "inside"])

    assert recorded.result == ["shop-test-web-1-0123456:8000"]
    assert container.name == "shop-test-web-1"
    assert container.inputs["command"] == ["gunicorn"]
    assert container.inputs["healthcheck"]["tests"] == ["CMD", *health.command(HEALTH)]
    assert container.inputs["wait"] is True
    assert container.inputs["destroyGraceSeconds"] == 35
    assert container.mounts == {
        "/app/media": ("media", True),
        "/run/secrets": ("hidden", False),
        **MEMORY,
    }
    assert "name" not in container.inputs
    assert "ports" not in container.inputs
    assert container.deletes_first is False


def test_replicas_are_numbered() -> None:
    """A further replica leaves the others as they are."""
    names = [each.name for each in web(3).of(CONTAINER)]

    assert sorted(names) == ["shop-test-web-1", "shop-test-web-2", "shop-test-web-3"]
    assert {each.name for each in web(2).of(CONTAINER)} < set(names)


def test_process() -> None:
    """A process has an automatic name and what web has, but for a page: it counts once it has run for a while."""
    made = args.ProcessArgs(
        owner=OWNER,
        image="sha256:1",
        release="0123456789ab",
        process="worker",
        replicas=2,
        resources=SMALL,
        command=["celery", "worker"],
        environment={"A": "1"},
        secrets="hidden",
        networks=["outside", "inside"],
        storage="media",
        media_root="/app/media",
        startup_seconds=30,
        stop_grace_seconds=35,
    )
    containers = run(lambda: docker.Process("process-worker", made)).of(CONTAINER)
    container = containers[0]

    assert sorted(each.name for each in containers) == ["shop-test-process-worker-1", "shop-test-process-worker-2"]
    assert container.labels == {
        **OURS,
        "slipway.component": "process-worker",
        "slipway.release": "0123456789ab",
        "slipway.declared": declaration.fingerprint(container.inputs),
    }
    assert container.inputs["command"] == ["celery", "worker"]
    assert container.inputs["user"] == "10001:10001"
    assert container.inputs["wait"] is True
    assert container.inputs["mustRun"] is True
    assert container.inputs["destroyGraceSeconds"] == 35
    assert [each["name"] for each in container.inputs["networksAdvanced"]] == ["outside", "inside"]
    assert container.mounts == {"/app/media": ("media", True), "/run/secrets": ("hidden", False), **MEMORY}
    assert "name" not in container.inputs
    assert "ports" not in container.inputs
    assert container.deletes_first is False


def test_a_process_that_listens() -> None:
    """It counts once it takes connections, and has an address for each."""
    made = args.ProcessArgs(
        owner=OWNER,
        image="sha256:1",
        release="0123456789ab",
        process="sockets",
        replicas=2,
        resources=SMALL,
        command=["daphne"],
        environment={},
        secrets="hidden",
        networks=["outside", "inside"],
        storage="media",
        media_root="/app/media",
        stop_grace_seconds=35,
        startup_seconds=30,
        port=9000,
    )
    recorded = run(lambda: docker.Process("process-sockets", made).members)

    assert recorded.result == [f"shop-test-process-sockets-{number}-0123456:9000" for number in (1, 2)]
    container = recorded.one(CONTAINER, "shop-test-process-sockets-1")
    assert container.inputs["healthcheck"]["tests"] == ["CMD", *health.listens(9000)]
    assert "ports" not in container.inputs


@pytest.mark.parametrize(("began", "code"), [(0, 0), (9_000, 1), (8_999, 0)])
def test_a_process_counts_once_it_has_run_for_a_while(tmp_path: Path, began: int, code: int) -> None:
    """The check compares when the first process of the container began, in ticks, with the time since the start."""
    (tmp_path / "uptime").write_text("99.80 1.0\n")
    (tmp_path / "stat").write_text(f"1 (my (odd) init) S 0 1 1 {'0 ' * 15}{began} 123 0\n")
    script = process.STEADY.replace("/proc/uptime", str(tmp_path / "uptime")).replace(
        "/proc/1/stat", str(tmp_path / "stat")
    )

    assert subprocess.run(["sh", "-c", script], check=False).returncode == code


def test_edge() -> None:
    """The edge alone publishes a port, on the address that it is told; it writes to nothing but memory."""
    made = args.EdgeArgs(
        owner=OWNER,
        image="sha256:1",
        resources=SMALL,
        site="text",
        domain="shop.example.org",
        replicas=1,
        address="127.0.0.1",
        port=8080,
        exposure=args.Exposure(kind=Expose.NONE),
        network="outside",
        configuration="config",
        static="static",
        media="media",
        stop_grace_seconds=40,
    )
    recorded = run(lambda: [(it := docker.Edge("edge", made)).host, it.port, it.url])
    container = only_container(recorded, "edge", "101:101", ["outside"])

    assert recorded.result == ["shop-test-edge", 8080, "http://127.0.0.1:8080/"]
    assert container.inputs["ports"] == [{"ip": "127.0.0.1", "external": 8080, "internal": 8080, "protocol": "tcp"}]
    assert container.mounts == {
        "/etc/slipway": ("config", False),
        "/srv/static": ("static", False),
        "/srv/media": ("media", False),
        **MEMORY,
    }


def test_edge_behind_a_gateway() -> None:
    """It publishes nothing: it joins the network of the gateway under the names that visitors ask for."""
    made = args.EdgeArgs(
        owner=OWNER,
        image="sha256:1",
        resources=SMALL,
        site="text",
        domain="pr-1.review.example.org",
        hosts=["www.pr-1.review.example.org", "*.pr-1.review.example.org"],
        replicas=1,
        address="127.0.0.1",
        port=8080,
        gateway="review",
        secrets="passwords",
        exposure=args.Exposure(kind=Expose.NONE),
        network="outside",
        configuration="config",
        static=None,
        media="media",
        stop_grace_seconds=40,
    )
    recorded = run(lambda: [(it := docker.Edge("edge", made)).host, it.port, it.url])
    container = recorded.one(CONTAINER)

    assert recorded.result == ["shop-test-edge", 8080, "http://pr-1.review.example.org/"]
    assert not container.inputs.get("ports")
    assert container.inputs["networksAdvanced"] == [
        {"name": "outside"},
        {
            "name": "slipway-gateway-review",
            "aliases": [
                "pr-1.review.example.org.slipway.internal",
                "www.pr-1.review.example.org.slipway.internal",
            ],
        },
    ]
    assert container.mounts["/run/secrets"] == ("passwords", False)


def test_gateway() -> None:
    """One container publishes a port for all, hardened like every other, on a network that it makes."""
    said = settings().review
    made = args.GatewayArgs(
        name="review",
        image="nginx:1.26",
        resources=SMALL,
        site=gateway.site(said.gateway, "review.example.org"),
        address="127.0.0.1",
        port=8090,
    )
    recorded = run(lambda: Gateway("gateway", made).network)
    container = recorded.one(CONTAINER)

    assert recorded.result == "slipway-gateway-review"
    assert recorded.one(NETWORK).labels == {"slipway.gateway": "review"}
    assert [each["name"] for each in container.inputs["networksAdvanced"]] == ["slipway-gateway-review"]
    assert (container.inputs["user"], container.inputs["readOnly"]) == ("101:101", True)
    assert container.replace_on_changes == REPLACE_ON_CHANGES
    assert container.inputs["name"] == "slipway-gateway-review"
    assert container.inputs["ports"] == [{"ip": "127.0.0.1", "external": 8090, "internal": 8080, "protocol": "tcp"}]
    assert container.inputs["envs"] == [f"SLIPWAY_SITE={made.site}"]
    assert container.labels.keys() == {"slipway.gateway", "slipway.declared"}
    assert container.labels["slipway.gateway"] == "review"
    assert container.mounts == MEMORY


def test_switch_waits_for_what_it_needs() -> None:
    """The switch owns the configuration, joins the edge's network, and runs after what it is told."""

    def build() -> pulumi.Output[bool]:
        edge = docker.PulledImage("edge", args.PulledImageArgs(reference="nginx:1.26"))
        made = args.SwitchArgs(
            owner=OWNER,
            image="sha256:1",
            resources=SMALL,
            release="0123456789ab",
            site="text",
            revision="0a1b2c3d4e5f",
            members=["a:8000", "b:8000"],
            replicas=2,
            edge_host="edge",
            health=HEALTH,
            network="outside",
            configuration="config",
            after=[edge],
        )
        return docker.Switch("switch", made).ready

    recorded = run(build)
    container = recorded.one(CONTAINER)

    assert container.inputs["user"] == "0:0"
    assert container.mounts == {"/etc/slipway": ("config", True), **MEMORY}
    assert container.env == nginx.switch_environment("text", ["a:8000", "b:8000"], "edge")
    assert container.inputs["command"] == nginx.switch_command()
    assert recorded.one(REMOTE_IMAGE).urn in container.dependencies


def one_process(**other: Any) -> Registered:  # noqa: ANN401 - fields are of many types
    """Register a process that there is one of, and give its container."""
    made: dict[str, Any] = {
        "owner": OWNER,
        "image": "sha256:1",
        "release": "0123456789ab",
        "process": "clock",
        "replicas": 1,
        "resources": SMALL,
        "command": ["celery", "beat"],
        "environment": {},
        "secrets": "hidden",
        "networks": ["inside"],
        "storage": "media",
        "media_root": "/app/media",
        "startup_seconds": 45,
        "stop_grace_seconds": 35,
    }
    return run(lambda: docker.Process("process-clock", args.ProcessArgs(**{**made, **other}))).one(CONTAINER)


def test_a_process_that_there_is_one_of() -> None:
    """Its name is fixed, so that the old one is deleted before the new one is made."""
    container = one_process(singleton=True)

    assert container.inputs["name"] == "shop-test-process-clock"
    assert container.deletes_first is True
    assert container.inputs["command"] == ["celery", "beat"]
    assert container.inputs["waitTimeout"] == 45


def test_a_process_that_runs_by_the_clock() -> None:
    """One container waits for the time; there are never two."""
    container = one_process(schedule="0 3 * * *")

    assert container.inputs["command"] == schedule.waiting("0 3 * * *", ["celery", "beat"])
    assert container.inputs["name"] == "shop-test-process-clock"
    assert container.deletes_first is True


def test_a_process_with_a_check_of_its_own() -> None:
    """What settings name is asked instead of how long it has run."""
    assert one_process(health_command=["celery", "inspect", "ping"]).inputs["healthcheck"]["tests"] == [
        *("CMD", "celery", "inspect", "ping"),
    ]
    assert one_process().inputs["healthcheck"]["tests"] == ["CMD", "sh", "-c", process.STEADY]
