"""Each component of the Kubernetes target registers exactly what it says."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pulumi import ComponentResource

from components import args, budget, flows, health, nginx, steps
from components.health import HealthCheck
from components.kubernetes.app_image import AppImage
from components.kubernetes.edge import Edge
from components.kubernetes.managed_postgres import ManagedPostgres
from components.kubernetes.migration import Migration
from components.kubernetes.namespace import Namespace
from components.kubernetes.postgres import Postgres
from components.kubernetes.process import Process
from components.kubernetes.pulled_image import PulledImage
from components.kubernetes.redis import Redis
from components.kubernetes.secret_files import SecretFiles
from components.kubernetes.static_files import StaticFiles
from components.kubernetes.storage import Storage
from components.kubernetes.switch import Switch
from components.kubernetes.web import Web
from components.labels import Owner
from components.model import Check, Expose, Resources, TlsFrom
from tests.sample import settings
from tests.unit.harness import BUILT_IMAGE, DIGEST, PROVIDER, Recorded, Registered, clear, run, secret
from tests.unit.pod_security import violations

OWNER = Owner(project="shop", stack="test")
SMALL = Resources(memory_mb=128, cpus=0.5)
OURS = {"slipway.project": "shop", "slipway.stack": "test"}
HEALTH = HealthCheck(kind=Check.PAGE, path="/healthz", host="shop.example.org")
SKIPPED = {"pulumi.com/skipAwait": "true"}


def made(recorded: Recorded, kind: str, name: str | None = None) -> Registered:
    """Give the only object of a kind, or of a kind and a name in the namespace, after a look at what all have."""
    found = [
        each
        for each in recorded.resources
        if each.type.startswith("kubernetes:") and each.kind == kind and name in {None, each.metadata.get("name")}
    ]
    assert len(found) == 1, [each.urn for each in found]
    (each,) = found
    assert {key: each.labels[key] for key in OURS} == OURS
    assert each.labels["slipway.component"]
    assert each.parent == recorded.resources[0].urn
    assert recorded.resources[0].custom is False
    return each


def container(each: Registered) -> Mapping[str, Any]:
    """Give the only container of what makes pods, after a look at what all pods have."""
    pod = each.pod
    assert pod is not None
    assert violations(pod) == []
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["serviceAccountName"] == "slipway"
    assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
    (only,) = pod["containers"]
    assert only["securityContext"]["readOnlyRootFilesystem"] is True
    assert only["resources"]["limits"]["memory"] == only["resources"]["requests"]["memory"]
    assert only["terminationMessagePolicy"] == "FallbackToLogsOnError"
    mounted = {volume["name"] for volume in pod.get("volumes", [])}
    assert mounted == {mount["name"] for mount in only.get("volumeMounts", [])}
    return dict(only)


def users(each: Registered) -> tuple[int, int, int]:
    """Give the user, his group and the group of the files of what makes pods."""
    context = (each.pod or {})["securityContext"]
    return context["runAsUser"], context["runAsGroup"], context["fsGroup"]


def mounts(only: Mapping[str, Any]) -> dict[str, bool]:
    """Give where a container mounts something, and whether it may write there."""
    return {each["mountPath"]: not each.get("readOnly", False) for each in only["volumeMounts"]}


def volumes(each: Registered) -> dict[str, Mapping[str, Any]]:
    """Give the volumes of a pod."""
    return {
        volume["name"]: {key: volume[key] for key in volume if key != "name"} for volume in (each.pod or {})["volumes"]
    }


# The namespace ------------------------------------------------------------------------------------------------------------


def namespace(*, protect: bool = False, auth: str | None = None) -> Recorded:
    """Make the namespace of the sample."""
    made_of = args.NetworksArgs(
        owner=OWNER,
        flows=flows.flows(settings()),
        budget=budget.budget(settings()),
        place=args.Place(context="prod", namespace="shop-test"),
        protect=protect,
        registry_auth=auth,
    )
    return run(lambda: [(it := Namespace("networks", made_of)).internal, it.edge, len(it.providers)])


def test_namespace() -> None:
    """There is one namespace with a fixed name, in which Pod Security refuses whatever is not restricted."""
    recorded = namespace()
    each = made(recorded, "Namespace")

    assert recorded.result == ["shop-test", "shop-test", 1]
    assert each.metadata["name"] == "shop-test"
    assert {key: value for key, value in each.labels.items() if key.startswith("pod-security")} == {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
    }
    assert (each.protect, each.retain_on_delete) == (False, False)


def test_protected_namespace() -> None:
    """A namespace with protected data in it cannot be deleted, and is left in place when Pulumi is told to forget it."""
    each = made(namespace(protect=True), "Namespace")

    assert (each.protect, each.retain_on_delete) == (True, True)


def test_provider() -> None:
    """The cluster is known by the stack, not by an address or a file of one machine; what is there is taken over."""
    recorded = namespace()
    provider = recorded.one(PROVIDER)

    assert provider.inputs == {
        "kubeconfig": "",
        "context": "prod",
        "namespace": "shop-test",
        "clusterIdentifier": "slipway/test",
        "enableServerSideApply": "true",
        "upsertExistingObjects": "true",
        "enablePatchForce": "true",
    }
    assert {each.provider.split("::")[-2] for each in recorded.resources if each.type.startswith("kubernetes:")} == {
        "cluster"
    }


def test_quota_and_limits() -> None:
    """The namespace may use what the settings need with room, and a container that says nothing gets little."""
    recorded = namespace()
    needed = budget.budget(settings())

    hard = made(recorded, "ResourceQuota").spec["hard"]
    assert hard["pods"] == str(needed.pods)
    assert hard["limits.memory"] in {f"{needed.memory_mb_limit}Mi", f"{needed.memory_mb_limit // 1024}Gi"}
    assert set(hard) == {
        "limits.cpu",
        "limits.memory",
        "requests.cpu",
        "requests.memory",
        "pods",
        "persistentvolumeclaims",
        "requests.storage",
    }
    assert made(recorded, "LimitRange").spec["limits"] == [
        {
            "type": "Container",
            "default": {"cpu": "500m", "memory": "256Mi"},
            "defaultRequest": {"cpu": "25m", "memory": "64Mi"},
        }
    ]


def test_account() -> None:
    """Pods run under an account without a token and without rights, that knows how to pull where that takes a secret."""
    plain = made(namespace(), "ServiceAccount")
    assert plain.inputs["automountServiceAccountToken"] is False
    assert "imagePullSecrets" not in plain.inputs

    recorded = namespace(auth='{"auths": {}}')
    pulling, auth = made(recorded, "ServiceAccount"), made(recorded, "Secret")
    assert pulling.inputs["imagePullSecrets"] == [{"name": f"{auth.name}-01234567"}]
    assert auth.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert secret(auth.inputs["stringData"])
    assert clear(auth.inputs["stringData"]) == {".dockerconfigjson": '{"auths": {}}'}


def test_everything_that_rules_is_there_first() -> None:
    """Whatever takes the namespace's name waits for its policies, its quota and its account."""
    made_of = args.NetworksArgs(
        owner=OWNER,
        flows=flows.flows(settings()),
        budget=budget.budget(settings()),
        place=args.Place(context=None, namespace="shop-test"),
        protect=False,
    )

    def program() -> None:
        networks = Namespace("networks", made_of)
        SecretFiles("s", args.SecretFilesArgs(owner=OWNER, role="s", image="i", files={}, network=networks.internal))

    recorded = run(program)
    after = recorded.one("kubernetes:core/v1:Secret")
    first = {each.urn for each in recorded.resources if each.type.startswith("kubernetes:")} - {after.urn}

    assert first <= after.dependencies


