"""Drift on a cluster: recorded objects that are as declared, and what somebody has done to them by hand."""

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cluster import drift, heal
from pipeline.cluster.compare import changes
from pipeline.cluster.connection import METADATA, Cluster
from pipeline.console import PipelineError
from pipeline.drift import command
from pipeline.drift.difference import Look, Remedy, document, text
from pipeline.engine import Engine
from tests.unit.pipeline.fake_cluster import Api, listed
from tests.unit.pipeline.fake_pulumi import Fake, printed

HERE = Path(__file__).parent / "drift_cluster"
CORE, APPS, BATCH = "/api/v1", "/apis/apps/v1", "/apis/batch/v1"
NETWORK, SCALING = "/apis/networking.k8s.io/v1", "/apis/autoscaling/v2"
WHERE = {
    "pods": CORE,
    "services": CORE,
    "configmaps": CORE,
    "secrets": CORE,
    "persistentvolumeclaims": CORE,
    "deployments": APPS,
    "statefulsets": APPS,
    "daemonsets": APPS,
    "jobs": BATCH,
    "cronjobs": BATCH,
    "networkpolicies": NETWORK,
    "ingresses": NETWORK,
    "horizontalpodautoscalers": SCALING,
}
NAMESPACE = "/namespaces/shop-dev"
OURS = {"slipway.project": "shop", "slipway.stack": "dev", "slipway.component": "web"}

State = dict[str, Any]
Json = dict[str, Any]
Looker = Callable[..., Look]


def recorded(name: str) -> Any:  # noqa: ANN401 - any JSON
    """Read a recording."""
    return json.loads((HERE / f"{name}.json").read_text())


def path(kind: str, name: str = "") -> str:
    """Where the API has objects."""
    return f"{WHERE[kind]}{NAMESPACE}/{kind}" + (f"/{name}" if name else "")


def serve(api: Api, objects: dict[str, list[Json]]) -> None:
    """Have the made-up cluster answer with objects by kind."""
    for kind, items in objects.items():
        if kind == "namespaces":
            api.answers[f"{CORE}{NAMESPACE}"] = items[0]
        else:
            api.answers[path(kind)] = listed(*items)


@pytest.fixture
def state() -> State:
    """What the state declares."""
    found: State = recorded("state")
    return found


@pytest.fixture
def cluster(api: Api) -> Api:
    """A cluster on which everything is as it was declared."""
    serve(api, recorded("declared"))
    api.filled_in["/spec/suspend"] = False
    return api


@pytest.fixture
def look(outside: Engine, cluster: Api, state: State) -> Looker:  # noqa: ARG001 - serves
    """Look at that cluster."""
    return lambda: drift.look(outside, state)


def item(api: Api, kind: str, name: str) -> Json:
    """One object on the made-up cluster, to change it; the beginning of its name is enough."""
    found: Json = next(
        each for each in api.answers[path(kind)]["items"] if str(each["metadata"]["name"]).startswith(name)
    )
    return found


def gone(api: Api, kind: str, name: str) -> None:
    """Have an object be gone."""
    api.answers[path(kind)]["items"].remove(item(api, kind, name))


def lines(found: Look) -> list[tuple[str, Remedy]]:
    """What is said, and how it heals."""
    return [(each.line(), each.remedy) for each in found.differences]


def set_by(manager: str, fields: Json, **more: str) -> Json:
    """An entry of managedFields."""
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, "time": "2026-01-01T00:00:00Z", **more}


# What is no drift ----------------------------------------------------------------------------------------------------


def test_what_is_as_declared_is_no_drift(look: Looker, cluster: Api) -> None:
    """Defaults, what controllers write, Jobs of a CronJob and pods that were started again by hand are none."""
    found = look()

    assert found.differences == []
    assert text("dev", found) == ["No drift: 13 objects of stack dev are as they were declared."]
    assert json.loads(document("dev", found))["objects"] == 13
    assert len(cluster.asked) == len(set(cluster.asked)) == 15, "each kind is asked for once"


