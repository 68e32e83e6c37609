"""The order of a deployment: what comes before what, and that nothing happens after a step that failed."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import environment, image, release, resolved, steps
from components.deployment import TARGETS, Deployment, once
from components.docker.task import StepError
from components.model import Target
from components.release import Release
from components.secrets import Secrets
from tests.sample import settings as sample
from tests.unit.harness import BUILT_IMAGE, CONTAINER, VOLUME, Outcome, Recorded, clear, run

SAID: Mapping[str, Any] = {"web": {"replicas": 2}}
PASSWORDS: Mapping[str, str] = {"postgres_password": "a/b", "redis_password": "c d"}


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write nothing, and keep what this machine trusts out of the tests."""

    def write(_release: Release, stack: str) -> str:
        return f".slipway/build/{stack}/Dockerfile"

    monkeypatch.setattr(image, "write", write)
    monkeypatch.delenv(resolved.CA_VARIABLE, raising=False)


def hidden(value: str) -> pulumi.Output[str]:
    """Make a secret."""
    return pulumi.Output.secret(value)


class Watched:
    """A deployment that keeps what it registered, also when it fails."""

    def __init__(self) -> None:
        self.components: list[str] = []

    def run(
        self,
        said: Mapping[str, Any] = SAID,
        outcome: Outcome = lambda _name, _inputs: {},
        state: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] = PASSWORDS,
    ) -> Recorded:
        """Deploy the sample with what is said differently."""

        def watched(name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
            self.components.append(name)
            return outcome(name, inputs)

        def build() -> None:
            given: dict[str, Any] = {name: hidden(value) for name, value in secrets.items()}
            Deployment(sample(said), Secrets(django_key=hidden("key"), **given))

        return run(build, outcome=watched, state=state)


def deployed(said: Mapping[str, Any] = SAID, state: Mapping[str, Any] | None = None) -> Recorded:
    """Deploy the sample with what is said differently."""
    return Watched().run(said, state=state)


def before(recorded: Recorded, component: str) -> set[str]:
    """Give the components whose containers exist before those of one, at any distance, and the build."""
    by_urn = {each.urn: each for each in recorded.resources}
    names = {each.urn: each.labels["slipway.component"] for each in recorded.of(CONTAINER)}
    names |= {each.urn: "build" for each in recorded.of(BUILT_IMAGE)}
    todo = [urn for urn, name in names.items() if name == component]
    assert todo
    seen: set[str] = set()
    while todo:
        urn = todo.pop()
        new = by_urn[urn].dependencies - seen
        seen |= new
        todo += new
    return {names[urn] for urn in seen if urn in names}


WORKER: Mapping[str, Any] = {**SAID, "processes": {"worker": {"command": "celery worker", "replicas": 2}}}

DATASTORES = {"postgres", "redis", "postgres-secrets", "redis-secrets", "app-secrets"}


def test_a_migration_may_compute_between_two_queries() -> None:
    """Only in the migration, the database does not end what holds a transaction and asks nothing for a while."""
    recorded = deployed(WORKER)
    said = {each.labels["slipway.component"] for each in recorded.of(CONTAINER) if "PGOPTIONS" in each.env}
    assert said == {"migration"}
    assert steps.PATIENT == {"PGOPTIONS": "-c idle_in_transaction_session_timeout=0"}


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("postgres", {"postgres-secrets"}),
        ("redis", {"redis-secrets"}),
        ("edge", set()),
        ("static", {"build", *DATASTORES, "migration"}),
        ("migration", {"build", *DATASTORES}),
        ("web", {"build", *DATASTORES, "migration", "static"}),
        ("switch", {"build", *DATASTORES, "migration", "static", "web", "edge"}),
    ],
)
def test_order(component: str, expected: set[str]) -> None:
    """Each step waits for all that it needs, and for nothing else."""
    assert before(deployed(), component) == expected


