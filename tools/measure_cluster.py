"""The Kubernetes part of ``make numbers``: once through the life of a stack on a running cluster.

It works on the cluster that the kubeconfig names, in namespaces of its own, and leaves nothing there.
"""

import contextlib
import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.cluster import METRICS, Cluster, RefusedError, sweep_namespaces, wait
from tests.e2e.cluster_load import HEAVY, ClusterLoad
from tests.e2e.cluster_site import ClusterSite
from tools.airgap.cluster import place
from tools.rows import Row, wall

ROUNDS = 3
MB = 1_000_000
UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "": 1}
METRICS_SECONDS = 90


def measure(folder: Path) -> Iterator[Row]:
    """Go once through the life of a stack."""
    cluster = Cluster()
    site = ClusterSite(folder, "numbers", cluster=cluster)
    try:
        site.make(web={"replicas": 2}, kubernetes={"edge_replicas": 2})
        yield from life(site.secrets())
    finally:
        site.close()
        sweep_namespaces()
        cluster.close()


def life(site: ClusterSite) -> Iterator[Row]:
    """Bring a stack up, leave it alone, release it, take it down."""
    up = "`python -m pipeline up STACK`"
    yield Row("first `up` on a running cluster, caches warm", wall(site.up().good().seconds), up)
    times = [site.up().good().seconds for _ in range(ROUNDS)]
    yield Row(f"nothing changed: `up` (median of {ROUNDS})", wall(statistics.median(times)), up)
    site.set_version("2.0.0")
    begun = time.monotonic()
    with first_seen(site, "2.0.0") as seen:
        site.up().good()
    yield Row(
        "a changed line of code to live (to the first answer; to the end of `up`)",
        f"{wall(seen[0] - begun)}; {wall(time.monotonic() - begun)}",
        f"change `VERSION` in `config/version.py`, then {up}",
    )
    with ClusterLoad(cluster=site.cluster, namespace=site.namespace, kinds=HEAVY) as load:
        for version in ("3.0.0", "3.0.1", "3.0.2"):
            site.set_version(version)
            site.up().good()
    yield Row(
        "failed requests in three releases under load, from inside the cluster through the edge",
        f"{len(load.failures)} of {load.requests}, {load.rate:.0f} requests/s: {load.summary()}",
        "`make numbers`; `tests/e2e/test_kubernetes_release.py` in small",
    )
    yield from memory(site)
    yield Row("everything away", wall(site.down().good().seconds), "`python -m pipeline down STACK`")


@contextlib.contextmanager
def first_seen(site: ClusterSite, version: str) -> Iterator[list[float]]:
    """Note when a version answers for the first time."""
    seen: list[float] = []
    end = threading.Event()

    def look() -> None:
        while not end.is_set() and not seen:
            with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
                if site.version()["version"] == version:
                    seen.append(time.monotonic())
            end.wait(0.1)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join(30)


def memory(site: ClusterSite) -> Iterator[Row]:
    """Add up what the processes of the node and the pods on it use."""
    how = "`make numbers`: `VmRSS` of each process that `make cluster` starts"
    parts = {path.stem: resident(path) for path in sorted(place.run().glob("*.json"))}
    listed = ", ".join(f"{name} {size / MB:.0f}" for name, size in sorted(parts.items(), key=lambda each: -each[1]))
    yield Row("memory of the cluster's own processes", f"{sum(parts.values()) / MB:.0f} MB ({listed})", how)
    wait("the stack's pods are measured", lambda: measured(site), METRICS_SECONDS, pause=2)
    by_namespace = working_sets(site.cluster)
    ours = by_namespace.pop(site.namespace)
    how = "`kubectl top pods -A`: their working sets"
    yield Row("memory of the cluster's own pods", f"{sum(by_namespace.values()) / MB:.0f} MB", how)
    yield Row("memory of the example: two web, two nginx, Postgres, Redis", f"{ours / MB:.0f} MB", how)


def resident(started: Path) -> float:
    """What a process has in memory, in bytes; 0 for one that is gone."""
    try:
        status = Path(f"/proc/{json.loads(started.read_text())['pid']}/status").read_text()
    except (OSError, ValueError, KeyError):
        return 0
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")] or ["VmRSS: 0 kB"]
    return int(line.split()[1]) * 1024


def working_sets(cluster: Cluster) -> dict[str, float]:
    """What the pods of each namespace have in memory, in bytes."""
    found: dict[str, float] = {}
    for pod in cluster.call("GET", f"{METRICS}/pods")["items"]:
        namespace = pod["metadata"]["namespace"]
        for each in pod["containers"]:
            number = each["usage"]["memory"]
            unit = number.lstrip("0123456789")
            found[namespace] = found.get(namespace, 0) + int(number.removesuffix(unit)) * UNITS[unit]
    return found


def measured(site: ClusterSite) -> bool:
    """Whether every pod of the stack that runs has been looked at."""
    running = {each["metadata"]["name"] for each in site.pods() if each["status"]["phase"] == "Running"}
    try:
        pods = site.cluster.call("GET", f"{METRICS}/namespaces/{site.namespace}/pods")["items"]
    except RefusedError:
        return False
    return {each["metadata"]["name"] for each in pods} >= running