# Storage, secrets, images -------------------------------------------------------------------------------------------------


def storage(*, protect: bool = False, storage_class: str | None = None) -> Recorded:
    """Make some storage."""
    made_of = args.StorageArgs(
        owner=OWNER,
        role="media",
        protect=protect,
        size_gb=10,
        shared=True,
        storage_class=storage_class,
        access="ReadWriteMany",
        network="shop-test",
    )
    return run(lambda: Storage("media-storage", made_of).source)


@pytest.mark.parametrize("protect", [True, False])
def test_storage(protect: bool) -> None:  # noqa: FBT001 - a table
    """A claim has a fixed name; no other class or access ever replaces it, and whether it stays is said by settings."""
    recorded = storage(protect=protect)
    claim = made(recorded, "PersistentVolumeClaim", "media")

    assert recorded.result == "media"
    assert claim.spec == {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "10Gi"}}}
    assert claim.metadata["namespace"] == "shop-test"
    assert claim.metadata["annotations"] == SKIPPED
    assert claim.ignore_changes == ["spec.accessModes", "spec.storageClassName"]
    assert (claim.protect, claim.retain_on_delete) == (protect, protect)


def test_storage_class() -> None:
    """A claim asks for the class that settings name."""
    assert made(storage(storage_class="fast"), "PersistentVolumeClaim").spec["storageClassName"] == "fast"


def test_secret_files() -> None:
    """Secrets are in a Secret with an automatic name, which nobody changes: another value is another one."""
    made_of = args.SecretFilesArgs(
        owner=OWNER, role="app", image="nginx:1", files={"b": "two", "a": "one"}, network="shop-test"
    )
    recorded = run(lambda: SecretFiles("app-secrets", made_of).source)
    each = made(recorded, "Secret")

    assert recorded.result == "app-secrets-01234567"
    assert "name" not in each.metadata
    assert each.inputs["immutable"] is True
    assert secret(each.inputs["stringData"])
    assert clear(each.inputs["stringData"]) == {"a": "one", "b": "two"}


