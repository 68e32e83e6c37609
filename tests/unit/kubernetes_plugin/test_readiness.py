"""When objects count as ready."""

from collections.abc import Mapping
from typing import Any

import pytest

from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.kubernetes_plugin.readiness import Object, Verdict, judge_of, selector_text, wait_for
from tools.airgap.plugin.errors import PluginError

REVISION = "deployment.kubernetes.io/revision"


class Around:
    """A namespace made of what a test says."""

    def __init__(self, seconds: float = 0, **objects: list[Object]) -> None:
        self.seconds = seconds
        self.memory: dict[str, Any] = {}
        self.objects = objects

    def listed(self, kind: Kind, selector: str) -> list[Object]:  # noqa: ARG002 - the test says what is there
        """List everything of a kind."""
        return self.objects.get(kind.kind, [])

    def found(self, kind: Kind, name: str, *, namespaced: bool = True) -> Object | None:  # noqa: ARG002 - the same
        """Look one up."""
        return next((each for each in self.objects.get(kind.kind, []) if each["metadata"]["name"] == name), None)


def _judged(group: str, kind: str, live: Mapping[str, Any], around: Around | None = None) -> Verdict:
    judge = judge_of(Kind(group, "v1", kind))
    assert judge is not None
    metadata = {"name": "a", "uid": "u", "generation": 1, **live.get("metadata", {})}
    return judge({**live, "metadata": metadata}, around or Around())


def _deployment(*, revision: str = "2", observed: int = 2, progressing: str = "NewReplicaSetAvailable") -> Object:
    failed = progressing == "ProgressDeadlineExceeded"
    return {
        "metadata": {"generation": 2, "annotations": {REVISION: revision}},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": {"spec": {}}},
        "status": {
            "observedGeneration": observed,
            "conditions": [
                {"type": "Available", "status": "True"},
                {"type": "Progressing", "status": "False" if failed else "True", "reason": progressing, "message": "m"},
            ],
        },
    }


def _replica_set(revision: str, ready: int, name: str = "r") -> Object:
    owners = [{"uid": "u"}]
    metadata = {"name": name, "annotations": {REVISION: revision}, "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"replicas": 1}, "status": {"readyReplicas": ready}}


def test_a_deployment_is_ready_when_its_new_pods_are() -> None:
    """Not those of an older ReplicaSet."""
    around = Around(ReplicaSet=[_replica_set("1", 1), _replica_set("2", 1)])
    assert _judged("apps", "Deployment", _deployment(), around).ready
    around = Around(ReplicaSet=[_replica_set("1", 1), _replica_set("2", 0)])
    assert not _judged("apps", "Deployment", _deployment(), around).ready
    assert not _judged("apps", "Deployment", _deployment(), Around(ReplicaSet=[_replica_set("1", 1)])).ready


def test_a_status_of_the_older_specification_says_nothing() -> None:
    """Everything looks ready there: this is what the official plugin can take for the new one."""
    around = Around(ReplicaSet=[_replica_set("1", 1)])
    found = _judged("apps", "Deployment", _deployment(revision="1", observed=1), around)
    assert not found.ready
    assert "not seen by the Deployment controller" in found.lacks[0]


def test_a_deployment_fails_when_its_deadline_passes_and_not_for_one_that_had_passed() -> None:
    """What was stuck before may become good by itself: a registry that is back, for example."""
    around = Around(ReplicaSet=[_replica_set("2", 0)])
    assert not _judged("apps", "Deployment", _deployment(progressing="ReplicaSetUpdated"), around).failed
    found = _judged("apps", "Deployment", _deployment(progressing="ProgressDeadlineExceeded"), around)
    assert found.failed
    assert "[ProgressDeadlineExceeded] m" in found.lacks
    before = Around(ReplicaSet=[_replica_set("2", 0)])
    assert not _judged("apps", "Deployment", _deployment(progressing="ProgressDeadlineExceeded"), before).failed


def test_a_claim_without_a_volume_is_named() -> None:
    """A Deployment is not ready while a claim of its pods is not bound."""
    live = _deployment()
    live["spec"]["template"]["spec"]["volumes"] = [{"persistentVolumeClaim": {"claimName": "media"}}]
    around = Around(ReplicaSet=[_replica_set("2", 1)])
    assert 'Failed to bind PersistentVolumeClaim(s): "media"' in _judged("apps", "Deployment", live, around).lacks
    bound = Around(
        ReplicaSet=[_replica_set("2", 1)],
        PersistentVolumeClaim=[{"metadata": {"name": "media"}, "status": {"phase": "Bound"}}],
    )
    assert _judged("apps", "Deployment", live, bound).ready


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (
            {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "currentRevision": "1", "updateRevision": "1"},
            True,
        ),
        (
            {"replicas": 2, "readyReplicas": 1, "currentReplicas": 2, "currentRevision": "1", "updateRevision": "1"},
            False,
        ),
        (
            {"replicas": 2, "readyReplicas": 2, "currentReplicas": 1, "currentRevision": "1", "updateRevision": "2"},
            False,
        ),
        ({"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "observedGeneration": 0}, False),
    ],
)
def test_a_stateful_set(status: Object, ready: bool) -> None:  # noqa: FBT001 - a case of a table
    """All replicas are there, ready, and of the last revision."""
    live = {"spec": {"replicas": 2}, "status": {"observedGeneration": 1, **status}}
    assert _judged("apps", "StatefulSet", live).ready is ready


def test_a_daemon_set() -> None:
    """On each node that it is for, updated and ready."""
    counts = dict.fromkeys(
        (
            "desiredNumberScheduled",
            "currentNumberScheduled",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberReady",
        ),
        2,
    )
    assert _judged("apps", "DaemonSet", {"status": {**counts, "observedGeneration": 1}}).ready
    found = _judged("apps", "DaemonSet", {"status": {**counts, "numberReady": 1, "observedGeneration": 1}})
    assert found.lacks == ["numberReady: 1/2"]


def test_a_job() -> None:
    """Complete, or failed for good."""
    done = {"startTime": "t", "conditions": [{"type": "Complete", "status": "True"}]}
    assert _judged("batch", "Job", {"status": done}).ready
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}]}
    assert _judged("batch", "Job", {"status": failed}) == Verdict(
        ready=False, failed=True, lacks=["[BackoffLimitExceeded] m"]
    )
    assert not _judged("batch", "Job", {"status": {}}).failed


