"""Servers beside the app: what their names stand for, what settings ask of them, who comes before whom, on both targets."""

import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pulumi
import pytest

from components import environment, secrets, services, steps, template
from components.budget import budget
from components.deployment import Deployment
from components.environment import Known
from components.flows import Flow, flows
from components.problems import Problem, SettingsError
from tests.sample import settings as sample
from tests.unit.harness import CONTAINER, MEMORY, VOLUME, Recorded, clear, run
from tests.unit.pod_security import violations
from tests.unit.test_deployment import before

pytestmark = pytest.mark.usefixtures("nothing_of_this_machine")

QUEUE: Mapping[str, Any] = {
    "image": "rabbitmq:4",
    "entrypoint": "docker-entrypoint.sh",
    "command": "rabbitmq-server",
    "environment": {"USER": "app", "PASS": "${secrets.queue_password}", "DB": "${database.host}"},
    "files": {"/etc/rabbitmq/conf.d/a.conf": "a = ${secrets.cookie}\n", "/run/secrets/b.conf": "b"},
    "user": 999,
    "writable": ["/var/log/rabbitmq"],
    "volumes": {"data": "/var/lib/rabbitmq"},
    "port": 5672,
    "ports": {"management": 15672},
    "health_command": "rabbitmq-diagnostics -q ping",
    "startup_seconds": 90,
    "stop_grace_seconds": 40,
    "url": "amqp://app:${secrets.queue_password}@${host}:${port}/${ports.management}",
}
CACHE: Mapping[str, Any] = {
    "image": "memcached:1.6",
    "environment": {"QUEUE": "${services.queue.host}"},
    "user": 11211,
    "port": 11211,
}
APP: Mapping[str, Any] = {
    "environment": {"CACHE": "${services.cache.host}:${services.cache.port}", "BROKER": "${services.queue.url}"},
    "files": {"/app/local.ini": "admin = ${services.queue.ports.management}\n"},
}
SAID: Mapping[str, Any] = {"app": APP, "services": {"queue": QUEUE, "cache": CACHE}}
CLUSTER: Mapping[str, Any] = {"target": "kubernetes", "kubernetes": {"registry": "registry.example.org"}}
NOTHING: Mapping[str, Any] = {"postgres": {"provider": "none"}, "redis": {"provider": "none"}}


def deployed(said: Mapping[str, Any] = SAID) -> Recorded:
    """Deploy the sample with services."""
    loaded = sample(said)

    def build() -> None:
        values = {"postgres_password": "a/b", "redis_password": "c d", "queue_password": "p/w", "cookie": "chip"}
        given: dict[str, Any] = {name: pulumi.Output.secret(values.get(name, "key")) for name in secrets.needed(loaded)}
        own = {name: given.pop(name) for name in secrets.own(loaded)}
        Deployment(loaded, secrets.Secrets(**given, own=own))

    return run(build)


def written(recorded: Recorded, role: str) -> dict[str, str]:
    """Give the secret files of a role on Docker."""
    uploads = clear(recorded.one(CONTAINER, f"shop-test-{role}-secrets").inputs["uploads"])
    return {each["file"].removeprefix("/run/secrets/"): each["content"] for each in uploads}


# Names ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known", "secret"),
    [
        ("services.my-mq.host", True, False),
        ("services.mq.port", True, False),
        ("services.mq.ports.management", True, False),
        ("services.mq.url", True, True),
        ("services.mq.url.json", True, True),
        ("services.mq.url.file", True, False),
        ("services.mq.name", False, True),
        ("services.mq", False, True),
        ("services.MQ.host", False, True),
    ],
)
def test_names_of_services(name: str, known: bool, secret: bool) -> None:  # noqa: FBT001 - a table
    """Host and ports may be seen; the address may have a password in it."""
    assert template.is_known(name) is known
    if known:
        assert template.is_secret(name) is secret


def test_a_name_that_was_probably_meant() -> None:
    """What is near is named, with the service that it is about."""
    assert template.meant("services.mq.hots") == "services.mq.host"
    assert template.meant("services.mq.xyz") is None