def test_images() -> None:
    """What others built is named as settings name it; the app is pushed once and known by its digest."""
    assert run(lambda: PulledImage("nginx", args.PulledImageArgs(reference="nginx:1.26")).id).result == "nginx:1.26"

    made_of = args.AppImageArgs(
        repository="shop",
        release="0123456789ab",
        context="examples/guestbook",
        dockerfile=".slipway/build/test/Dockerfile",
        labels={},
        registry="registry.example.org:5000/team",
    )
    recorded = run(lambda: AppImage("app", made_of).id)
    built = recorded.one(BUILT_IMAGE)

    assert recorded.result == f"registry.example.org:5000/team/shop@{DIGEST}"
    assert built.inputs["tags"] == ["registry.example.org:5000/team/shop:0123456789ab"]
    assert (built.inputs["push"], built.inputs["load"], built.inputs["buildOnPreview"]) == (True, False, False)
    assert built.retain_on_delete


# Datastores ---------------------------------------------------------------------------------------------------------------


def server(recorded: Recorded, role: str) -> Registered:
    """Give the StatefulSet of a datastore, after a look at what all have."""
    each = made(recorded, "StatefulSet", role)
    labels = {**OURS, "slipway.component": role}
    assert each.spec["selector"] == {"matchLabels": labels}
    assert each.spec["serviceName"] == f"{role}-pods"
    assert each.spec["podManagementPolicy"] == "Parallel"
    assert each.spec["replicas"] == 1
    assert "volumeClaimTemplates" not in each.spec
    assert users(each) == (999, 999, 999)
    service, pods = made(recorded, "Service", role), made(recorded, "Service", f"{role}-pods")
    assert (service.spec.get("clusterIP"), pods.spec["clusterIP"]) == (None, "None")
    assert service.spec["selector"] == pods.spec["selector"] == labels
    assert service.metadata["annotations"] == pods.metadata["annotations"] == SKIPPED
    return each