@pytest.mark.parametrize(
    ("status", "ready", "failed"),
    [
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, True, False),
        ({"phase": "Succeeded"}, True, False),
        ({"phase": "Failed"}, False, True),
        ({"phase": "Pending"}, False, False),
    ],
)
def test_a_pod(status: Object, ready: bool, failed: bool) -> None:  # noqa: FBT001 - a case of a table
    """Ready, ended, or failed."""
    found = _judged("", "Pod", {"status": status})
    assert (found.ready, found.failed) == (ready, failed)


def _slice(**conditions: bool) -> Object:
    return {"metadata": {"name": "s", "resourceVersion": "1"}, "endpoints": [{"conditions": conditions}]}


@pytest.mark.parametrize(
    ("spec", "slices", "seconds", "ready"),
    [
        ({"selector": {"a": "b"}}, [_slice(ready=True)], 0, True),
        ({"selector": {"a": "b"}}, [_slice(ready=False)], 60, False),
        ({"selector": {"a": "b"}}, [_slice(ready=False, terminating=True), _slice(ready=True)], 0, True),
        ({"selector": {"a": "b"}, "clusterIP": "None"}, [], 0, True),
        ({"type": "ExternalName"}, [], 0, True),
        ({"type": "LoadBalancer", "selector": {"a": "b"}}, [_slice(ready=True)], 0, False),
        ({"selector": {"a": "b"}}, [], 0, False),
    ],
)
def test_a_service(spec: Object, slices: list[Object], seconds: float, ready: bool) -> None:  # noqa: FBT001 - the same
    """It has ready pods, or needs none."""
    assert _judged("", "Service", {"spec": spec}, Around(seconds, EndpointSlice=slices)).ready is ready


def test_a_service_without_pods_is_ready_once_nothing_moves() -> None:
    """Ten seconds, as in the official plugin: its pods may come later in the same update."""
    around = Around()
    live = {"spec": {"selector": {"a": "b"}}}
    assert not _judged("", "Service", live, around).ready
    around.seconds = 10
    assert _judged("", "Service", live, around).ready


def test_an_ingress() -> None:
    """It has an address, and its services have pods."""
    rules = [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]
    address = {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}
    assert not _judged("networking.k8s.io", "Ingress", {"spec": {"rules": rules}}).ready
    live = {"spec": {"rules": rules}, "status": address}
    assert "'web'" in _judged("networking.k8s.io", "Ingress", live).lacks[0]
    assert _judged("networking.k8s.io", "Ingress", live, Around(EndpointSlice=[_slice(ready=True)])).ready


def test_a_claim() -> None:
    """Bound, or pending where its class waits for the first pod; a class that is not there is named."""
    live = {"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}
    assert _judged("", "PersistentVolumeClaim", {"status": {"phase": "Bound"}}).ready
    assert "no StorageClass 'fast'" in _judged("", "PersistentVolumeClaim", live).lacks[0]
    lazy = {"metadata": {"name": "fast"}, "volumeBindingMode": "WaitForFirstConsumer"}
    assert _judged("", "PersistentVolumeClaim", live, Around(StorageClass=[lazy])).ready


@pytest.mark.parametrize(
    ("annotation", "ready"),
    [
        ("jsonpath={.status.phase}=Ready", True),
        ("jsonpath={.status.phase}=Other", False),
        ("jsonpath={.status.list[0].a}", True),
        ("jsonpath={.status.absent}", False),
        ("jsonpath={.status.on}=true", True),
        ("condition=synced", True),
        ("condition=Synced=False", False),
        ('["condition=Synced", "jsonpath={.status.phase}"]', True),
        ('["condition=Synced", "condition=Absent"]', False),
    ],
)
def test_what_a_program_waits_for(annotation: str, ready: bool) -> None:  # noqa: FBT001 - a case of a table
    """Values and conditions; of a list all."""
    conditions = [{"type": "Synced", "status": "True"}]
    live = {"metadata": {}, "status": {"phase": "Ready", "list": [{"a": 1}], "on": True, "conditions": conditions}}
    assert wait_for(annotation)(live, Around()).ready is ready


@pytest.mark.parametrize("annotation", ["status.phase", "[1]", "[", "jsonpath={.a[?(@.b)]}"])
def test_what_cannot_be_read_is_refused(annotation: str) -> None:
    """Before the object exists."""
    with pytest.raises(PluginError, match=r"expected a|not a JSON list|not a path"):
        wait_for(annotation)


def test_selectors_are_written_as_queries() -> None:
    """Labels and expressions."""
    expressions = [
        {"key": "b", "operator": "In", "values": ["1", "2"]},
        {"key": "c", "operator": "Exists"},
        {"key": "d", "operator": "DoesNotExist"},
    ]
    assert selector_text({"matchLabels": {"a": "x"}, "matchExpressions": expressions}) == "a=x,b in (1,2),c,!d"