def test_the_project_serves_its_own_static_files() -> None:
    """Nothing is copied and nothing is mounted for the edge, and web waits for the migration alone."""
    recorded = deployed({**SAID, "static": {"serve": "project"}})

    assert before(recorded, "web") == {"build", *DATASTORES, "migration"}
    assert not [each.name for each in recorded.resources if "static" in each.name]
    assert "/srv/static" not in recorded.one(CONTAINER, "edge-server").mounts


def test_static_files_on_a_volume() -> None:
    """They are collected at the release by the app's user, who writes to them later, too; the edge reads them."""
    recorded = deployed({**WORKER, "static": {"serve": "volume", "root": "/app/collected"}})
    step = recorded.one(CONTAINER, "shop-test-static")

    assert before(recorded, "web") == {"build", *DATASTORES, "migration", "static"}
    assert step.inputs["command"] == ["timeout", "-k", "10", "300", "python", "manage.py", "collectstatic", "--noinput"]
    assert step.inputs["user"] == "10001:10001"
    assert step.mounts["/app/collected"] == ("shop-test-collected", True)
    for name in ("shop-test-web-1", "shop-test-process-worker-1"):
        assert recorded.one(CONTAINER, name).mounts["/app/collected"] == ("shop-test-collected", True)
    assert recorded.one(CONTAINER, "edge-server").mounts["/srv/static"] == ("shop-test-collected", False)


def test_the_switch_knows_the_members_of_each_upstream() -> None:
    """Web has its members as ever; a process that gets requests names its upstream, and one that gets none is left out."""
    said = {
        **SAID,
        "processes": {
            "sockets": {"command": "daphne", "port": 9000},
            "worker": {"command": "celery", "port": 9001},
        },
        "edge": {"routes": {"/ws/": "sockets"}},
    }
    recorded = deployed(said)

    assert recorded.one(CONTAINER, "shop-test-switch").env["SLIPWAY_MEMBERS"] == (
        "shop-test-web-1-0123456:8000 shop-test-web-2-0123456:8000 "
        "process-sockets=shop-test-process-sockets-1-0123456:9000"
    )


def test_volumes() -> None:
    """Each is mounted by those who are named, and protected as the uploads are."""
    said = {
        **WORKER,
        "data": {"protect": True},
        "volumes": {
            "indexes": {"path": "/srv/indexes"},
            "models": {"path": "/srv/models", "processes": ["worker"], "read_only": True},
        },
    }
    recorded = deployed(said)
    web, worker = (recorded.one(CONTAINER, f"shop-test-{name}-1").mounts for name in ("web", "process-worker"))

    assert {name: place for name, place in web.items() if name in {"/srv/indexes", "/srv/models"}} == {
        "/srv/indexes": ("shop-test-volume-indexes", True)
    }
    assert (worker["/srv/indexes"], worker["/srv/models"]) == (
        ("shop-test-volume-indexes", True),
        ("shop-test-volume-models", False),
    )
    for name in ("indexes", "models"):
        volume = recorded.one(VOLUME, f"volume-{name}-storage-volume")
        assert (volume.inputs["name"], volume.protect, volume.retain_on_delete) == (
            f"shop-test-volume-{name}",
            True,
            True,
        )


@pytest.mark.parametrize(
    ("failing", "reached"),
    [
        ("migration", {"migration"}),
        ("static", {"migration", "static"}),
        ("switch", {"migration", "static", "web-1", "web-2", "switch"}),
    ],
)
def test_nothing_happens_after_a_failure(failing: str, reached: set[str]) -> None:
    """When a step fails, what comes after it is not even registered, and the update is an error."""
    watched = Watched()

    def outcome(name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"exitCode": int(name == f"shop-test-{failing}"), "containerLogs": "why"}

    with pytest.raises(StepError, match=r"failed with exit code 1[\s\S]*why[\s\S]*`pulumi up` again"):
        watched.run(outcome=outcome)

    ran = {name.removeprefix("shop-test-") for name in watched.components}
    assert ran <= reached
    assert failing in ran