def test_postgres() -> None:
    """The database has a fixed name, its data below the top of its claim, its password in a file, time to stop."""
    made_of = args.PostgresArgs(
        owner=OWNER,
        image="postgres:17",
        resources=SMALL,
        database="app",
        command=["postgres", "-c", "jit=off"],
        shared_memory_mb=64,
        network="shop-test",
        storage="postgres",
        secrets="postgres-secrets-1",
    )
    recorded = run(lambda: [(it := Postgres("postgres", made_of)).host, it.port])
    each = server(recorded, "postgres")
    only = container(each)

    assert recorded.result == ["postgres", 5432]
    assert only["args"] == ["postgres", "-c", "jit=off"]
    assert "command" not in only
    assert {one["name"]: one["value"] for one in only["env"]} == {
        "POSTGRES_DB": "app",
        "POSTGRES_USER": "app",
        "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
        "POSTGRES_INITDB_ARGS": "--data-checksums",
        "PGDATA": "/var/lib/postgresql/data/pgdata",
    }
    assert mounts(only) == {
        "/var/lib/postgresql/data": True,
        "/run/secrets": False,
        "/tmp": True,  # noqa: S108 - a path in a container
        "/var/run/postgresql": True,
        "/dev/shm": True,  # noqa: S108 - the same
    }
    assert volumes(each)["postgres"] == {"persistentVolumeClaim": {"claimName": "postgres"}}
    assert volumes(each)["memory-dev-shm"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
    assert volumes(each)["secrets"] == {"secret": {"secretName": "postgres-secrets-1", "defaultMode": 0o440}}
    assert (each.pod or {})["terminationGracePeriodSeconds"] == 120
    assert only["readinessProbe"]["exec"]["command"][0] == "pg_isready"
    assert each.timeouts == {"create": "360s", "update": "360s"}


def test_redis() -> None:
    """The cache has a fixed name and its append-only file in its claim."""
    made_of = args.RedisArgs(
        owner=OWNER,
        image="redis:8.0",
        resources=SMALL,
        command=["redis-server"],
        network="shop-test",
        storage="redis",
        secrets="redis-secrets-1",
    )
    recorded = run(lambda: [(it := Redis("redis", made_of)).host, it.port])
    only = container(server(recorded, "redis"))

    assert recorded.result == ["redis", 6379]
    assert mounts(only) == {"/data": True, "/run/secrets": False, "/tmp": True}  # noqa: S108 - a path in a container
    assert only["args"] == ["redis-server"]


def test_managed_postgres() -> None:
    """The operator gets the size, the parameters, the user's password and our labels; data that is protected stays."""
    made_of = args.ManagedPostgresArgs(
        owner=OWNER,
        image="ghcr.io/cloudnative-pg/postgresql:17",
        resources=SMALL,
        database="app",
        password="secret-password",
        parameters={"jit": "off", "huge_pages": "off"},
        instances=3,
        network="shop-test",
        size_gb=20,
        storage_class="fast",
        protect=True,
    )
    recorded = run(lambda: [(it := ManagedPostgres("postgres", made_of)).host, it.port])
    each, user = made(recorded, "Cluster", "postgres"), made(recorded, "Secret")

    assert recorded.result == ["postgres-rw", 5432]
    assert each.inputs["apiVersion"] == "postgresql.cnpg.io/v1"
    assert each.metadata["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}
    assert each.spec["instances"] == 3
    assert each.spec["bootstrap"]["initdb"] == {
        "database": "app",
        "owner": "app",
        "secret": {"name": "postgres-user"},
        "dataChecksums": True,
    }
    assert each.spec["postgresql"] == {"parameters": {"jit": "off"}}
    assert each.spec["storage"] == {"size": "20Gi", "storageClass": "fast"}
    assert each.spec["inheritedMetadata"] == {"labels": {**OURS, "slipway.component": "postgres"}}
    assert each.spec["resources"]["limits"] == {"cpu": "500m", "memory": "128Mi"}
    assert (each.protect, each.retain_on_delete) == (True, True)
    assert clear(user.inputs["stringData"]) == {"username": "app", "password": "secret-password"}
    assert secret(user.inputs["stringData"])
    assert user.inputs["type"] == "kubernetes.io/basic-auth"


# Steps --------------------------------------------------------------------------------------------------------------------


def job(recorded: Recorded) -> Registered:
    """Give the only Job, after a look at what all have."""
    each = made(recorded, "Job")
    assert "name" not in each.metadata
    assert each.metadata["annotations"] == {"pulumi.com/replaceUnready": "true"}
    assert each.spec["backoffLimit"] == 0
    assert "ttlSecondsAfterFinished" not in each.spec
    assert (each.pod or {})["restartPolicy"] == "Never"
    deadline = each.spec["activeDeadlineSeconds"]
    assert each.timeouts["create"] == f"{int(deadline) + 60}s"
    assert recorded.result is True
    return each


def test_migration() -> None:
    """The migration runs once with the app's secrets, as the app's user, and is made again after a failure."""

    def program() -> object:
        store = _Before("before")
        made_of = args.MigrationArgs(
            owner=OWNER,
            image="app@sha256:1",
            release="0123456789ab",
            resources=SMALL,
            command=["migrate", "now"],
            environment={"A": "b"},
            secrets="app-secrets-1",
            hidden=[],
            networks=["shop-test"],
            after=[store],
            limit_seconds=900,
        )
        return Migration("migration", made_of).ready

    recorded = run(program)
    each = next(one for one in recorded.resources if one.kind == "Job")
    only = (each.pod or {})["containers"][0]

    assert recorded.result is True
    assert users(each) == (10001, 10001, 10001)
    # A new pod may find its way to the database a moment later than it starts.
    assert only["args"] == steps.when_reachable(["migrate", "now"])
    assert only["env"] == [{"name": "A", "value": "b"}]
    assert mounts(only) == {"/run/secrets": False, "/tmp": True}  # noqa: S108 - a path in a container
    assert each.spec["activeDeadlineSeconds"] == 960
    assert each.spec["template"]["metadata"]["labels"]["slipway.release"] == "0123456789ab"
    assert violations(each.pod or {}) == []


class _Before(ComponentResource):
    """Something that has to be ready."""

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Before", name, {})
        self.register_outputs({})


def test_static_files() -> None:
    """The static files are copied from the image to the claim by the app's user, beside what else mounts the claim."""
    made_of = args.StaticFilesArgs(
        owner=OWNER,
        image="app@sha256:1",
        release="0123456789ab",
        resources=SMALL,
        storage="static",
        network="shop-test",
        together=True,
    )
    each = job(run(lambda: StaticFiles("static-files", made_of).ready))
    only = container(each)

    assert mounts(only) == {"/srv/published": True, "/tmp": True}  # noqa: S108 - a path in a container
    assert users(each) == (10001, 10001, 10001)
    assert together(each)


def together(each: Registered) -> bool:
    """Whether pods have to be on the node of all that have the mark, and have the mark."""
    marked = bool(each.spec["template"]["metadata"]["labels"].get("slipway.storage") == "shared")
    affinity = (each.pod or {}).get("affinity")
    assert marked == (affinity is not None)
    if affinity:
        assert affinity == {
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": {"slipway.storage": "shared"}},
                    }
                ]
            }
        }
    return marked