def test_the_values_of_secrets_are_not_asked_for(look: Looker, cluster: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sends nothing but metadata of a Secret."""
    accepted: dict[str, str] = {}
    ask = Cluster.ask

    def noted(self: Cluster, method: str, where: str, *more: Any, **how: Any) -> str:  # noqa: ANN401 - passed on
        accepted[where] = how.get("accept", "")
        return ask(self, method, where, *more, **how)

    monkeypatch.setattr(Cluster, "ask", noted)
    look()

    assert [where for where in accepted if "secrets" in where] == [path("secrets")]
    assert accepted[path("secrets")] == METADATA
    assert cluster.asked


def test_what_an_autoscaler_decides(look: Looker, cluster: Api) -> None:
    """More pods, of which not all are ready yet, are none as long as there are as many as it may have at least."""
    web = item(cluster, "deployments", "web")
    web["spec"]["replicas"] = 3
    assert look().differences == []

    web["status"]["readyReplicas"] = 1
    assert [line for line, _ in lines(look())] == ["web (Deployment web): pods: declared 2 ready, found 1 ready"]


def test_a_quantity_spelled_otherwise(look: Looker, cluster: Api) -> None:
    """Half a core is 500m."""
    limits = item(cluster, "deployments", "edge")["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    limits["cpu"] = "0.25"
    assert look().differences == []
    limits["cpu"] = "0.3"
    assert [line for line, _ in lines(look())] == [
        'edge (Deployment edge): spec.template.spec.containers[edge].resources.limits.cpu: declared "250m", found "0.3"'
    ]


def test_what_was_changed_and_changed_back(look: Looker, cluster: Api) -> None:
    """Somebody suspended a CronJob and resumed it: what the API fills in anyway is none, whoever has set it."""
    tick = item(cluster, "cronjobs", "process-tick")
    tick["metadata"]["managedFields"].append(set_by("kubectl-patch", {"f:spec": {"f:suspend": {}}}))

    assert look().differences == []
    tick["spec"]["suspend"] = True
    assert lines(look()) == [
        ('process-tick (CronJob process-tick): spec.suspend: declared nothing, found "true"', Remedy.REMOVE)
    ]
    assert cluster.patched == [], "a look changes nothing"


def test_what_controllers_note_on_an_object(look: Looker, cluster: Api) -> None:
    """Their annotations and finalizers are none; a person's annotation is."""
    metadata = item(cluster, "ingresses", "edge")["metadata"]
    metadata["annotations"]["example.com/note"] = "1"
    metadata["managedFields"].append(set_by("glbc", {"f:metadata": {"f:annotations": {"f:example.com/note": {}}}}))
    assert look().differences == []

    metadata["managedFields"][-1]["manager"] = "kubectl-annotate"
    assert lines(look()) == [
        ('edge (Ingress edge): metadata.annotations[example.com/note]: declared nothing, found "1"', Remedy.REMOVE)
    ]


# What was done by hand -----------------------------------------------------------------------------------------------


def test_what_was_done_by_hand(look: Looker, cluster: Api) -> None:
    """Each field is named with what was declared and what was found, and no value that may be a secret."""
    serve(cluster, recorded("by_hand"))

    found = look()

    assert lines(found) == EXPECTED
    assert "hunter2" not in repr(found)


EDGE, WEB = "edge (Deployment edge): spec.", "web (Deployment web): spec.template.spec.containers[web]."
POLICY = "web (NetworkPolicy edge-to-web-8000-in): spec."
EXPECTED = [
    (f'{EDGE}replicas: declared "2", found "1"', Remedy.UPDATE),
    (f'{EDGE}template.metadata.labels[slipway.storage]: declared "shared", found nothing', Remedy.UPDATE),
    (
        (
            f'{EDGE}template.spec.containers[edge].readinessProbe: declared "{{"failureThreshold": 2, "httpGet": '
            '{"path": "/id", "port": 8081}, "periodSeconds": 5, "timeoutSeconds": 5}", found nothing'
        ),
        Remedy.UPDATE,
    ),
    (f'{EDGE}template.spec.containers[edge].resources.limits.cpu: declared "250m", found "400m"', Remedy.UPDATE),
    (f'{EDGE}template.metadata.annotations.who: declared nothing, found "me"', Remedy.REMOVE),
    (f'{EDGE}template.spec.containers[look]: declared nothing, found image "busybox:2"', Remedy.REMOVE),
    (
        f'{EDGE}template.spec.volumes[more]: declared nothing, found "{{"emptyDir": {{}}, "name": "more"}}"',
        Remedy.REMOVE,
    ),
    ('edge (Ingress edge): spec.rules[0].host: declared "lab.example.com", found "evil.example.com"', Remedy.UPDATE),
    ('edge (Ingress edge): spec.rules[1]: declared nothing, found "{"host": "more.example.com"}"', Remedy.REMOVE),
    (
        (
            "namespace (Namespace shop-dev): metadata.labels[pod-security.kubernetes.io/enforce]: "
            'declared "restricted", found "baseline"'
        ),
        Remedy.UPDATE,
    ),
    ('process-tick (CronJob process-tick): spec.suspend: declared nothing, found "true"', Remedy.REMOVE),
    (f'{WEB}env[HOME]: declared "/tmp", found nothing', Remedy.UPDATE),
    (
        (
            f'{WEB}image: declared "registry.example.com/e2e@sha256:'
            '6354ab683bc3c45176d8a28018eae5ffe25d60c8692e01cbdfbc7d6692dabef0", found "busybox:1"'
        ),
        Remedy.UPDATE,
    ),
    (f"{WEB}env[EXTRA]: declared nothing, found [not shown]", Remedy.REMOVE),
    (f'{POLICY}ingress[0].ports: declared "[{{"port": 8000, "protocol": "TCP"}}]", found nothing', Remedy.UPDATE),
    (f'{POLICY}ingress[1]: declared nothing, found "{{}}"', Remedy.REMOVE),
    ('web (Service web): spec.ports[8000/TCP].targetPort: declared "8000", found "8001"', Remedy.UPDATE),
    ('web (Service web): spec.selector.extra: declared nothing, found "x"', Remedy.REMOVE),
]


def test_a_configuration_made_by_hand(look: Looker, cluster: Api) -> None:
    """Of a long text, the line that differs is shown; what cannot change is replaced."""
    one = item(cluster, "configmaps", "edge-configuration")
    one["metadata"]["uid"] = "another"
    one["data"]["nginx.conf"] = one["data"]["nginx.conf"].replace("client_max_body_size 25m", "client_max_body_size 1g")
    name = one["metadata"]["name"]

    found = look()
    assert lines(found) == [
        (
            f"edge (ConfigMap {name}): identity: declared the one that Pulumi made, found another one of this name",
            Remedy.REFRESH,
        ),
        (
            (
                f'edge (ConfigMap {name}): data[nginx.conf]: declared "client_max_body_size 25m;", '
                'found "client_max_body_size 1g;"'
            ),
            Remedy.REPLACE,
        ),
    ]
    assert command.replacing(found.differences)[1].endswith("core/v1:ConfigMap::edge-configuration")


def test_a_secret_that_somebody_changed(look: Looker, cluster: Api) -> None:
    """Who set it tells; who only took something away leaves another version."""
    metadata = item(cluster, "secrets", "redis-secrets")["metadata"]
    calm = copy.deepcopy(metadata)
    metadata["resourceVersion"] = "9"
    metadata["managedFields"].append(set_by("kubectl-edit", {"f:data": {"f:redis.conf": {}}}))
    name = f"redis-secrets (Secret {metadata['name']})"

    assert lines(look()) == [
        (
            f"{name}: data[redis.conf]: declared [not shown], found set by kubectl-edit at 2026-01-01T00:00:00Z",
            Remedy.REPLACE,
        )
    ]
    metadata["managedFields"] = calm["managedFields"]
    assert lines(look()) == [
        (f"{name}: data: declared [not shown], found written to since the last update", Remedy.REPLACE)
    ]


def test_objects_that_are_gone(look: Looker, cluster: Api) -> None:
    """Pulumi misses them and makes them again; a claim held data, and steps that filled it run again."""
    gone(cluster, "services", "web")
    gone(cluster, "persistentvolumeclaims", "media")

    service, claim = sorted(look().differences, key=lambda each: each.component, reverse=True)

    assert service.line() == "web (Service web): state: declared there, found no such object"
    assert (service.remedy, service.data) == (Remedy.REFRESH, False)
    assert claim.line() == (
        "media (PersistentVolumeClaim media): state: declared there, found no such object; its data is gone"
    )
    assert (claim.remedy, claim.data) == (Remedy.REFRESH, True)
    with pytest.raises(PipelineError, match="an empty one would look as if all were well"):
        command.refuse("dev", [claim], new_volumes=False)
    command.refuse("dev", [claim], new_volumes=True)


def test_what_was_done_to_a_claim_that_is_gone(look: Looker, cluster: Api, state: State) -> None:
    """An empty database is migrated again, by the step that is there; one that is gone is made again anyway."""
    gone(cluster, "persistentvolumeclaims", "media")
    for each in state["resources"]:
        component = {"PersistentVolumeClaim": "postgres", "Job": "migration"}.get(each["inputs"].get("kind"))
        if component:
            each["inputs"]["metadata"]["labels"]["slipway.component"] = component

    labels = item(cluster, "jobs", "switch")["metadata"]["labels"]
    labels["slipway.component"] = "migration"

    [claim] = look().differences
    assert [urn.rpartition("::")[2] for urn in claim.urns] == ["switch"]
    gone(cluster, "jobs", "switch")
    assert [each.urns for each in look().differences] == [(), ()]


def test_a_claim_that_is_not_what_it_was(look: Looker, cluster: Api) -> None:
    """Another one of the name is empty; one that goes, or whose volume went, needs a person."""
    claim = item(cluster, "persistentvolumeclaims", "media")
    calm = copy.deepcopy(claim)
    claim["metadata"]["uid"] = "another"
    name = "media (PersistentVolumeClaim media): state: declared there, found "
    assert lines(look()) == [(f"{name}another one of this name; its data is gone", Remedy.REFRESH)]

    claim["metadata"] = {**calm["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    [going] = look().differences
    assert (going.line(), going.remedy) == (f"{name}being deleted, once no pod uses it", Remedy.NONE)
    with pytest.raises(PipelineError) as refused:
        command.refuse("dev", [going], new_volumes=True)
    assert refused.value.problems[0].mend == "python -m pipeline data dump dev   # while it is there"

    claim["metadata"] = calm["metadata"]
    claim["status"]["phase"] = "Lost"
    assert lines(look()) == [(f"{name}lost: its volume is gone", Remedy.NONE)]

    claim["status"] = calm["status"]
    claim["spec"]["resources"]["requests"]["storage"] = "2Gi"
    assert lines(look()) == [
        (
            "media (PersistentVolumeClaim media): spec.resources.requests.storage: "  # noqa: ISC004 - one text
            'declared "1Gi", found "2Gi"',
            Remedy.NONE,
        )
    ]


def test_objects_that_nobody_declared(look: Looker, cluster: Api) -> None:
    """What has the labels of the stack and belongs to nothing else; not those of another project, and no claims."""

    def named(name: str, **labels: str) -> Json:
        return {"metadata": {"name": name, "labels": {**OURS, **labels}}}

    cluster.answers[path("pods")]["items"] += [named("stray"), named("other", **{"slipway.project": "other"})]
    cluster.answers[path("persistentvolumeclaims")]["items"].append(named("kept"))

    assert lines(look()) == [
        ("web (Pod stray): state: declared nothing, found an object that Pulumi did not make", Remedy.REMOVE)
    ]


def test_what_a_failed_update_left(look: Looker, cluster: Api, state: State) -> None:
    """The state knows it; only an update that succeeds can tell what is to stay."""
    old = copy.deepcopy(next(each for each in state["resources"] if each["type"].endswith(":Job")))
    state["resources"].append({**old, "id": "shop-dev/switch-old", "delete": True})
    assert look().differences == []

    job = copy.deepcopy(item(cluster, "jobs", "switch"))
    job["metadata"]["name"] = "switch-old"
    cluster.answers[path("jobs")]["items"].append(job)
    assert lines(look()) == [
        ("switch (Job switch-old): state: declared gone, found there, left by an update that did not end", Remedy.NONE)
    ]


def test_pods_that_do_not_run(look: Looker, cluster: Api) -> None:
    """With the cluster's own word. Where nothing else differs, no healing helps; where something does, it may."""
    redis = item(cluster, "statefulsets", "redis")
    redis["status"] = {}
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    owner = [{"kind": "StatefulSet", "name": "redis"}]
    labels = {**OURS, "slipway.component": "redis"}
    cluster.answers[path("pods")]["items"].append(
        {
            "metadata": {"name": "redis-0", "labels": labels, "ownerReferences": owner},
            "status": {"containerStatuses": [waiting]},
        }
    )
    line = "redis (StatefulSet redis): pods: declared 1 ready, found 0 ready; pod redis-0: CrashLoopBackOff"
    [alone] = look().differences
    assert (alone.line(), alone.remedy) == (line, Remedy.NONE)
    assert alone.mend.startswith("python -m pipeline doctor dev ")

    gone(cluster, "services", "web")
    assert lines(look())[-1] == (line, Remedy.UPDATE)


@pytest.mark.parametrize(
    ("declared", "live", "fields", "found"),
    [
        ({"a": ["x"]}, {"a": ["x", "y"]}, {"f:a": {}}, ["a: ['x'] -> ['x', 'y']"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, {"f:a": {}}, ["a[0].c: None -> 2"]),
        ({"a": {"b": "1"}}, {"a": {"b": "1", "c": "2"}}, {"f:a": {}}, ["a.c: None -> 2"]),
        ({"a": []}, {}, {}, []),
        ({"a": None}, {"a": 1}, {}, []),
        ({"a": False}, {}, {}, ["a: False -> None"]),
        ({"a": 1}, {"a": True}, {}, ["a: 1 -> True"]),
        (
            {"a": [{"n": "x", "v": 1}, {"n": "y"}]},
            {"a": [{"n": "y"}, {"n": "z"}, {"n": "x", "v": 2}]},
            {"f:a": {'k:{"n":"x"}': {}, 'k:{"n":"z"}': {".": {}, "f:n": {}}}},
            ["a[x].v: 1 -> 2", "a[z]: None -> {'n': 'z'}"],
        ),
        ({"a": ["x"]}, {"a": ["x", "y"]}, {"f:a": {'v:"x"': {}, 'v:"y"': {}}}, ["a[y]: None -> y"]),
        ({"s": {"4dabf18193072939515e22adb298388d": "1"}}, {"s": 1}, {"f:s": {}}, []),
    ],
)
def test_what_counts_as_the_same(declared: Json, live: Json, fields: Json, found: list[str]) -> None:
    """Items of a list are told apart as the API server does it; whatever is one value to it is compared as a whole."""
    there = {**live, "metadata": {"managedFields": [set_by("kubectl-edit", fields)]}}

    assert [f"{each.text}: {each.declared} -> {each.found}" for each in changes(declared, there)] == found


# A cluster that does not tell ----------------------------------------------------------------------------------------


def test_a_cluster_that_forbids_to_look(look: Looker, cluster: Api) -> None:
    """One clear error."""
    cluster.refusals[path("secrets")] = (403, "secrets is forbidden")

    with pytest.raises(PipelineError, match=r"forbids what is needed: secrets is forbidden"):
        look()


def test_a_state_without_a_cluster(outside: Engine) -> None:
    """It says so."""
    with pytest.raises(PipelineError, match="names no cluster"):
        drift.look(outside, {"resources": []})


# Healing -------------------------------------------------------------------------------------------------------------


def clear(engine: Engine, fake: Fake, state: State, found: Look, *, first: bool) -> None:
    """Clear for a state that Pulumi exports."""
    fake.when("stack export", json.dumps({"deployment": state}))
    heal.clear(engine, found.differences, first)


def test_what_nobody_declared_is_taken_away(
    look: Looker, cluster: Api, outside: Engine, fake: Fake, state: State
) -> None:
    """By what the API server has now, the last of a list first, and only if nobody writes to it meanwhile."""
    edge = item(cluster, "deployments", "edge")
    more: Json = {"f:containers": {'k:{"name":"a"}': {".": {}}, 'k:{"name":"b"}': {".": {}}}}
    edge["metadata"]["managedFields"].append(set_by("kubectl-edit", {"f:spec": {"f:template": {"f:spec": more}}}))
    edge["spec"]["template"]["spec"]["containers"] += [{"name": "a"}, {"name": "b"}]
    stray = {"metadata": {"name": "stray", "labels": OURS}}
    cluster.answers[path("pods")]["items"].append(stray)

    clear(outside, fake, state, look(), first=True)

    assert cluster.deleted == [path("pods", "stray")]
    containers = "/spec/template/spec/containers"
    version = edge["metadata"]["resourceVersion"]
    assert cluster.patched == [
        (
            path("deployments", "edge"),
            [
                {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                {"op": "remove", "path": f"{containers}/2"},
                {"op": "remove", "path": f"{containers}/1"},
            ],
        )
    ]
    said = printed(outside)
    assert "    removes Pod stray, which nobody declared\n" in said
    assert "    takes spec.template.spec.containers[a] of Deployment edge away, which nobody declared\n" in said


def test_a_service_made_again_rolls_the_edge(
    look: Looker, cluster: Api, outside: Engine, fake: Fake, state: State
) -> None:
    """Since nginx has its old address; before Pulumi has made it, there is nothing to do."""
    gone(cluster, "services", "web")
    found = look()

    clear(outside, fake, state, found, first=True)
    assert cluster.patched == []
    clear(outside, fake, state, found, first=False)

    [(where, patch)] = cluster.patched
    assert where == path("deployments", "edge")
    assert list(patch["spec"]["template"]["metadata"]["annotations"]) == ["kubectl.kubernetes.io/restartedAt"]


@pytest.mark.usefixtures("look")
def test_an_update_that_made_a_service_again_rolls_the_edge(
    cluster: Api, outside: Engine, fake: Fake, state: State
) -> None:
    """It would answer 502 for ever; where something else was made again, nothing is rolled."""
    fake.when("stack export", json.dumps({"deployment": state}))

    heal.settle(outside, ["Deployment web", "ConfigMap a"])
    assert cluster.patched == []
    heal.settle(outside, ["Deployment web", "Service web"])

    assert [where for where, _ in cluster.patched] == [path("deployments", "edge")]
    assert "    rolls the pods of edge, which have what was there before\n" in printed(outside)


def test_a_claim_made_again_rolls_who_mounts_it(
    look: Looker, cluster: Api, outside: Engine, fake: Fake, state: State
) -> None:
    """Both before Pulumi makes it, so that the next pods wait for it: a server ends, the others go on until those are ready."""
    gone(cluster, "persistentvolumeclaims", "media")
    mounts = {"volumes": [{"name": "media", "persistentVolumeClaim": {"claimName": "media"}}]}
    for name, kind in (("mq-0", "StatefulSet"), ("web-1", "ReplicaSet")):
        metadata = {"name": name, "uid": name, "ownerReferences": [{"kind": kind}]}
        cluster.answers[path("pods")]["items"].append({"metadata": metadata, "spec": mounts})
    found = look()

    clear(outside, fake, state, found, first=True)
    assert cluster.deleted == [path("pods", "mq-0")]
    clear(outside, fake, state, found, first=False)
    assert cluster.deleted == [path("pods", "mq-0")]
    assert [where for where, _ in cluster.patched] == [path("deployments", "edge"), path("deployments", "web")]


def test_the_command_on_a_cluster(outside: Engine, cluster: Api, fake: Fake, state: State) -> None:
    """Exit code 3, one document for programs, and Pulumi is asked for nothing but the state."""
    gone(cluster, "services", "web")
    state["resources"].append({"type": "slipway:kubernetes:Web", "urn": "x::web", "inputs": {}})
    fake.when("stack export", json.dumps({"deployment": state}))
    outside.stack_file.write_text("config: {}\n")
    arguments = argparse.Namespace(stack="dev", format="text", heal=False, new_volumes=False)
    without = {name: value for name, value in outside.environ.items() if "PASSPHRASE" not in name}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "Engine", lambda _stack, _console: replace(outside, environ=without))
        code = command.run(arguments, outside.console)

    assert code == 3
    assert "web (Service web): state: declared there, found no such object\n" in printed(outside)
    assert not [each for each in fake.calls if each.startswith(("up", "preview", "refresh"))]