def test_the_address_of_a_service() -> None:
    """Its own names are the service's; a secret in it is quoted as addresses want it."""
    known = Known(
        plain={
            "services.mq.host": "here",
            "services.mq.port": "1",
            "services.mq.ports.more": "2",
            "domain": "example.org",
        },
        secrets={"pass": "a/b c"},
        service_urls={"mq": "amqp://x:${secrets.pass}@${host}:${port}/${ports.more}?for=${domain}$${y}"},
    )

    address = "amqp://x:a%2Fb%20c@here:1/2?for=example.org${y}"
    assert known.value("services.mq.url") == address
    assert known.value("services.mq.url.json") == f'"{address}"'
    assert known.value("services.mq.url.file") == "/run/secrets/services.mq.url"
    assert known.value("services.mq.host.json") == '"here"'


def test_while_an_image_is_built() -> None:
    """Settings modules find names and ports that look like real ones, and nothing of the stack."""
    loaded = sample(SAID)
    known = environment.building(loaded.app, loaded.services)

    assert known.value("services.cache.host") == "127.0.0.1"
    assert known.value("services.queue.url") == f"amqp://app:{environment.BUILDING}@127.0.0.1:5672/15672"


# Settings ---------------------------------------------------------------------------------------------------------------


def problems(said: Mapping[str, Any]) -> list[Problem]:
    """Give everything that is wrong with the sample."""
    with pytest.raises(SettingsError) as error:
        sample(said)
    return list(error.value.problems)


def queue(**changes: Any) -> Mapping[str, Any]:  # noqa: ANN401 - settings are of many types
    """Say the queue with changes; None takes one away."""
    changed = {key: value for key, value in {**QUEUE, **changes}.items() if value is not None}
    return {"services": {"queue": changed}}


URL_NAMES = (
    "one of host, port, ports.management, secrets.NAME, domain, scheme, url, allowed_hosts, trusted_origins, release"
)
EXPORTED = (
    (
        "nothing, and slipway:services.queue.environment.PASS has a value that names a secret, which a shell has to "
        "export before its program starts"
    ),
    (
        "the ENTRYPOINT of its image, and its CMD as slipway:services.NAME.command: `docker image inspect IMAGE` shows "
        "both; or the path of a file, such as ${secrets.NAME.file}"
    ),
)