def switched(replicas: int = 2) -> Recorded:
    """Make a switch."""
    made_of = args.SwitchArgs(
        owner=OWNER,
        image="nginx:1.26",
        resources=SMALL,
        release="0123456789ab",
        site="",
        revision="0a1b2c3d4e5f",
        members=[],
        replicas=replicas,
        edge_host="edge",
        health=HEALTH,
        network="shop-test",
        after=[],
        configuration=None,
    )
    return run(lambda: Switch("switch", made_of).ready)


def test_switch() -> None:
    """The switch asks each pod of the release, by the addresses of a Service that has no others, and then the edge."""
    recorded = switched()
    each = job(recorded)
    only = container(each)
    service = made(recorded, "Service")

    assert "name" not in service.metadata
    assert service.spec["clusterIP"] == "None"
    assert service.spec["selector"] == {**OURS, "slipway.component": "web", "slipway.revision": "0a1b2c3d4e5f"}
    labels = each.spec["template"]["metadata"]["labels"]
    assert (labels["slipway.release"], labels["slipway.revision"]) == ("0123456789ab", "0a1b2c3d4e5f")
    assert {one["name"]: one["value"] for one in only["env"]} == {
        "SLIPWAY_RELEASE": "switch-release-01234567",
        "SLIPWAY_ALL": "web-pods",
        "SLIPWAY_REPLICAS": "2",
        "SLIPWAY_PORT": "8000",
        "SLIPWAY_EDGE": "edge:80",
        "SLIPWAY_PATH": "/healthz",
        "SLIPWAY_STATUS": "200-399",
        "SLIPWAY_HOST": "shop.example.org",
        "SLIPWAY_TIMEOUT": "70",
    }
    assert only["command"] == nginx.verify_command()
    assert users(each) == (101, 101, 101)


@pytest.mark.parametrize(("replicas", "seconds"), [(1, 65), (2, 70), (10, 110), (50, 180)])
def test_the_switch_waits_in_bounds(replicas: int, seconds: int) -> None:
    """The more there are, the longer it waits, but never for more than three minutes."""
    assert nginx.verify_seconds(replicas) == seconds
    assert job(switched(replicas)).spec["activeDeadlineSeconds"] == seconds + 60


# What runs for ever -------------------------------------------------------------------------------------------------------


def web(
    *,
    replicas: int = 2,
    scale: args.Autoscale | None = None,
    together: bool = False,
    **other: Any,  # noqa: ANN401 - fields are of many types
) -> Recorded:
    """Make the web processes."""
    made_of = args.WebArgs(
        owner=OWNER,
        image="app@sha256:1",
        release="0123456789ab",
        replicas=replicas,
        resources=SMALL,
        command=["gunicorn"],
        environment={"A": "b"},
        secrets="app-secrets-1",
        networks=["shop-test", "shop-test"],
        storage="media",
        media_root="/app/media",
        health=HEALTH,
        port=8000,
        startup_seconds=60,
        stop_grace_seconds=35,
        autoscale=scale,
        together=together,
    )
    return run(lambda: Web("web", replace(made_of, **other)).members)