def test_order_of_processes() -> None:
    """Other processes start when web does, and the traffic is handed over when they run."""
    recorded = deployed(WORKER)

    assert before(recorded, "process-worker") == {"build", *DATASTORES, "migration", "static"}
    assert "process-worker" in before(recorded, "switch")
    assert before(recorded, "web") == {"build", *DATASTORES, "migration", "static"}


def test_a_process_has_what_web_has() -> None:
    """The same image, environment, secrets, networks and uploads."""
    recorded = deployed(WORKER)
    web, worker = (recorded.one(CONTAINER, f"shop-test-{name}-1").inputs for name in ("web", "process-worker"))

    for key in ("image", "envs", "mounts", "networksAdvanced", "user"):
        assert worker[key] == web[key]
    assert worker["command"] == ["celery", "worker"]


EXTERNAL: Mapping[str, Any] = {
    **SAID,
    "postgres": {"provider": "external"},
    "redis": {"provider": "external"},
}
URLS: Mapping[str, str] = {
    "database_url": "postgresql://me:hush@db.example.org:5432/shop",
    "redis_url": "redis://:h%20sh@cache.example.org:6379/0",
}


def test_servers_of_somebody_else() -> None:
    """There is no server, no volume and no password of ours, and the app reads the addresses that are given."""
    recorded = Watched().run(EXTERNAL, secrets=URLS)
    components = {each.labels["slipway.component"] for kind in (CONTAINER, VOLUME) for each in recorded.of(kind)}
    uploads = clear(recorded.one(CONTAINER, "shop-test-app-secrets").inputs["uploads"])

    assert components == {"media", "static", "edge", "app-secrets", "migration", "web", "switch"}
    assert {each["file"]: each["content"] for each in uploads} == {
        "/run/secrets/secret_key": "key",
        "/run/secrets/database_url": URLS["database_url"],
        "/run/secrets/redis_url": URLS["redis_url"],
    }


@pytest.mark.parametrize(
    ("said", "secrets", "networks"),
    [
        (SAID, PASSWORDS, ["internal"]),
        (EXTERNAL, URLS, ["edge", "internal"]),
        (
            {**SAID, "postgres": {"provider": "external"}},
            {"database_url": URLS["database_url"], "redis_password": "c d"},
            ["edge", "internal"],
        ),
    ],
)
def test_the_migration_gets_out_where_it_has_to(
    said: Mapping[str, Any], secrets: Mapping[str, str], networks: list[str]
) -> None:
    """Only a datastore of somebody else is a reason for a way out."""
    migration = Watched().run(said, secrets=secrets).one(CONTAINER, "shop-test-migration")

    joined = [each["name"].removeprefix("shop-test-") for each in migration.inputs["networksAdvanced"]]
    assert joined == networks