@pytest.mark.parametrize(
    ("said", "key", "found", "allowed", "mend"),
    [
        (
            {**queue(), "app": {"environment": {"X": "a ${services.queu.url}"}}},
            "slipway:app.environment.X",
            '"${services.queu.url}", and there is no service queu',
            "probably ${services.queue.url}; one of the services queue",
            "pulumi config set --path 'slipway:app.environment.X' 'a ${services.queue.url}' --stack test",
        ),
        (
            {"app": {"files": {"/app/x": "${services.queue.host}"}}},
            'slipway:app.files["/app/x"]',
            '"${services.queue.host}", and there is no service queue',
            "a service below slipway:services",
            "correct it in stacks/Pulumi.test.yaml",
        ),
        (
            {**queue(url=None), "app": {"environment": {"X": "${services.queue.url}"}}},
            "slipway:services.queue.url",
            'nothing, and slipway:app.environment.X has "${services.queue.url}"',
            "an address with ${host} and ${port} in it, such as http://${host}:${port}/",
            "pulumi config set --path 'slipway:services.queue.url' 'http://${host}:${port}/' --stack test",
        ),
        (
            {**queue(), "app": {"environment": {"X": "${services.queue.ports.web}"}}},
            "slipway:services.queue.ports.web",
            'nothing, and slipway:app.environment.X has "${services.queue.ports.web}"',
            "one of the ports management",
            "pulumi config set --path 'slipway:services.queue.ports.web' 5672 --stack test",
        ),
        (
            {**queue(ports={}, url=None), "app": {"environment": {"X": "${services.queue.ports.web}"}}},
            "slipway:services.queue.ports.web",
            'nothing, and slipway:app.environment.X has "${services.queue.ports.web}"',
            "a port below this name",
            "pulumi config set --path 'slipway:services.queue.ports.web' 5672 --stack test",
        ),
        (
            queue(environment={"X": "${databse.host}"}),
            "slipway:services.queue.environment.X",
            '"${databse.host}", which means nothing',
            f"probably ${{database.host}}; one of {', '.join(template.names())}",
            "pulumi config set --path 'slipway:services.queue.environment.X' '${database.host}' --stack test",
        ),
        (
            queue(environment={"X": "${domain"}),
            "slipway:services.queue.environment.X",
            '"${domain", which has no }',
            f"probably ${{domain}}; one of {', '.join(template.names())}",
            "pulumi config set --path 'slipway:services.queue.environment.X' '${domain}' --stack test",
        ),
        (
            queue(url="amqp://${hots}/"),
            "slipway:services.queue.url",
            '"${hots}", which means nothing',
            f"probably ${{host}}; {URL_NAMES}",
            "pulumi config set --path 'slipway:services.queue.url' 'amqp://${host}/' --stack test",
        ),
        (
            queue(url="amqp://${ports.web}/"),
            "slipway:services.queue.url",
            '"${ports.web}", which means nothing',
            f"probably ${{port}}; {URL_NAMES}",
            "pulumi config set --path 'slipway:services.queue.url' 'amqp://${port}/' --stack test",
        ),
        (
            queue(entrypoint=None, environment={"A": "1", "PASS": "${secrets.a}"}),
            "slipway:services.queue.entrypoint",
            *EXPORTED,
            "pulumi config set --path 'slipway:services.queue.entrypoint' docker-entrypoint.sh --stack test",
        ),
        (
            queue(files={"/etc/a.conf": "a"}),
            'slipway:services.queue.files["/etc/"]',
            "/etc, which would hide what the image has there",
            "a folder of its own",
            "correct it in stacks/Pulumi.test.yaml",
        ),
        (
            queue(volumes={"data": "/var/lib"}),
            "slipway:services.queue.volumes.data",
            "/var/lib, which would hide what the image has there",
            "a folder of its own",
            "correct it in stacks/Pulumi.test.yaml",
        ),
        (
            queue(writable="/var/lib/rabbitmq"),
            "slipway:services.queue.writable",
            "/var/lib/rabbitmq, which is slipway:services.queue.volumes.data too",
            "one use of each folder",
            "correct it in stacks/Pulumi.test.yaml",
        ),
        (
            queue(files={"/run/secrets/environment": "a"}),
            'slipway:services.queue.files["/run/secrets/environment"]',
            "a file that Slipway writes itself",
            "another name in /run/secrets",
            "pulumi config rm --path 'slipway:services.queue.files[\"/run/secrets/environment\"]' --stack test",
        ),
        (
            {"services": {"a23456789b23456789c23456789d2": {**CACHE, "environment": {}}}, "app": {"name": "a" * 31}},
            "slipway:services.a23456789b23456789c23456789d2",
            f"a service whose host would be {'a' * 31}-test-service-a23456789b23456789c23456789d2, which has 74 letters",
            "at most 63, in which slipway:app.name and the name of the stack are too",
            "pulumi config rm --path 'slipway:services.a23456789b23456789c23456789d2' --stack test   # and a shorter name for it",
        ),
        (
            queue(size_gb=20),
            "slipway:services.queue.size_gb",
            "a setting for target kubernetes",
            "with target docker: nothing, since a volume of Docker takes what its disk has",
            "pulumi config rm --path 'slipway:services.queue.size_gb' --stack test",
        ),
        (
            queue(ports={"management": 70000}),
            "slipway:services.queue.ports.management",
            "70000",
            "NAME: port pairs, each name of at most 20 small letters, digits and hyphens, each port from 1 to 65535",
            "pulumi config rm --path 'slipway:services.queue.ports.management' --stack test",
        ),
        (
            {"redis": {"provider": "none"}, "app": {"environment": {"X": "${redis.url/1}"}}},
            "slipway:app.environment.X",
            '"${redis.url/1}", and slipway:redis.provider is none',
            "names of what the stack has, or a redis",
            "pulumi config set --path 'slipway:redis.provider' slipway --stack test",
        ),
        (
            {"postgres": {"provider": "none"}, **queue(environment={"X": "${database.host.file}"})},
            "slipway:services.queue.environment.X",
            '"${database.host.file}", and slipway:postgres.provider is none',
            "names of what the stack has, or a database",
            "pulumi config set --path 'slipway:postgres.provider' slipway --stack test",
        ),
    ],
)
def test_what_settings_may_not_say(said: Mapping[str, Any], key: str, found: str, allowed: str, mend: str) -> None:
    """It is refused before anything exists, with what was probably meant and the command that mends it."""
    assert problems(said) == [Problem(key=key, found=found, allowed=allowed, mend=mend)]


