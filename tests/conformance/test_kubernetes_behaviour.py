"""What the kubernetes plugin does to a real cluster, beyond the recorded answers.

What has a fixture `our_kubernetes` is deliberately better than the official plugin, or in words of our own; it is
skipped where that one is installed.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf import empty_pb2

from tests.conformance.cluster import Api
from tests.conformance.provider import UNKNOWN, InitializationError, Plugin, Properties, RefusedError, secret

pytestmark = pytest.mark.cluster

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
POD = "kubernetes:core/v1:Pod"
CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
APPS = "/apis/apps/v1"
Made_ = tuple[str, Properties, Properties]


class Made:
    """Objects that a test makes; whatever it leaves is deleted after it, newest first."""

    def __init__(self, plugin: Plugin, namespace: str) -> None:
        self.plugin = plugin
        self.namespace = namespace
        self._left: list[tuple[str, str, Properties, Properties]] = []

    def inputs(self, api_version: str, kind: str, metadata: Properties | None = None, **rest: Any) -> Properties:  # noqa: ANN401 - any field
        """Write an object in the tests' namespace."""
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"namespace": self.namespace, **(metadata or {})},
            **rest,
        }

    def __call__(self, token: str, inputs: Properties, *, seconds: float = 120) -> Made_:
        """Check and create; return the id, the state and the checked inputs."""
        checked, failures = self.plugin.check(token, inputs)
        assert failures == []
        try:
            id_, state = self.plugin.create(token, checked, seconds=seconds)
        except InitializationError as error:
            self._left.append((token, error.id, error.properties, checked))
            raise
        self._left.append((token, id_, state, checked))
        return id_, state, checked

    def update(self, token: str, made: Made_, change: Properties, *, seconds: float = 120) -> Made_:
        """Check and update; return the same as a creation."""
        id_, state, before = made
        checked, failures = self.plugin.check(token, change, before)
        assert failures == []
        return id_, self.plugin.update(token, id_, state, before, checked, seconds=seconds), checked

    def clear(self) -> None:
        """Delete everything."""
        while self._left:
            token, id_, state, inputs = self._left.pop()
            self.plugin.delete(token, id_, state, inputs)


@pytest.fixture
def make(kubernetes: Plugin, api: Api) -> Iterator[Made]:
    """A maker of objects."""
    made = Made(kubernetes, api.namespace)
    yield made
    made.clear()


def _pod(image: str, **container: Any) -> Properties:  # noqa: ANN401 - any field
    return {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "main",
                "image": image,
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
                **container,
            }
        ],
    }


def _deployment(make: Made, name: str, image: str, *, replicas: int = 1, **container: Any) -> Properties:  # noqa: ANN401 - the same
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": _pod(image, **container)}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return make.inputs("apps/v1", "Deployment", {"name": name}, spec={**spec, "progressDeadlineSeconds": 15})


