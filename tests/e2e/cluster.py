"""The cluster as the tests see it: plain JSON from its API, ``kubectl`` for what is a stream, and what is left at the end.

It knows no component. Everything that the tests make is in namespaces whose names begin with ``e2e-``.
"""

import fcntl
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.site import RUN, tools

Object = dict[str, Any]
"""One object of the API, as it is."""

CORE, APPS, BATCH, POLICY = "/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/policy/v1"
SCALING, NETWORK, STORAGE = "/apis/autoscaling/v2", "/apis/networking.k8s.io/v1", "/apis/storage.k8s.io/v1"
METRICS = "/apis/metrics.k8s.io/v1beta1"

KINDS = {
    "pods": CORE,
    "services": CORE,
    "configmaps": CORE,
    "secrets": CORE,
    "serviceaccounts": CORE,
    "persistentvolumeclaims": CORE,
    "resourcequotas": CORE,
    "limitranges": CORE,
    "deployments": APPS,
    "replicasets": APPS,
    "statefulsets": APPS,
    "jobs": BATCH,
    "cronjobs": BATCH,
    "poddisruptionbudgets": POLICY,
    "horizontalpodautoscalers": SCALING,
    "ingresses": NETWORK,
    "networkpolicies": NETWORK,
}
"""Everything that a stack may have in its namespace, and where the API has it."""

OF_THE_CLUSTER = {("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default")}
"""What Kubernetes itself puts into every namespace."""

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
NOT_FOUND, CONFLICT, REFUSED, TOO_MANY = 404, 409, 403, 429
NAMESPACE_SECONDS = 90
"""How long a namespace with everything in it may take to go."""


class RefusedError(Exception):
    """The API server said no: a status and its own words."""

    def __init__(self, status: int, said: str) -> None:
        self.status = status
        super().__init__(f"{status}: {said}")


def wait(what: str, check: Callable[[], object], limit: float = 60, pause: float = 0.3) -> float:
    """Wait until something is true, and give how long that took."""
    begun = time.monotonic()
    while not check():
        assert time.monotonic() - begun < limit, f"not within {limit:g} s: {what}"
        time.sleep(pause)
    return time.monotonic() - begun


@contextmanager
def nodes(*, alone: bool = False) -> Iterator[None]:
    """Have the nodes as they are for a while; ``alone`` to change them, since two halves of the tests run at once."""
    with (Path(tempfile.gettempdir()) / "slipway-e2e-nodes").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@dataclass