def test_an_image_and_a_port_and_a_user_are_enough() -> None:
    """Everything else has a default; a user of an image is not guessed."""
    found = sample({"services": {"cache": {"image": "memcached:1.6", "user": 11211, "port": 11211}}}).services["cache"]

    assert found.model_dump(mode="json") == {
        "image": "memcached:1.6",
        "entrypoint": [],
        "command": [],
        "environment": {},
        "files": {},
        "user": 11211,
        "writable": [],
        "read_only": True,
        "volumes": {},
        "size_gb": 10,
        "port": 11211,
        "ports": {},
        "health_command": [],
        "health_tcp": True,
        "startup_seconds": 60,
        "stop_grace_seconds": 30,
        "resources": {"memory_mb": 256, "cpus": 0.5},
        "url": None,
    }
    assert [each.key for each in problems({"services": {"cache": {}}})] == [
        f"slipway:services.cache.{name}" for name in ("image", "user", "port")
    ]


@pytest.mark.parametrize("user", [0, -1, "app"])
def test_a_service_is_not_root(user: object) -> None:
    """Its user is a number other than 0."""
    (only,) = problems(queue(user=user))
    assert (only.key, only.allowed) == ("slipway:services.queue.user", "a whole number from 1 to 4294967294")


def test_without_a_store_its_variables_are_the_projects() -> None:
    """Where there is no Postgres, DATABASE_URL may say whatever it likes, in clear too; Slipway sets none."""
    said = {**NOTHING, "app": {"environment": {"DATABASE_URL": "sqlite:////data/db", "REDIS_URL_FILE": "x"}}}
    found = environment.app(sample(said), "0123456789ab")

    assert found["DATABASE_URL"] == "sqlite:////data/db"
    assert found["REDIS_URL_FILE"] == "x"
    assert "DATABASE_URL_FILE" not in found


# Secrets, connections, room -------------------------------------------------------------------------------------------------


def test_secrets_of_services() -> None:
    """Passwords that a service names are made; what has another name, or is the app's alone, is given."""
    loaded = sample({**SAID, "app": {"environment": {"MAIL": "${secrets.mail_password}"}}})

    assert secrets.own(loaded) == ["cookie", "mail_password", "queue_password"]
    assert [name for name in secrets.own(loaded) if secrets.is_made(name, loaded)] == ["queue_password"]
    assert secrets.missing("queue_password", "prod", loaded).mend == "python -m pipeline secrets init prod"
    assert (
        secrets.missing("cookie", "prod", loaded).mend
        == "pulumi config set --secret secrets:cookie --stack prod   # it asks for the value"
    )


def test_without_stores_there_are_no_passwords_of_them() -> None:
    """Nothing is asked for that nobody uses."""
    assert secrets.needed(sample(NOTHING)) == ["django_key"]