def _job(make: Made, image: str, command: list[str], **annotations: str) -> Properties:
    pod = {**_pod(image, command=command), "restartPolicy": "Never"}
    del pod["containers"][0]["readinessProbe"]
    metadata = {"annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()}}
    return make.inputs("batch/v1", "Job", metadata, spec={"backoffLimit": 0, "template": {"spec": pod}})


@pytest.mark.usefixtures("our_kubernetes")
def test_an_update_of_a_deployment_waits_for_the_new_pods(make: Made, api: Api, pod_image: str) -> None:
    """Again and again, with two in one namespace: after each update every pod of the new revision is ready."""
    names = ["wait-a", "wait-b"]
    made = {name: make(DEPLOYMENT, _deployment(make, name, pod_image)) for name in names}

    def roll(name: str, release: int) -> Properties:
        change = _deployment(make, name, pod_image, env=[{"name": "RELEASE", "value": str(release)}])
        made[name] = make.update(DEPLOYMENT, made[name], change)
        return api.ask("GET", api.path("deployments", name, APPS))

    for release in (1, 2):
        with ThreadPoolExecutor() as pool:
            for live in pool.map(lambda name, number=release: roll(name, number), names):
                assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
                assert live["status"]["updatedReplicas"] == live["status"]["readyReplicas"] == 1
                assert not live["status"].get("unavailableReplicas")


@pytest.mark.usefixtures("our_kubernetes")
def test_an_image_that_cannot_be_pulled_is_named_before_the_time_is_up(make: Made, pod_image: str) -> None:
    """When its progress deadline has passed a Deployment fails, with the container, the reason and the image."""
    start = time.monotonic()
    with pytest.raises(InitializationError) as failed:
        make(DEPLOYMENT, _deployment(make, "no-image", f"{pod_image}-that-is-not-there"), seconds=100)
    assert time.monotonic() - start < 60
    said = "\n".join(failed.value.reasons)
    assert "was successfully created, but the Kubernetes API server reported that it failed to fully initialize" in said
    assert "[MinimumReplicasUnavailable] Deployment does not have minimum availability." in said
    assert "containers with unready status: [main][" in said
    assert f"{pod_image}-that-is-not-there" in said
    assert failed.value.properties["__inputs"]["metadata"]["name"] == "no-image"


def test_a_deployment_that_is_never_ready_fails_at_the_limit(make: Made, pod_image: str) -> None:
    """The program's customTimeouts bound the wait; the object is recorded."""
    start = time.monotonic()
    inputs = _deployment(make, "unready", pod_image, readinessProbe={"tcpSocket": {"port": 1}, "periodSeconds": 1})
    with pytest.raises(InitializationError, match="'unready' timed out waiting to be Ready"):
        make(DEPLOYMENT, inputs, seconds=5)
    assert time.monotonic() - start < 20


def test_a_job_that_fails_fails_at_once(make: Made, pod_image: str) -> None:
    """A Job whose pods have used up their tries is not waited for."""
    start = time.monotonic()
    with pytest.raises(InitializationError, match="BackoffLimitExceeded"):
        make(JOB, _job(make, pod_image, ["python", "-c", "raise SystemExit(3)"]))
    assert time.monotonic() - start < 60


@pytest.mark.usefixtures("our_kubernetes")
def test_a_failed_job_shows_its_last_words(make: Made, pod_image: str) -> None:
    """The exit code and the last lines of the log are among the reasons."""
    with pytest.raises(InitializationError) as failed:
        make(JOB, _job(make, pod_image, ["python", "-c", "print('no such table'); raise SystemExit(3)"]))
    said = "\n".join(failed.value.reasons)
    assert 'container "main" completed with exit code 3' in said
    assert "no such table" in said


def test_a_job_that_did_not_end_well_is_replaced(make: Made, kubernetes: Plugin, pod_image: str) -> None:
    """With replaceUnready the same inputs are a replacement after a failure, and no change after success."""
    failing = _job(make, pod_image, ["python", "-c", "raise SystemExit(3)"], replaceUnready="true")
    with pytest.raises(InitializationError) as failed:
        make(JOB, failing)
    error = failed.value
    checked = error.properties["__inputs"]
    again = kubernetes.diff(JOB, error.id, error.properties, checked, checked)
    assert again["changes"] == "DIFF_SOME"
    assert again["replaces"] == ['.metadata.annotations["pulumi.com/replaceUnready"]']
    assert not again["deleteBeforeReplace"]
    good = make(JOB, _job(make, pod_image, ["python", "-c", "pass"], replaceUnready="true"))
    assert kubernetes.diff(JOB, good[0], good[1], good[2], good[2])["changes"] == "DIFF_NONE"


def test_delete_waits_until_the_object_is_gone(make: Made, api: Api, kubernetes: Plugin) -> None:
    """A finalizer holds it: Delete fails at its limit with its name, and ends well once the finalizer is gone."""
    made = make(
        CONFIG_MAP,
        make.inputs(
            "v1", "ConfigMap", {"name": "held", "annotations": {"pulumi.com/timeoutSeconds": "2"}}, data={"a": "1"}
        ),
    )
    path = api.path("configmaps", "held")
    merge = "application/merge-patch+json"
    api.ask("PATCH", path, {"metadata": {"finalizers": ["example.org/held"]}}, merge)
    with ThreadPoolExecutor() as pool:
        deleting = pool.submit(kubernetes.delete, CONFIG_MAP, made[0], made[1], made[2])
        api.until("it is being deleted", lambda: api.ask("GET", path)["metadata"].get("deletionTimestamp"))
        assert not deleting.done()
        api.ask("PATCH", path, {"metadata": {"finalizers": None}}, merge)
        deleting.result()
    assert api.found(path) is None


def test_an_object_that_exists_is_not_taken_over(make: Made, api: Api) -> None:
    """Create fails, says what can be done, and leaves the object alone."""
    api.ask("POST", api.path("configmaps"), make.inputs("v1", "ConfigMap", {"name": "exists"}, data={"a": "theirs"}))
    with pytest.raises(RefusedError, match='configmaps "exists" already exists') as refused:
        make(CONFIG_MAP, make.inputs("v1", "ConfigMap", {"name": "exists"}, data={"a": "ours"}))
    assert "upsertExistingObjects" in str(refused.value)
    assert api.ask("GET", api.path("configmaps", "exists"))["data"] == {"a": "theirs"}


def test_an_object_that_exists_is_adopted_if_the_provider_is_to(
    kubernetes_command: list[str], api: Api, make: Made
) -> None:
    """With upsertExistingObjects a creation becomes an apply: what an interrupted update has made is found again."""
    settings = {"kubeconfig": api.kubeconfig, "upsertExistingObjects": "true"}
    with Plugin(kubernetes_command, settings, provider="kubernetes") as plugin:
        ours = Made(plugin, api.namespace)
        inputs = make.inputs("v1", "ConfigMap", {"name": "adopted"}, data={"a": "1"})
        first = ours(CONFIG_MAP, inputs)
        second = ours(CONFIG_MAP, inputs)
        assert first[1]["metadata"]["uid"] == second[1]["metadata"]["uid"]
        assert first[1]["__fieldManager"] != second[1]["__fieldManager"]
        ours.clear()
    assert api.found(api.path("configmaps", "adopted")) is None


def test_a_field_of_somebody_else_is_a_conflict(make: Made, api: Api) -> None:
    """An update that would change it fails with the field and its manager; patchForce takes it."""
    made = make(CONFIG_MAP, make.inputs("v1", "ConfigMap", {"name": "contested"}, data={"a": "1"}))
    changed = make.inputs("v1", "ConfigMap", {"name": "contested", "labels": {"x": "ours"}}, data={"a": "1"})
    made = make.update(CONFIG_MAP, made, changed)
    body = make.inputs("v1", "ConfigMap", {"name": "contested", "labels": {"x": "theirs"}})
    path = api.path("configmaps", "contested")
    api.ask("PATCH", f"{path}?fieldManager=other&force=true", body, "application/apply-patch+yaml")
    again = make.inputs("v1", "ConfigMap", {"name": "contested", "labels": {"x": "again"}}, data={"a": "1"})
    with pytest.raises(InitializationError) as conflict:
        make.update(CONFIG_MAP, made, again)
    said = str(conflict.value)
    assert "server-side apply field conflict detected, see https://www.pulumi.com/" in said
    assert 'had an apply conflict: Apply failed with 1 conflict: conflict with "other"' in said
    assert ".metadata.labels.x" in said
    again["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    make.update(CONFIG_MAP, made, again)
    assert api.ask("GET", path)["metadata"]["labels"] == {"x": "again"}


def test_an_update_owns_what_the_creation_made(make: Made, api: Api) -> None:
    """What is no longer in the program is no longer in the cluster; what others added stays."""
    metadata = {"name": "owned", "labels": {"ours": "1", "gone": "1"}}
    made = make(CONFIG_MAP, make.inputs("v1", "ConfigMap", metadata, data={"a": "1"}))
    path = api.path("configmaps", "owned")
    theirs = {"metadata": {"labels": {"theirs": "1"}}}
    api.ask("PATCH", f"{path}?fieldManager=other", theirs, "application/merge-patch+json")
    metadata = {"name": "owned", "labels": {"ours": "2"}}
    _, state, _ = make.update(CONFIG_MAP, made, make.inputs("v1", "ConfigMap", metadata, data={"a": "1"}))
    assert api.ask("GET", path)["metadata"]["labels"] == {"ours": "2", "theirs": "1"}
    assert state["__fieldManager"].startswith("pulumi-kubernetes-")
    assert state["__initialApiVersion"] == "v1"


def test_an_ignored_field_keeps_its_value_whoever_owns_it(
    make: Made, api: Api, kubernetes: Plugin, pod_image: str
) -> None:
    """The number of pods that an autoscaler has found survives an update that leaves it out, from the first one on."""
    inputs = _deployment(make, "ignored", pod_image)
    id_, state, checked = make(DEPLOYMENT, inputs)
    path = api.path("deployments", "ignored", APPS)
    for number in (1, 2):
        scaled = api.ask("GET", path)["spec"]["replicas"]
        spec = {key: value for key, value in inputs["spec"].items() if key != "replicas"}
        metadata = {**inputs["metadata"], "labels": {"round": str(number)}}
        changed, _ = kubernetes.check(DEPLOYMENT, {**inputs, "metadata": metadata, "spec": spec}, checked)
        state = kubernetes.update(DEPLOYMENT, id_, state, checked, changed, ignore=["spec.replicas"])
        checked = changed

        assert api.ask("GET", path)["spec"]["replicas"] == scaled
        api.ask("PATCH", f"{path}/scale", {"spec": {"replicas": 2}}, "application/merge-patch+json")


def test_a_preview_asks_the_api_and_changes_nothing(make: Made, api: Api, kubernetes: Plugin) -> None:
    """What the API would refuse fails the preview; what is not known yet is not asked about."""
    checked, _ = kubernetes.check(CONFIG_MAP, make.inputs("v1", "ConfigMap", {"name": "planned"}, data={"a": "1"}))
    _, planned = kubernetes.create(CONFIG_MAP, checked, preview=True)
    assert planned["metadata"]["uid"]
    assert api.found(api.path("configmaps", "planned")) is None
    wrong = make.inputs("v1", "ConfigMap", {"name": "Not A Name"}, data={"a": "1"})
    with pytest.raises(RefusedError, match="Invalid value"):
        kubernetes.create(CONFIG_MAP, wrong, preview=True)
    unknown = make.inputs("v1", "ConfigMap", {"name": "planned"}, data={"a": UNKNOWN})
    assert kubernetes.create(CONFIG_MAP, unknown, preview=True)[1] == unknown


def test_a_preview_of_an_update_shows_what_the_api_makes_of_it(make: Made, kubernetes: Plugin, pod_image: str) -> None:
    """The first one too, when the creation still owns every field."""
    inputs = _deployment(make, "preview", pod_image)
    id_, state, checked = make(DEPLOYMENT, inputs)
    inputs["spec"]["replicas"] = 2
    changed, _ = kubernetes.check(DEPLOYMENT, inputs, checked)
    planned = kubernetes.update(DEPLOYMENT, id_, state, checked, changed, preview=True)
    assert planned["spec"]["replicas"] == 2
    assert planned["metadata"]["uid"] == state["metadata"]["uid"]


def test_the_content_of_a_secret_is_secret_everywhere(make: Made, kubernetes: Plugin, api: Api) -> None:
    """In the inputs, in the state and in its copy of the inputs, whether the program says so or not."""
    inputs = make.inputs("v1", "Secret", {"name": "hidden"}, stringData={"a": "1"})
    id_, state, checked = make(SECRET, inputs)
    hidden = secret({"a": "MQ=="})
    assert checked["data"] == hidden
    assert state["data"] == state["__inputs"]["data"] == hidden
    _, read_state, read_inputs = kubernetes.read(SECRET, id_, state, checked)
    assert read_state["data"] == read_inputs["data"] == hidden
    assert api.ask("GET", api.path("secrets", "hidden"))["data"] == {"a": "MQ=="}


def test_the_type_of_a_custom_resource_may_come_after_it(make: Made, api: Api) -> None:
    """A creation whose kind is not there yet is tried again; the object is then made and can be waited for."""
    group = f"{api.namespace}.example.org"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                        }
                    },
                }
            ],
        },
    }
    token = f"kubernetes:{group}/v1:Thing"
    thing = make.inputs(
        f"{group}/v1",
        "Thing",
        {"name": "one", "annotations": {"pulumi.com/waitFor": "jsonpath={.spec.answer}=42"}},
        spec={"answer": 42},
    )
    with ThreadPoolExecutor() as pool:
        creating = pool.submit(make.plugin.create, token, make.plugin.check(token, thing)[0])
        id_, state, checked = make(CRD, definition)
        thing_id, thing_state = creating.result()
    assert thing_id == f"{api.namespace}/one"
    assert state["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] == {
        "type": "object",
        "x_kubernetes_preserve_unknown_fields": True,
    }
    assert make.plugin.diff(CRD, id_, state, checked, checked)["changes"] == "DIFF_NONE"
    make.plugin.delete(token, thing_id, thing_state, thing_state["__inputs"])


