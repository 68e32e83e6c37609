"""Load from inside the cluster: ``tests/e2e/load.py`` in a pod of its own, in a namespace that is not the stack's.

It asks the Service of the edge, as a visitor's request does that has come into the cluster.
"""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from components.defaults import COMMON
from tests.e2e import load
from tests.e2e.cluster import CONFLICT, Cluster, Object, RefusedError, wait
from tests.e2e.load import Kind, Report
from tests.e2e.site import RUN

NAMESPACE = f"e2e-{RUN}-load"
IMAGE = f"python:{COMMON['app']['python']}-slim"
STOP = "/tmp/stop"  # noqa: S108 - in the pod
LONGEST_SECONDS = 600

LIGHT = (Kind("read", 4, 0.05), Kind("write", 2, 0.1), Kind("slow", 1, 0.1))
"""What goes on while something else is looked at."""
HEAVY = (Kind("read", 9, 0.05), Kind("write", 4, 0.06), Kind("slow", 3, 0.1))
"""200 requests a second of reading and writing, and three visitors that wait for 3 s each, again and again."""
WRITES = (Kind("write", 6, 0.05),)

RESTRICTED: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def pod(name: str, command: list[str], **spec: Any) -> Object:  # noqa: ANN401 - the fields of a pod
    """A pod with Python that may run anywhere."""
    container: Object = {
        "name": "main",
        "image": IMAGE,
        "command": command,
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the pod
    }
    container |= spec.pop("container", {})
    return {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10002,
                "fsGroup": 10002,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}],
            **spec,
        },
    }


def outside(cluster: Cluster) -> str:
    """Make the namespace of those who are not the stack, once."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    try:
        cluster.make("namespaces", None, {"metadata": {"name": NAMESPACE, "labels": labels}})
    except RefusedError as error:
        if error.status != CONFLICT:
            raise
    return NAMESPACE


@dataclass
class ClusterLoad(Report):
    """Visitors in a pod that come until they are told to stop; use it as a context."""

    cluster: Cluster
    namespace: str
    """The namespace of the stack that is asked."""
    kinds: tuple[Kind, ...] = LIGHT
    slow_seconds: float = 3
    name: str = field(default_factory=lambda: f"load-{secrets.token_hex(3)}")

    def __enter__(self) -> Self:
        """Start the pod, and wait until the first were answered."""
        outside(self.cluster)
        code = {"load.py": Path(load.__file__).read_text()}
        self.cluster.make("configmaps", NAMESPACE, {"metadata": {"name": self.name}, "data": code})
        command = ["python3", "/code/load.py", "--address", f"edge.{self.namespace}.svc", "--port", "80"]
        command += ["--host", "localhost", "--until", STOP, "--seconds", f"{LONGEST_SECONDS}"]
        command += ["--slow-seconds", f"{self.slow_seconds:g}"]
        command += ["--kinds", json.dumps([[each.name, each.visitors, each.pause] for each in self.kinds])]
        body = pod(self.name, command)
        body["spec"]["volumes"].append({"name": "code", "configMap": {"name": self.name}})
        body["spec"]["containers"][0]["volumeMounts"].append({"name": "code", "mountPath": "/code"})
        self.cluster.make("pods", NAMESPACE, body)
        wait("the load has begun", self.begun, 60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the last be answered, and take the report."""
        try:
            self.cluster.execute(NAMESPACE, self.name, ["touch", STOP])
            wait("the load has ended", lambda: self.phase() == "Succeeded", load.TIMEOUT_SECONDS * 2)
            report = Report.read(json.loads(self.cluster.log(NAMESPACE, self.name).splitlines()[-1]))
            for name, value in vars(report).items():
                setattr(self, name, value)
            print(f"figure: {self.summary()}, {self.rate:.0f} requests/s for {self.seconds:.0f} s")
        finally:
            self.cluster.remove("pods", NAMESPACE, self.name, grace=0)
            self.cluster.remove("configmaps", NAMESPACE, self.name)

    def phase(self) -> str:
        """How the pod is."""
        phase: str = self.cluster.get("pods", NAMESPACE, self.name)["status"]["phase"]
        return phase

    def progress(self) -> Object:
        """How far it is now."""
        said = self.cluster.log(NAMESPACE, self.name, tailLines="1").strip()
        found: Object = json.loads(said) if said else {"answered": {}, "failed": 0}
        return found

    def begun(self) -> bool:
        """Whether visitors come."""
        phase = self.phase()
        if phase == "Failed":
            raise AssertionError(f"the load does not run: {self.cluster.log(NAMESPACE, self.name)}")
        return phase == "Running" and sum(self.progress()["answered"].values()) > 0

    def wait_for(self, requests: int, limit: float = 60) -> None:
        """Wait until that many more requests were answered."""

        def now() -> int:
            at = self.progress()
            return sum(map(int, at["answered"].values())) + int(at["failed"])

        goal = now() + requests
        wait(f"{requests} more requests were answered", lambda: now() >= goal, limit)