def test_who_asks_a_service() -> None:
    """The app on each port, another service that names it, and it those that it names. Nothing else."""
    found = {each for each in flows(sample(SAID)) if "service-" in each.source + each.to}

    assert found == {
        *(Flow(client, "service-queue", port) for client in ("web", "migration") for port in (5672, 15672)),
        *(Flow("service-cache", "service-queue", port) for port in (5672, 15672)),
        *(Flow(client, "service-cache", 11211) for client in ("web", "migration")),
        Flow("service-queue", "postgres", 5432),
    }


def test_without_stores_nobody_asks_them() -> None:
    """The migration has no way out either."""
    assert {each.to for each in flows(sample(NOTHING)) if each.source == "migration"} == set()


def test_room_for_services() -> None:
    """Each counts once, with a claim for each of its volumes; a store that is not there counts nothing."""
    usual, more = budget(sample(CLUSTER)), budget(sample({**CLUSTER, **SAID}))
    less = budget(sample({**CLUSTER, **NOTHING}))

    assert more.memory_mb_limit - usual.memory_mb_limit == 1.5 * 2 * 256
    assert (more.pods - usual.pods, more.storage_gb - usual.storage_gb) == (3, 15)
    assert usual.pods - less.pods == 3
    assert usual.claims - less.claims == 3


# On Docker --------------------------------------------------------------------------------------------------------------


def test_a_service_on_docker() -> None:
    """A fixed name, the internal network alone, no rights, its data in a volume, its secrets in files."""
    recorded = deployed()
    found = recorded.one(CONTAINER, "service-queue-server")

    assert found.inputs["name"] == "shop-test-service-queue"
    assert found.inputs["hostname"] == "queue"
    assert found.deletes_first
    assert found.inputs["user"] == "999:999"
    assert found.inputs["readOnly"] is True
    assert found.inputs["capabilities"] == {"drops": ["ALL"]}
    assert [each["name"] for each in found.inputs["networksAdvanced"]] == ["shop-test-internal"]
    assert found.inputs["entrypoints"] == [
        *("sh", "-c", 'set -a; . /run/secrets/environment; set +a; exec "$@"', "sh", "docker-entrypoint.sh"),
    ]
    assert found.inputs["command"] == ["rabbitmq-server"]
    assert found.env == {"USER": "app"}
    files = f"shop-test-{services.folder_role('queue', '/etc/rabbitmq/conf.d')}-secrets"
    assert {path: (str(source).partition("-0123456")[0], rw) for path, (source, rw) in found.mounts.items()} == {
        "/var/lib/rabbitmq": ("shop-test-service-queue-data", True),
        "/run/secrets": ("shop-test-service-queue-secrets", False),
        "/etc/rabbitmq/conf.d": (files, False),
        "/tmp": ("None", True),  # noqa: S108 - a path in a container
        "/var/log/rabbitmq": ("None", True),
    }
    assert found.inputs["healthcheck"]["tests"] == ["CMD", "rabbitmq-diagnostics", "-q", "ping"]
    assert found.inputs["waitTimeout"] == 90
    assert found.inputs["destroyGraceSeconds"] == 40
    assert "ports" not in found.inputs


def test_secret_files_on_docker() -> None:
    """What names a secret is in files alone, and each folder of rendered files has these and nothing else."""
    recorded = deployed()
    host = "shop-test-service-queue"

    assert written(recorded, "service-queue") == {
        "environment": "DB=shop-test-postgres\nPASS=p/w\n",
        "b.conf": "b",
    }
    assert written(recorded, services.folder_role("queue", "/etc/rabbitmq/conf.d")) == {"a.conf": "a = chip\n"}
    app = written(recorded, "app")
    assert app["environment"] == f"BROKER=amqp://app:p%2Fw@{host}:5672/15672\n"
    assert app[environment.rendered_file("/app/local.ini")] == "admin = 15672\n"
    assert recorded.one(CONTAINER, "shop-test-web-1").env["CACHE"] == "shop-test-service-cache:11211"