@pytest.mark.usefixtures("our_kubernetes")
def test_what_cannot_be_waited_for_is_refused_before_the_object_exists(make: Made, api: Api) -> None:
    """The official plugin makes the object first and then forgets it."""
    annotations = {"pulumi.com/waitFor": "status.ready"}
    with pytest.raises(RefusedError, match=r'expected a "jsonpath=" or "condition=" prefix, got "status.ready"'):
        make(CONFIG_MAP, make.inputs("v1", "ConfigMap", {"name": "odd", "annotations": annotations}))
    assert api.found(api.path("configmaps", "odd")) is None


def test_skip_await_returns_at_once(make: Made, pod_image: str) -> None:
    """Whatever becomes of the object."""
    inputs = _deployment(make, "skipped", f"{pod_image}-that-is-not-there")
    inputs["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    start = time.monotonic()
    make(DEPLOYMENT, inputs)
    assert time.monotonic() - start < 5


def test_a_claim_that_waits_for_its_first_pod_is_ready(make: Made) -> None:
    """Pending is as far as it gets by itself where its storage class says so, as that of the tests' cluster does."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    start = time.monotonic()
    make(
        "kubernetes:core/v1:PersistentVolumeClaim",
        make.inputs("v1", "PersistentVolumeClaim", {"name": "pending"}, spec=spec),
    )
    assert time.monotonic() - start < 30


def test_an_object_that_vanished_is_gone_for_a_refresh_and_an_error_for_an_update(
    make: Made, api: Api, kubernetes: Plugin
) -> None:
    """Read gives no id; Update says that it is not there; Delete is content."""
    inputs = make.inputs("v1", "ConfigMap", {"name": "vanished"}, data={"a": "1"})
    id_, state, checked = make(CONFIG_MAP, inputs)
    api.ask("DELETE", api.path("configmaps", "vanished"))
    assert kubernetes.read(CONFIG_MAP, id_, state, checked)[0] == ""
    with pytest.raises(RefusedError, match='configmaps "vanished" not found'):
        kubernetes.update(CONFIG_MAP, id_, state, checked, checked)


def test_an_import_reads_the_whole_object(api: Api, make: Made, kubernetes: Plugin) -> None:
    """Without inputs and state everything that a program can say comes back, and nothing that only the API does."""
    api.ask("POST", api.path("configmaps"), make.inputs("v1", "ConfigMap", {"name": "imported"}, data={"a": "1"}))
    id_, _, inputs = kubernetes.read(CONFIG_MAP, f"{api.namespace}/imported", {}, {})
    assert id_ == f"{api.namespace}/imported"
    assert inputs == make.inputs("v1", "ConfigMap", {"name": "imported"}, data={"a": "1"})


def test_an_unreachable_cluster_is_one_clear_error(kubernetes_command: list[str], api: Api, make: Made) -> None:
    """Check, Diff and previews work; Create, Read and Delete say that the cluster cannot be reached, and why."""
    dead = f"""{{"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{{"name": "c", "context": {{"cluster": "c", "user": "u"}}}}],
        "clusters": [{{"name": "c", "cluster": {{"server": "https://127.0.0.1:1"}}}}],
        "users": [{{"name": "u", "user": {{"token": "{api.namespace}"}}}}]}}"""
    with Plugin(kubernetes_command, {"kubeconfig": dead}, provider="kubernetes") as plugin:
        inputs = make.inputs("v1", "ConfigMap", {"name": "nowhere"}, data={"a": "1"})
        checked, _ = plugin.check(CONFIG_MAP, inputs)
        assert plugin.create(CONFIG_MAP, checked, preview=True)[1]["data"] == {"a": "1"}
        state = {**checked, "__inputs": checked}
        assert plugin.diff(CONFIG_MAP, "x", state, checked, checked)["changes"] == "DIFF_NONE"
        with pytest.raises(RefusedError, match=r"configured Kubernetes cluster is unreachable: .*connection refused"):
            plugin.create(CONFIG_MAP, checked)
        for failing in (plugin.read, plugin.delete):
            with pytest.raises(RefusedError, match=r"unreachable cluster|cluster is unreachable.*DELETE_UNREACHABLE"):
                failing(CONFIG_MAP, f"{api.namespace}/nowhere", state, checked)


def test_a_cancelled_update_says_what_is_true(kubernetes_command: list[str], api: Api, pod_image: str) -> None:
    """Ctrl-C during a wait: the object is recorded as not ready, at once."""
    with Plugin(kubernetes_command, {"kubeconfig": api.kubeconfig}, provider="kubernetes") as plugin:
        made = Made(plugin, api.namespace)
        inputs = _job(made, pod_image, ["python", "-c", "import time; time.sleep(600)"])
        inputs["metadata"]["name"] = "slow"
        path = api.path("jobs", "slow", "/apis/batch/v1")
        with ThreadPoolExecutor() as pool:
            creating = pool.submit(made, JOB, inputs)
            api.until("the job runs", lambda: (api.found(path) or {}).get("status", {}).get("active"))
            plugin.stub.Cancel(empty_pb2.Empty())
            with pytest.raises(InitializationError, match="Resource operation was cancelled") as cancelled:
                creating.result()
        assert cancelled.value.id == f"{api.namespace}/slow"
    api.ask("DELETE", f"{path}?propagationPolicy=Background")


@pytest.mark.usefixtures("our_kubernetes")
@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("kubernetes:helm.sh/v3:Release", "no Helm, Kustomize or YAML"),
        ("kubernetes:core/v1:ConfigMapPatch", "patches of objects that others own"),
        ("kubernetes:core/v1:ConfigMapList", "list resources exist for compatibility"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(kubernetes: Plugin, token: str, said: str) -> None:
    """Check says so, with what to do."""
    kind = "ConfigMapList" if token.endswith("List") else "ConfigMap"
    with pytest.raises(RefusedError, match=said):
        kubernetes.check(token, {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}})