class Cluster:
    """One cluster: the one that ``KUBECONFIG`` names, as the commands of a user find it."""

    environ: dict[str, str] = field(default_factory=tools)
    context: str | None = None

    def __post_init__(self) -> None:
        """Read the kubeconfig; nothing is asked yet."""
        self.environ.setdefault("KUBECONFIG", str(Path("~/.kube/config").expanduser()))
        # The client takes half a second to import, which is no business of tests without a cluster.
        from kubernetes import config  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; see above

        self._api = config.new_client_from_config(self.environ.get("KUBECONFIG"), self.context)

    def close(self) -> None:
        """Close the connections."""
        self._api.rest_client.pool_manager.clear()
        self._api.close()

    # The API --------------------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> Object:
        """Ask the API server once."""
        from kubernetes.client.rest import ApiException  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

        try:
            answer: Object = self._api.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": kind},
                body=body,
                response_type="object",
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _request_timeout=30,
            )
        except ApiException as error:
            try:
                said = json.loads(error.body)["message"]
            except (TypeError, ValueError, KeyError):
                said = str(error.body or error.reason)
            raise RefusedError(error.status, said) from None
        return answer

    def path(self, kind: str, namespace: str | None, name: str = "") -> str:
        """Where the API has a kind of objects, or one of them."""
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"{KINDS.get(kind, CORE)}{inside}/{kind}" + (f"/{name}" if name else "")

    def all(self, kind: str, namespace: str | None = None, selector: str = "") -> list[Object]:
        """Every object of a kind."""
        found: list[Object] = self.call("GET", self.path(kind, namespace), query={"labelSelector": selector})["items"]
        return found

    def get(self, kind: str, namespace: str | None, name: str) -> Object:
        """One object, which is there."""
        return self.call("GET", self.path(kind, namespace, name))

    def find(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """One object, if it is there."""
        try:
            return self.get(kind, namespace, name)
        except RefusedError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def make(self, kind: str, namespace: str | None, body: Object, **query: str) -> Object:
        """Make one object."""
        return self.call("POST", self.path(kind, namespace), body, query)

    def change(self, kind: str, namespace: str | None, name: str, patch: Object, how: str = STRATEGIC) -> Object:
        """Change an object as ``kubectl patch`` does."""
        query = {"fieldManager": "kubectl-patch"}
        return self.call("PATCH", self.path(kind, namespace, name), patch, query, how)

    def remove(self, kind: str, namespace: str | None, name: str, grace: int | None = None) -> None:
        """Delete an object and what it owns; one that is gone already counts as deleted."""
        body: Object = {"propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            self.call("DELETE", self.path(kind, namespace, name), body)
        except RefusedError as error:
            if error.status != NOT_FOUND:
                raise

    def log(self, namespace: str, pod: str, **query: str) -> str:
        """What a pod has written, or why that cannot be had."""
        done = self._api.call_api(
            f"{self.path('pods', namespace, pod)}/log",
            "GET",
            query_params=list(query.items()),
            auth_settings=["BearerToken"],
            _preload_content=False,  # or a line of JSON would come back as something else
            _return_http_data_only=True,
            _request_timeout=30,
        )
        text: str = done.data.decode(errors="replace")
        done.release_conn()
        return text

    # Namespaces -----------------------------------------------------------------------------------------------------

    def everything(self, namespace: str) -> dict[str, Object]:
        """Every object in a namespace but those that Kubernetes puts there, by ``kind/name``."""
        return {
            f"{kind}/{each['metadata']['name']}": each
            for kind in KINDS
            for each in self.all(kind, namespace)
            if (kind, each["metadata"]["name"]) not in OF_THE_CLUSTER
        }

    def things(self, namespace: str) -> list[str]:
        """What there is of a stack: its namespace, everything in it, and volumes that belonged to its claims."""
        found = sorted(self.everything(namespace)) if self.find("namespaces", None, namespace) else []
        if found or self.find("namespaces", None, namespace):
            found = [f"namespaces/{namespace}", *found]
        return found + [f"persistentvolumes/{name}" for name in self.volumes(namespace)]

    def volumes(self, namespace: str) -> list[str]:
        """The volumes that belong to claims of a namespace, also of one that is gone."""
        return [
            each["metadata"]["name"]
            for each in self.all("persistentvolumes")
            if (each["spec"].get("claimRef") or {}).get("namespace") == namespace
        ]

    def free(self, namespace: str) -> None:
        """Remove a namespace with everything in it, and wait until it is gone."""
        self.remove("namespaces", None, namespace)
        wait(f"{namespace} is gone", lambda: not self.find("namespaces", None, namespace), NAMESPACE_SECONDS)
        wait(f"volumes of {namespace} are gone", lambda: not self.volumes(namespace), NAMESPACE_SECONDS)

    # Streams --------------------------------------------------------------------------------------------------------

    def kubectl(self, *arguments: str) -> list[str]:
        """A command of ``kubectl`` for this cluster."""
        return ["kubectl", *([f"--context={self.context}"] if self.context else []), *arguments]

    def execute(self, namespace: str, pod: str, command: Sequence[str]) -> str:
        """Run a command in a pod."""
        done = subprocess.run(
            self.kubectl("exec", "-n", namespace, pod, "--", *command),
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command[0]} in {pod}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


@dataclass
class Forward:
    """A port of this machine that leads to a Service, for as long as it is needed; works with any cluster."""

    cluster: Cluster
    namespace: str
    target: str = "service/edge"
    target_port: int = 80
    process: "subprocess.Popen[str] | None" = None
    local: int = 0

    @property
    def port(self) -> int:
        """The port; opened when it is asked for, again if the pod behind it has gone."""
        if self.process is None or self.process.poll() is not None:
            self.close()
            self.open()
        return self.local

    def open(self) -> None:
        """Start the tunnel and wait until it says its port."""
        self.process = subprocess.Popen(
            self.cluster.kubectl("port-forward", "-n", self.namespace, self.target, f":{self.target_port}"),
            env=self.cluster.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Forwarding from 127.0.0.1:"):
                self.local = int(line.split(":")[1].split()[0])
                return
        self.close()
        raise AssertionError(f"no tunnel to {self.target} in {self.namespace}: {said}")

    def close(self) -> None:
        """End the tunnel."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None


def ours(cluster: Cluster, prefix: str = f"e2e-{RUN}-") -> Iterator[str]:
    """The namespaces that a run of the tests has made."""
    for each in cluster.all("namespaces"):
        if each["metadata"]["name"].startswith(prefix):
            yield each["metadata"]["name"]


def sweep_namespaces(prefix: str = f"e2e-{RUN}-") -> list[str]:
    """Remove whatever namespaces are left; nothing where there is no cluster."""
    try:
        cluster = Cluster()
    except Exception as error:  # noqa: BLE001 - whatever the client raises for a kubeconfig that is not there
        print(f"no cluster to sweep: {type(error).__name__}")
        return []
    try:
        # A cluster that is down has nothing that runs; what it kept is swept when it is up again.
        try:
            names = list(ours(cluster, prefix))
        except Exception as error:  # noqa: BLE001 - the same for a cluster that is not there
            print(f"the cluster was not swept: {type(error).__name__}")
            return []
        for name in names:
            cluster.free(name)
        return [f"namespace {name}" for name in names]
    finally:
        cluster.close()