def test_a_service_that_says_nothing() -> None:
    """It starts as its image says, reads no secret, and counts as ready when something listens."""
    recorded = deployed()
    found = recorded.one(CONTAINER, "service-cache-server")

    assert not {"entrypoints", "command"} & found.inputs.keys()
    assert found.env == {"QUEUE": "shop-test-service-queue"}
    assert found.mounts == MEMORY
    assert found.inputs["healthcheck"]["tests"] == ["CMD", *services.listens(11211)]
    assert not [each for each in recorded.of(CONTAINER) if "service-cache-volumes" in each.name]


def test_a_service_without_a_check() -> None:
    """It counts as ready when it has started, on both targets."""
    said = {"services": {"cache": {**CACHE, "environment": {}, "health_tcp": False}}}

    assert "healthcheck" not in deployed(said).one(CONTAINER, "service-cache-server").inputs
    assert "readinessProbe" not in pod(deployed({**CLUSTER, **said}), "service-cache")["containers"][0]


def test_an_image_that_writes_in_many_places() -> None:
    """Where settings say so, the image alone is no longer read-only; everything else stays as it was."""
    said = {"services": {"cache": {**CACHE, "environment": {}, "read_only": False}}}
    found = deployed(said).one(CONTAINER, "service-cache-server")
    (only,) = (spec := pod(deployed({**CLUSTER, **said}), "service-cache"))["containers"]

    assert not found.inputs.get("readOnly")
    assert found.inputs["capabilities"] == {"drops": ["ALL"]}
    assert only["securityContext"]["readOnlyRootFilesystem"] is False
    assert violations(spec) == []


def test_volumes_are_given_to_the_user() -> None:
    """Once, before the server, by root with no other right; and they are protected as settings say it."""
    recorded = deployed({**SAID, "data": {"protect": True}})
    found = recorded.one(CONTAINER, "shop-test-service-queue-volumes")
    volume = recorded.one(VOLUME, "service-queue-data-storage-volume")

    assert found.inputs["user"] == "0:0"
    assert found.inputs["capabilities"] == {"drops": ["ALL"], "adds": ["CHOWN", "DAC_OVERRIDE"]}
    assert found.inputs["networkMode"] == "none"
    assert found.inputs["command"][3:] == ["sh", "999:999", "/volumes/data"]
    assert found.mounts["/volumes/data"] == ("shop-test-service-queue-data", True)
    assert found.inputs["mustRun"] is False
    assert found.urn in recorded.one(CONTAINER, "service-queue-server").dependencies
    assert volume.inputs["name"] == "shop-test-service-queue-data"
    assert (volume.protect, volume.retain_on_delete) == (True, True)


def test_order() -> None:
    """A service waits for the stores that it names; the migration, and with it all else, waits for every service."""
    recorded = deployed({**SAID, "processes": {"worker": {"command": "celery worker"}}})
    folder = f"{services.folder_role('queue', '/etc/rabbitmq/conf.d')}-secrets"
    own = {"service-queue-secrets", folder, "service-queue-volumes"}

    assert before(recorded, "service-queue") == {"postgres", "postgres-secrets", *own}
    assert before(recorded, "service-cache") == set()
    for component in ("migration", "web", "process-worker"):
        assert {"service-queue", "service-cache"} <= before(recorded, component)


def test_without_stores() -> None:
    """There is no server of them, no volume, no secret file, no variable."""
    recorded = deployed(NOTHING)
    components = {each.labels["slipway.component"] for kind in (CONTAINER, VOLUME) for each in recorded.of(kind)}

    assert components == {"media", "static", "edge", "app-secrets", "migration", "web", "switch"}
    assert written(recorded, "app") == {"secret_key": "key"}
    assert not {"DATABASE_URL_FILE", "REDIS_URL_FILE"} & recorded.one(CONTAINER, "shop-test-web-1").env.keys()
    (network,) = recorded.one(CONTAINER, "shop-test-migration").inputs["networksAdvanced"]
    assert network["name"] == "shop-test-internal"


# On a cluster -----------------------------------------------------------------------------------------------------------