def test_an_address_is_hidden_in_errors() -> None:
    """What a step says is shown without the addresses that were given, and without the passwords in them."""

    def outcome(name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        said = f"cannot reach {URLS['database_url']} with hush, nor with h sh"
        return {"exitCode": int(name == "shop-test-migration"), "containerLogs": said}

    with pytest.raises(StepError) as error:
        Watched().run(EXTERNAL, outcome, secrets=URLS)

    assert "cannot reach [secret] with [secret], nor with [secret]" in str(error.value)


def test_a_promoted_image_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The containers of the app run the image that is named, under the name of its release, and no file is read."""

    def refuse(_settings: object) -> None:
        raise AssertionError("the project is not needed")

    monkeypatch.setattr(release, "plan", refuse)
    named = f"sha256:{'1' * 64}"
    promoted = {"image": named, "release": "ba9876543210", "stack": "staging"}

    recorded = deployed({**SAID, "promoted": promoted})

    assert recorded.of(BUILT_IMAGE) == []
    web = [
        each for each in recorded.of(CONTAINER) if each.labels["slipway.component"] in {"web", "migration", "static"}
    ]
    assert {each.inputs["image"] for each in web} == {named}
    assert {each.labels["slipway.release"] for each in web} == {"ba9876543210"}


def test_a_failed_step_is_tried_again() -> None:
    """The number of each attempt comes from the stack's state."""
    labels = [
        {"label": "slipway.component", "value": "migration"},
        {"label": "slipway.attempt", "value": "4"},
    ]
    state = {"urn": {"type": CONTAINER, "outputs": {"labels": labels, "exitCode": 1}}}

    attempts = {
        each.labels["slipway.component"]: each.labels["slipway.attempt"]
        for each in deployed(state=state).of(CONTAINER)
        if "slipway.attempt" in each.labels
    }

    assert attempts == {"migration": "5", "static": "1", "switch": "1"}


def test_switch_knows_every_web_container() -> None:
    """The switch hands the traffic to all new web containers by name."""
    recorded = deployed()
    switch = recorded.one(CONTAINER, "shop-test-switch")

    assert switch.env["SLIPWAY_MEMBERS"] == "shop-test-web-1-0123456:8000 shop-test-web-2-0123456:8000"
    assert switch.env["SLIPWAY_EDGE"] == "shop-test-edge:8081"


def test_an_edge_setting_changes_the_switch_alone() -> None:
    """Another body size is a reload of nginx: no container but the switch is another one."""
    bigger = {**SAID, "edge": {"max_body_mb": 99}}
    usual = {each.urn: each.inputs for each in deployed().resources}
    changed = {each.urn for each in deployed(bigger).resources if each.inputs != usual[each.urn]}

    assert [urn.rsplit("::", 1)[1] for urn in changed] == ["shop-test-switch"]


def test_an_own_dockerfile_brings_its_own_command() -> None:
    """An image of the project's own starts as it says itself."""
    own = deployed().one(CONTAINER, "shop-test-web-1").inputs
    theirs = Watched().run({**SAID, "app": {"dockerfile": "manage.py"}}).one(CONTAINER, "shop-test-web-1").inputs

    assert own["command"][0] == "gunicorn"
    assert "command" not in theirs


TEMPLATES: Mapping[str, Any] = {
    **WORKER,
    "domain": "shop.example.org",
    "app": {
        "environment": {
            "SITE": "${url}/",
            "DSN": "it's ${secrets.dsn}",
            "DSN_FILE": "${secrets.dsn.file}",
            "QUEUE_FILE": "${redis.url/2.file}",
            "CACHE": "${redis.url/1}",
        },
        "files": {"/app/local.ini": "password = ${database.password}\n"},
    },
}
EXPORT = ["sh", "-c", 'set -a; . /run/secrets/environment; set +a; exec "$@"', "sh"]


def templated() -> Recorded:
    """Deploy the sample with templates."""

    def build() -> None:
        own = {"dsn": hidden("h\nush")}
        given: dict[str, Any] = {name: hidden(value) for name, value in PASSWORDS.items()}
        Deployment(sample(TEMPLATES), Secrets(django_key=hidden("key"), **given, own=own))

    return run(build)


def test_what_names_a_secret_is_in_files_alone() -> None:
    """Variables of containers are plain; the others are lines of a shell that every process of the app reads first."""
    recorded = templated()
    secret_files = recorded.one(CONTAINER, "shop-test-app-secrets")
    uploads = clear(secret_files.inputs["uploads"])
    written = {each["file"].removeprefix("/run/secrets/"): each["content"] for each in uploads}
    rendered = environment.rendered_file("/app/local.ini")

    assert set(written) == {
        *("secret_key", "database_url", "redis_url"),
        *("environment", "secrets.dsn", "redis.url-2", rendered),
    }
    assert written["environment"] == ("CACHE=redis://:c%20d@shop-test-redis:6379/1\nDSN='it'\"'\"'s h\nush'\n")
    assert written["secrets.dsn"] == "h\nush"
    assert written["redis.url-2"] == "redis://:c%20d@shop-test-redis:6379/2"
    assert written[rendered] == "password = a/b\n"
    for name in ("web-1", "process-worker-1", "migration"):
        found = recorded.one(CONTAINER, f"shop-test-{name}")
        assert found.inputs["command"][:4] == EXPORT
        assert found.env["SITE"] == "https://shop.example.org/"
        assert found.env["DSN_FILE"] == "/run/secrets/secrets.dsn"
        assert found.env["QUEUE_FILE"] == "/run/secrets/redis.url-2"
        assert not {"DSN", "CACHE"} & found.env.keys()
    assert recorded.one(CONTAINER, "shop-test-migration").inputs["command"][4:] == steps.release(
        sample(TEMPLATES).release
    )


def test_without_templates_nothing_is_wrapped() -> None:
    """A stack that names no secret runs what it ran before."""
    assert deployed(WORKER).one(CONTAINER, "shop-test-migration").inputs["command"][0] == "timeout"
    assert deployed(WORKER).one(CONTAINER, "shop-test-web-1").inputs["command"][0] == "gunicorn"


def test_a_secret_of_the_projects_own_is_hidden_in_errors() -> None:
    """What a step says is shown without it."""

    def outcome(name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"exitCode": int(name == "shop-test-migration"), "containerLogs": "refused: top-hush"}

    def build() -> None:
        given: dict[str, Any] = {name: hidden(value) for name, value in PASSWORDS.items()}
        secrets = Secrets(django_key=hidden("key"), **given, own={"dsn": hidden("top-hush")})
        Deployment(sample({"app": {"environment": {"DSN": "${secrets.dsn}"}}}), secrets)

    with pytest.raises(StepError, match=r"refused: \[secret\]"):
        run(build, outcome=outcome)


def test_passwords_are_quoted_in_addresses() -> None:
    """Any password is a valid part of an address."""
    assert environment.database_url("a/b@c", "host", 5432, "app") == "postgresql://app:a%2Fb%40c@host:5432/app"
    assert environment.redis_url("c d", "host", 6379) == "redis://:c%20d@host:6379/0"


def test_environment_of_the_app() -> None:
    """The app knows its names, its origins and where its secrets are; on a loopback address, the local names too."""
    assert environment.app(sample(), "0123456789ab") == {
        "HOME": "/tmp",  # noqa: S108 - in a container
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SLIPWAY_RELEASE": "0123456789ab",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": "https://localhost,http://127.0.0.1:8080,http://localhost:8080",
        "SECRET_KEY_FILE": "/run/secrets/secret_key",
        "DATABASE_URL_FILE": "/run/secrets/database_url",
        "REDIS_URL_FILE": "/run/secrets/redis_url",
    }


def test_environment_on_a_public_address() -> None:
    """On an address that others reach, only the domain is a name, and what the project says itself wins."""
    public = sample(
        {
            "domain": "shop.example.org",
            "edge": {"address": "0.0.0.0"},  # noqa: S104 - a setting
            "app": {"environment": {"HOME": "/home", "LEVEL": "info"}},
        }
    )

    found = environment.app(public, "0123456789ab")

    assert found["ALLOWED_HOSTS"] == "shop.example.org"
    assert found["CSRF_TRUSTED_ORIGINS"] == "https://shop.example.org"
    assert found["HOME"] == "/home"
    assert found["LEVEL"] == "info"


def test_every_target_has_components() -> None:
    """There is a row for each target that settings allow."""
    assert set(TARGETS) == set(Target)


def test_once_waits_for_every_gate() -> None:
    """A value behind gates is there when they are, and is not when one of them failed."""

    def fails(_: str) -> bool:
        raise StepError("closed")

    assert run(lambda: once("it", pulumi.Output.from_input(True), pulumi.Output.from_input(True))).result == "it"
    with pytest.raises(StepError, match="closed"):
        run(lambda: once("it", pulumi.Output.from_input("x").apply(fails)))