def test_web() -> None:
    """A new pod comes up beside the old ones, which go one by one once it is well, and drain before they stop."""
    recorded = web()
    each = made(recorded, "Deployment", "web")
    only = container(each)
    pod = each.pod or {}

    assert recorded.result == []
    assert each.spec["replicas"] == 2
    assert each.spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert each.spec["selector"] == {"matchLabels": {**OURS, "slipway.component": "web"}}
    assert each.spec["template"]["metadata"]["labels"]["slipway.release"] == "0123456789ab"
    assert only["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert pod["terminationGracePeriodSeconds"] == 40
    assert mounts(only) == {"/app/media": True, "/run/secrets": False, "/tmp": True}  # noqa: S108 - a path in a container
    assert [one["topologyKey"] for one in pod["topologySpreadConstraints"]] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert each.timeouts == {"create": "210s", "update": "210s"}
    assert each.spec["progressDeadlineSeconds"] == 120


@pytest.mark.parametrize(
    "other",
    [{"image": "app@sha256:2"}, {"secrets": "app-secrets-2"}, {"environment": {"A": "c"}}, {"release": "ba9876543210"}],
)
def test_the_revision_of_web(other: dict[str, Any]) -> None:
    """Whatever rolls the pods gives them another revision, so that the switch proves those and no others."""

    def revision(recorded: Recorded) -> str:
        label: str = made(recorded, "Deployment", "web").spec["template"]["metadata"]["labels"]["slipway.revision"]
        return label

    assert revision(web()) == revision(web()) != revision(web(**other))
    assert re.fullmatch("[0-9a-f]{12}", revision(web()))


def test_probes_of_web() -> None:
    """Each probe asks the health page as a visitor behind TLS; only liveness kills, and it waits for minutes."""
    only = container(made(web(), "Deployment", "web"))
    page = {
        "path": "/healthz",
        "port": 8000,
        "httpHeaders": [
            {"name": "Host", "value": "shop.example.org"},
            {"name": "X-Forwarded-Proto", "value": "https"},
        ],
    }
    patience = {
        name: only[f"{name}Probe"]["periodSeconds"] * only[f"{name}Probe"]["failureThreshold"]
        for name in ("startup", "readiness", "liveness")
    }

    assert [only[f"{name}Probe"]["httpGet"] for name in patience] == [page] * 3
    assert patience == {"startup": 60, "readiness": 10, "liveness": 300}


@pytest.mark.parametrize("shared", [True, False])
def test_web_is_where_its_storage_is(shared: bool) -> None:  # noqa: FBT001 - a table
    """Where storage is on one node alone, the pods are on that node; elsewhere they may be on any."""
    assert together(made(web(together=shared), "Deployment", "web")) is shared


def test_disruptions() -> None:
    """Of several pods, one stays whatever is drained; a single one may go, or its node could never be drained."""
    assert made(web(replicas=2), "PodDisruptionBudget").spec["minAvailable"] == 1
    alone = made(web(replicas=1), "PodDisruptionBudget").spec
    assert alone["maxUnavailable"] == 1
    assert "minAvailable" not in alone
    assert alone["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_autoscale() -> None:
    """Where the load decides how many there are, nobody else does; the target is part of the limit, as settings say it."""
    recorded = web(scale=args.Autoscale(min=2, max=10, cpu_percent=70))
    scaler = made(recorded, "HorizontalPodAutoscaler", "web").spec

    assert "replicas" not in made(recorded, "Deployment", "web").spec
    assert made(recorded, "Deployment", "web").ignore_changes == ["spec.replicas"]
    assert made(web(), "Deployment", "web").ignore_changes == []
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
    # A tenth of the limit is asked for, so 70 % of the limit is 700 % of that.
    assert scaler["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 700}}}
    ]
    assert not [each for each in web().resources if each.kind == "HorizontalPodAutoscaler"]


def test_timeouts_are_bounded() -> None:
    """However many there are, an update waits for half an hour at most."""
    assert made(web(replicas=50), "Deployment", "web").timeouts["update"] == "1800s"


def test_process() -> None:
    """Another process of the app has its name from settings, no port, no probes, and counts after some seconds."""
    made_of = args.ProcessArgs(
        owner=OWNER,
        image="app@sha256:1",
        release="0123456789ab",
        process="worker",
        replicas=1,
        resources=SMALL,
        command=["python", "manage.py", "worker"],
        environment={},
        secrets="app-secrets-1",
        networks=["shop-test"],
        storage="media",
        media_root="/app/media",
        startup_seconds=30,
        stop_grace_seconds=35,
        together=True,
    )

    def program() -> None:
        Process("process-worker", made_of)

    recorded = run(program)
    each = made(recorded, "Deployment", "process-worker")
    only = container(each)

    assert only["args"] == ["python", "manage.py", "worker"]
    assert not {"ports", "readinessProbe", "livenessProbe", "startupProbe", "lifecycle"} & set(only)
    assert each.spec["minReadySeconds"] == 5
    assert each.labels["slipway.component"] == "process-worker"
    assert together(each)


# The edge -----------------------------------------------------------------------------------------------------------------


def edge(exposure: args.Exposure | None = None, replicas: int = 2) -> Recorded:
    """Make the edge."""
    made_of = args.EdgeArgs(
        owner=OWNER,
        image="nginx:1.26",
        resources=SMALL,
        site=nginx.site(settings()),
        domain="shop.example.org",
        replicas=replicas,
        address="127.0.0.1",
        port=8080,
        exposure=exposure or args.Exposure(kind=Expose.NONE),
        network="shop-test",
        configuration=None,
        static="static",
        media="media",
        stop_grace_seconds=40,
        together=True,
    )
    return run(lambda: [(it := Edge("edge", made_of)).host, it.port, it.url])


def test_edge() -> None:
    """Nginx runs by itself, writes to memory alone, reads what the app wrote, and follows its configuration."""
    recorded = edge()
    each, text = made(recorded, "Deployment", "edge"), made(recorded, "ConfigMap")
    only = container(each)

    assert recorded.result == ["edge", 80, "http://edge.shop-test.svc/"]
    assert only["command"] == ["nginx", "-e", "stderr", "-c", "/etc/slipway/nginx.conf", "-g", "daemon off;"]
    assert mounts(only) == {"/srv/static": False, "/srv/media": False, "/etc/slipway": False, "/tmp/edge": True}  # noqa: S108 - a path in a container
    assert users(each) == (101, 101, 10001)
    assert "name" not in text.metadata
    assert text.inputs["immutable"] is True
    assert set(text.inputs["data"]) == {"nginx.conf", "upstream.conf", "status.conf"}
    assert volumes(each)["configuration"] == {"configMap": {"name": "edge-configuration-01234567"}}
    assert only["readinessProbe"]["httpGet"] == {"path": "/id", "port": 8081}
    assert (each.pod or {})["terminationGracePeriodSeconds"] == 45
    assert made(recorded, "PodDisruptionBudget").spec["minAvailable"] == 1
    assert "slipway.release" not in each.spec["template"]["metadata"]["labels"]


def test_the_edge_starts_after_the_name_that_it_asks() -> None:
    """The Services of the web processes are there before nginx, which looks their name up once."""
    recorded = edge()
    services = {name: made(recorded, "Service", name) for name in ("web", "web-pods")}

    assert {each.urn for each in services.values()} <= made(recorded, "Deployment", "edge").dependencies
    assert services["web-pods"].spec["clusterIP"] == "None"
    assert services["web"].spec["selector"] == {**OURS, "slipway.component": "web"}
    assert {tuple(each.metadata["annotations"].items()) for each in services.values()} == {tuple(SKIPPED.items())}


@pytest.mark.parametrize(
    ("kind", "type_", "policy"),
    [
        (Expose.NONE, "ClusterIP", None),
        (Expose.NODE_PORT, "NodePort", None),
        (Expose.LOAD_BALANCER, "LoadBalancer", "Local"),
        (Expose.INGRESS, "ClusterIP", None),
    ],
)
def test_service_of_the_edge(kind: Expose, type_: str, policy: str | None) -> None:
    """How the edge is exposed decides the type of its Service, and nothing waits for its addresses."""
    service = made(edge(args.Exposure(kind=kind)), "Service", "edge")

    assert service.spec["type"] == type_
    assert service.spec.get("externalTrafficPolicy") == policy
    assert service.spec["ports"] == [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    assert service.metadata["annotations"] == SKIPPED


def kinds(recorded: Recorded) -> set[str]:
    """Give the kinds of what was registered."""
    return {each.kind for each in recorded.resources if each.type.startswith("kubernetes:")}


def test_ingress() -> None:
    """An Ingress sends the domain to the edge, with the class that settings name, and without TLS if they say so."""
    each = made(edge(args.Exposure(kind=Expose.INGRESS, ingress_class="nginx")), "Ingress", "edge")

    assert each.spec == {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "shop.example.org",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "edge", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ],
    }
    assert each.metadata["annotations"] == SKIPPED


TLS = args.Tls(kind=TlsFrom.SECRET, certificate="the-certificate", key="the-key")


def test_ingress_with_a_certificate_of_ours() -> None:
    """The certificate is a Secret with an automatic name, which the Ingress names."""
    recorded = edge(args.Exposure(kind=Expose.INGRESS, tls=TLS))
    held = made(recorded, "Secret")

    assert held.inputs["type"] == "kubernetes.io/tls"
    assert secret(held.inputs["stringData"])
    assert clear(held.inputs["stringData"]) == {"tls.crt": "the-certificate", "tls.key": "the-key"}
    assert made(recorded, "Ingress").spec["tls"] == [
        {"hosts": ["shop.example.org"], "secretName": "edge-certificate-01234567"}
    ]


def test_ingress_with_cert_manager() -> None:
    """cert-manager learns from an annotation who issues the certificate and where it belongs."""
    tls = args.Tls(kind=TlsFrom.CERT_MANAGER, issuer="letsencrypt")
    recorded = edge(args.Exposure(kind=Expose.INGRESS, tls=tls))
    each = made(recorded, "Ingress")

    assert each.metadata["annotations"] == {**SKIPPED, "cert-manager.io/cluster-issuer": "letsencrypt"}
    assert each.spec["tls"] == [{"hosts": ["shop.example.org"], "secretName": "edge-tls"}]
    assert "Secret" not in kinds(recorded)


def test_gateway() -> None:
    """A Gateway that is there already gets a route to the edge."""
    recorded = edge(args.Exposure(kind=Expose.GATEWAY, gateway="gateways/public"))
    each = made(recorded, "HTTPRoute", "edge")

    assert each.inputs["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert each.spec["parentRefs"][0]["namespace"] == "gateways"
    assert each.spec["parentRefs"][0]["name"] == "public"
    assert each.spec["hostnames"] == ["shop.example.org"]
    assert each.spec["rules"][0]["backendRefs"][0]["name"] == "edge"
    assert not {"Ingress", "Secret", "ReferenceGrant"} & kinds(recorded)


@pytest.mark.parametrize(
    ("tls", "kind"), [(TLS, "Secret"), (args.Tls(kind=TlsFrom.CERT_MANAGER, issuer="letsencrypt"), "Certificate")]
)
def test_gateway_with_a_certificate(tls: args.Tls, kind: str) -> None:
    """The Gateway's listener names the certificate by a fixed name, and is allowed to read it."""
    recorded = edge(args.Exposure(kind=Expose.GATEWAY, gateway="gateways/public", tls=tls))

    assert made(recorded, kind, "edge-tls").labels["slipway.component"] == "edge"
    assert made(recorded, "ReferenceGrant").spec == {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "gateways"}],
        "to": [{"group": "", "kind": "Secret", "name": "edge-tls"}],
    }


def one_process(**other: Any) -> Recorded:  # noqa: ANN401 - fields are of many types
    """Register a process that there is one of."""
    made_of: dict[str, Any] = {
        "owner": OWNER,
        "image": "app@sha256:1",
        "release": "0123456789ab",
        "process": "clock",
        "replicas": 1,
        "resources": SMALL,
        "command": ["celery", "beat"],
        "environment": {},
        "secrets": "app-secrets-1",
        "networks": ["shop-test"],
        "storage": "media",
        "media_root": "/app/media",
        "startup_seconds": 45,
        "stop_grace_seconds": 35,
    }

    def program() -> None:
        Process("process-clock", args.ProcessArgs(**{**made_of, **other}))

    return run(program)


def test_a_process_that_there_is_one_of() -> None:
    """A StatefulSet of one: its pod has ended before another is made, and a change mends one that never got ready."""
    recorded = one_process(singleton=True)
    each = made(recorded, "StatefulSet", "process-clock")

    assert each.spec["replicas"] == 1
    assert each.spec["podManagementPolicy"] == "Parallel"
    assert each.spec["serviceName"] == "process-clock-pods"
    assert each.spec["minReadySeconds"] == 5
    assert container(each)["args"] == ["celery", "beat"]
    assert violations(each.pod or {}) == []
    assert not [one for one in recorded.resources if one.kind == "Deployment"]


def test_a_process_that_runs_by_the_clock() -> None:
    """A CronJob never runs it twice at once, in UTC, and the next time is the second try."""
    recorded = one_process(schedule="0 3 * * *", together=True)
    each = made(recorded, "CronJob", "process-clock")
    template = each.spec["jobTemplate"]["spec"]
    pod = template["template"]["spec"]

    assert each.spec["schedule"] == "0 3 * * *"
    assert each.spec["timeZone"] == "Etc/UTC"
    assert each.spec["concurrencyPolicy"] == "Forbid"
    assert (each.spec["successfulJobsHistoryLimit"], each.spec["failedJobsHistoryLimit"]) == (1, 3)
    assert each.spec["startingDeadlineSeconds"] == 300
    assert template["backoffLimit"] == 0
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["args"] == steps.when_reachable(["celery", "beat"])
    assert violations(pod) == []
    assert {one.kind for one in recorded.resources if one.type.startswith("kubernetes:")} == {"CronJob"}


def test_a_process_with_a_check_of_its_own() -> None:
    """What settings name is asked at the start, for as long as it may take, and later; nobody asks it anything else."""
    only = container(made(one_process(health_command=["celery", "inspect", "ping"]), "Deployment", "process-clock"))

    for name in ("startupProbe", "livenessProbe"):
        assert only[name]["exec"] == {"command": ["celery", "inspect", "ping"]}
        assert only[name]["timeoutSeconds"] == 20
    assert (only["startupProbe"]["periodSeconds"], only["startupProbe"]["failureThreshold"]) == (5, 9)
    assert "readinessProbe" not in only


def probes(**other: Any) -> dict[str, Any]:  # noqa: ANN401 - fields are of many types
    """Give the three probes of web without their numbers."""
    only = container(made(web(health=replace(HEALTH, **other)), "Deployment", "web"))
    asked = {name.removesuffix("Probe"): only[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    kinds = ("httpGet", "tcpSocket", "exec")
    return {name: {kind: probe[kind] for kind in kinds if kind in probe} for name, probe in asked.items()}


def test_the_start_has_a_page_of_its_own() -> None:
    """The kubelet tells the start from what comes later."""
    found = {name: probe["httpGet"]["path"] for name, probe in probes(startup_path="/ready").items()}

    assert found == {"startup": "/ready", "readiness": "/healthz", "liveness": "/healthz"}


def test_other_statuses_are_asked_in_the_container() -> None:
    """The kubelet itself takes 200 to 399."""
    check = replace(HEALTH, statuses="200,401")

    assert probes(statuses="200,401", startup_path="/ready") == {
        "startup": {"exec": {"command": health.command(replace(check, path="/ready"))}},
        "readiness": {"exec": {"command": health.command(check)}},
        "liveness": {"exec": {"command": health.command(check)}},
    }


def test_a_port_or_a_command_is_asked_instead_of_a_page() -> None:
    """As settings say."""
    assert probes(kind=Check.TCP)["readiness"] == {"tcpSocket": {"port": 8000}}
    assert probes(kind=Check.COMMAND, command=["check"])["liveness"] == {"exec": {"command": ["check"]}}