def pod(recorded: Recorded, role: str) -> Mapping[str, Any]:
    """Give the pod of a StatefulSet."""
    (found,) = [each for each in recorded.resources if each.kind == "StatefulSet" and each.metadata["name"] == role]
    return found.pod or {}


def test_a_service_on_a_cluster() -> None:
    """A StatefulSet of one, as Pod Security wants it, with its claim, its Secrets and a Service for its ports."""
    recorded = deployed({**CLUSTER, **SAID})
    spec = pod(recorded, "service-queue")
    (only,) = spec["containers"]

    assert violations(spec) == []
    assert spec["securityContext"]["fsGroup"] == 999
    assert only["command"][:2] == ["sh", "-c"]
    assert only["command"][4:] == ["docker-entrypoint.sh"]
    assert only["args"] == ["rabbitmq-server"]
    assert only["env"] == [{"name": "USER", "value": "app"}]
    assert {each["mountPath"]: each.get("readOnly", False) for each in only["volumeMounts"]} == {
        "/var/lib/rabbitmq": False,
        "/run/secrets": True,
        "/etc/rabbitmq/conf.d": True,
        "/tmp": False,  # noqa: S108 - a path in a container
        "/var/log/rabbitmq": False,
    }
    for name in (each["name"] for each in spec["volumes"]):
        assert len(name) <= 63
        assert "." not in name
    assert only["readinessProbe"]["exec"]["command"] == ["rabbitmq-diagnostics", "-q", "ping"]
    (service,) = [
        each
        for each in recorded.resources
        if each.type.endswith("v1:Service") and each.metadata.get("name") == "service-queue"
    ]
    assert [(each["name"], each["port"]) for each in service.spec["ports"]] == [
        ("port-5672", 5672),
        ("port-15672", 15672),
    ]
    (claim,) = [each for each in recorded.resources if each.kind == "PersistentVolumeClaim" and "queue" in each.name]
    assert claim.metadata["name"] == "service-queue-data"
    assert claim.spec["resources"] == {"requests": {"storage": "10Gi"}}


def test_a_port_is_asked_on_a_cluster() -> None:
    """Where no command says it, a connection does."""
    (only,) = pod(deployed({**CLUSTER, **SAID}), "service-cache")["containers"]

    assert only["readinessProbe"]["tcpSocket"] == {"port": 11211}
    assert only["livenessProbe"]["tcpSocket"] == {"port": 11211}


def test_the_migration_waits_until_services_can_be_reached() -> None:
    """A network that enforces policies knows a new pod only after a moment."""
    recorded = deployed({**CLUSTER, **SAID})
    (job,) = [each for each in recorded.resources if each.kind == "Job" and "migration" in each.name]
    (only,) = (job.pod or {})["containers"]

    assert only["args"][: len(steps.when_reachable([]))] == steps.when_reachable(
        [], ["service-queue:5672", "service-cache:11211"]
    )


# The check of a port ----------------------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[Callable[[str], int]]:
    """Listen on an address, and give the port."""
    sockets: list[socket.socket] = []

    def listen(address: str) -> int:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sockets.append(socket.socket(family))
        sockets[-1].bind((address, 0))
        sockets[-1].listen()
        port: int = sockets[-1].getsockname()[1]
        return port

    yield listen
    for each in sockets:
        each.close()


def listens(port: int) -> int:
    """Run the check, and give how it ended."""
    return subprocess.run(services.listens(port), capture_output=True, check=False, timeout=10).returncode


@pytest.mark.parametrize(("address", "code"), [("0.0.0.0", 0), ("127.0.0.1", 1)])  # noqa: S104 - what is looked for
def test_what_listens_for_others(listening: Callable[[str], int], address: str, code: int) -> None:
    """A server that takes connections from this machine alone, as while it is set up, cannot serve yet."""
    assert listens(listening(address)) == code


def test_what_does_not_listen() -> None:
    """A port that was bound and is not listened on is none."""
    with socket.socket() as bound:
        bound.bind(("0.0.0.0", 0))  # noqa: S104 - it listens to nobody
        assert listens(bound.getsockname()[1]) == 1
