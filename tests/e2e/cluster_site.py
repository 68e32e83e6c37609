"""A stack of its own on the cluster: everything that a ``Site`` is, with a namespace where that has containers.

It is asked through ``kubectl port-forward``, which works on whatever cluster the kubeconfig names. Such a tunnel ends
with the pod behind it, so what visitors notice of a release is asked from inside (``tests/e2e/cluster_load.py``).
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.cluster import Cluster, Forward, Object, nodes, wait
from tests.e2e.site import Done, Site, sweep

SMALL: dict[str, dict[str, Any]] = {
    "web": {"startup_seconds": 40, "resources": {"memory_mb": 256, "cpus": 0.5}},
    "edge": {"resources": {"memory_mb": 64, "cpus": 0.25}},
    "postgres": {"resources": {"memory_mb": 256, "cpus": 0.5}},
    "redis": {"resources": {"memory_mb": 64, "cpus": 0.1}},
}
"""Two cores hold the cluster, the tests and several stacks."""

STORAGE = {"postgres_gb": 1, "redis_gb": 1, "media_gb": 1, "static_gb": 1}


@dataclass
class ClusterSite(Site):
    """One stack on the cluster."""

    cluster: Cluster = field(default_factory=Cluster)

    def __post_init__(self) -> None:
        """Prepare the tunnel; it is opened when a page is asked for."""
        self.forward = Forward(self.cluster, self.namespace)
        self.environ |= {"KUBECONFIG": self.cluster.environ["KUBECONFIG"]}

    @property
    def namespace(self) -> str:
        """Where everything of the stack is."""
        return self.stack

    def wanted(self) -> dict[str, Any]:
        """What the file of a small stack says."""
        return {
            "environment": "dev",
            "target": "kubernetes",
            "app": {"name": "e2e", "source": str(self.app), "settings_module": "config.settings"},
            **SMALL,
            "kubernetes": {"namespace": self.namespace, "storage": STORAGE},
        }

    def address(self) -> tuple[str, int]:
        """Where the edge is asked from here."""
        return "localhost", self.forward.port

    # What there is --------------------------------------------------------------------------------------------------

    def pods(self, component: str | None = None) -> list[Object]:
        """The pods of the stack that are not on their way out."""
        selector = f"slipway.component={component}" if component else ""
        found = self.cluster.all("pods", self.namespace, selector)
        return [each for each in found if not each["metadata"].get("deletionTimestamp")]

    def pod(self, component: str) -> str:
        """The name of a ready pod of a component."""
        return min(self.serving(component))

    def serving(self, component: str = "web") -> set[str]:
        """The names of the ready pods of a component."""
        return {str(each["metadata"]["name"]) for each in self.pods(component) if ready(each)}

    def running(self) -> dict[str, str]:
        """Every pod with what changes when it is made again or started again."""
        return {
            each["metadata"]["name"]: each["metadata"]["uid"]
            + "".join(str(status["restartCount"]) for status in each["status"].get("containerStatuses", []))
            for each in self.pods()
        }

    def versions(self) -> dict[str, str]:
        """Every object but pods, with the version that the API server counts up at every write."""
        return {
            name: each["metadata"]["resourceVersion"]
            for name, each in self.cluster.everything(self.namespace).items()
            if not name.startswith(("pods/", "resourcequotas/", "horizontalpodautoscalers/"))
        }

    def releases(self, component: str = "web") -> set[str]:
        """The releases whose pods there are."""
        return {each["metadata"]["labels"].get("slipway.release", "") for each in self.pods(component)}

    def things(self) -> list[str]:
        """Everything that the cluster has of the stack."""
        return self.cluster.things(self.namespace)

    def execute(self, component: str, *command: str, **environ: str) -> str:
        """Run a command in a pod of a component."""
        words = ["env", *(f"{name}={value}" for name, value in environ.items()), *command] if environ else command
        return self.cluster.execute(self.namespace, self.pod(component), words)

    def state_of(self) -> str:
        """The state of the stack, as Pulumi exports it, secrets as they are stored."""
        done = subprocess.run(
            ["pulumi", "stack", "export", "--stack", self.stack],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout

    def print_logs(self) -> None:
        """Print how every pod is, the end of what it logged, and the last events."""
        if not self.cluster.find("namespaces", None, self.namespace):
            return
        for each in self.pods():
            name = each["metadata"]["name"]
            print(f"--- {name} ({each['status'].get('phase')}, ready: {ready(each)})")
            try:
                print(self.cluster.log(self.namespace, name, tailLines="20"))
            except Exception as error:  # noqa: BLE001 - a pod without a log is nothing to fail about
                print(f"no log: {type(error).__name__}")
        for event in self.cluster.all("events", self.namespace)[-20:]:
            print(f"event: {event['involvedObject'].get('name')} {event.get('reason')}: {event.get('message')}")

    # What is done to it ---------------------------------------------------------------------------------------------

    def up(self, *arguments: str, **environ: str) -> Done:
        """Bring the stack up; the pod that a tunnel led to may be another one afterwards."""
        self.forward.close()
        with nodes():
            return super().up(*arguments, **environ)

    def down(self, *arguments: str) -> Done:
        """Destroy the stack."""
        self.forward.close()
        return self.pipeline("down", self.stack, *arguments)

    def scaled(self) -> int:
        """How many web pods the cluster is told to run."""
        replicas: int = self.cluster.get("deployments", self.namespace, "web")["spec"]["replicas"]
        return replicas

    def settled(self, name: str = "web") -> bool:
        """Whether a Deployment has done what it was told, and no old pod of it is left."""
        each = self.cluster.get("deployments", self.namespace, name)
        status, replicas = each["status"], each["spec"]["replicas"]
        counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")}
        pods = self.cluster.all("pods", self.namespace, f"slipway.component={name}")
        seen = bool(status.get("observedGeneration") == each["metadata"]["generation"])
        return seen and counts == {replicas} and len(pods) == replicas

    def settle(self, name: str = "web", limit: float = 90) -> float:
        """Wait until a Deployment has done what it was told."""
        return wait(f"{name} is as it was told", lambda: self.settled(name), limit)

    def kubeconfig(self, name: str, **changes: Any) -> Path:  # noqa: ANN401 - the values of a kubeconfig
        """Write a kubeconfig like the one that is used, with another user or another server."""
        text = Path(self.environ["KUBECONFIG"]).read_text()
        config = yaml.safe_load(text)
        for each in config["clusters"]:
            each["cluster"] |= changes.get("cluster", {})
        if "user" in changes:
            for each in config["users"]:
                each["user"] = changes["user"]
        path = self.folder / f"kubeconfig-{name}"
        path.write_text(yaml.safe_dump(config))
        return path

    def close(self) -> None:
        """Leave nothing behind, whatever state the stack is in."""
        self.forward.close()
        try:
            if self.state_of():
                self.pipeline("down", self.stack)
        finally:
            self.cluster.free(self.namespace)
            sweep(self.daemon, self.stack)
            self.daemon.close()

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Insist that what is done here changes nothing: not the state, not the cluster."""
        state, there = self.state_of(), self.versions()
        yield
        assert self.state_of() == state
        assert self.versions() == there


def ready(pod: Object) -> bool:
    """Whether a pod takes traffic."""
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
