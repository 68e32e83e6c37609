"""The cluster of ``make cluster``: up, used, killed, up again, and down without a trace.

It is made on a machine of its own inside this one, beside the cluster that this machine may have.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.machine import Machine, Traces
from tools.airgap.cluster import processes

pytestmark = pytest.mark.docker

SITE = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: pages}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: site}
spec:
  selector: {matchLabels: {app: site}}
  template:
    metadata: {labels: {app: site}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: nginx
          image: nginx:1.26
          command: [sh, -c, "test -f /pages/index.html || date > /pages/index.html; exec nginx -g 'daemon off;'"]
          volumeMounts: [{name: pages, mountPath: /pages}, {name: pages, mountPath: /usr/share/nginx/html}]
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
      volumes: [{name: pages, persistentVolumeClaim: {claimName: pages}}]
---
apiVersion: v1
kind: Service
metadata: {name: site}
spec: {type: NodePort, selector: {app: site}, ports: [{port: 80, nodePort: 30080}]}
"""
ANSWER_SECONDS = 60
LATE_SECONDS = 5
"""How long a command may take to end that the killed one had started."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Give a machine with a registry, as a bootstrap leaves it."""
    made = Machine(tmp_path_factory.mktemp("m"))
    try:
        made.said("python", "-c", "from tools.airgap import registry; registry.ensure(print)")
        yield made
    finally:
        made.cluster("down")
        made.close()


@pytest.fixture(scope="module")
def before(machine: Machine) -> Traces:
    """Look at the machine before there was ever a cluster."""
    return machine.traces()


@pytest.fixture
def up(machine: Machine, before: Traces) -> Traces:
    """Have the cluster up; how the machine was before."""
    machine.cluster("up", "--own").good()
    return before


def page(machine: Machine) -> str:
    """Ask for the page of the site until it answers."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        done = machine.run("curl", "-sf", "-m", "2", "http://127.0.0.1:30080/")
        if done.code == 0 or time.monotonic() > deadline:
            return done.good().text
        time.sleep(0.2)


def assert_nothing_left(machine: Machine, before: Traces) -> None:
    """Compare part by part, so that a failure names what was left."""
    deadline = time.monotonic() + LATE_SECONDS
    while (after := machine.traces()).processes != before.processes and time.monotonic() < deadline:
        time.sleep(0.2)
    for part in vars(before):
        assert getattr(after, part) == getattr(before, part), part


@pytest.mark.usefixtures("up")
def test_a_site_runs_on_it(machine: Machine) -> None:
    """The node is ready in the right version, a claim is bound, a pod serves a page, and names are resolved."""
    nodes = json.loads(machine.kubectl("get", "nodes", "-o", "json").good().text)["items"]
    assert [node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes] == ["v1.34.1"]
    assert "Server Version: v1.34.1" in machine.kubectl("version").good().text
    assert (machine.cache / "cluster" / "kubeconfig").stat().st_mode & 0o777 == 0o600
    machine.kubectl("apply", "-f", "-", text=SITE).good()
    machine.kubectl("rollout", "status", "deployment/site", "--timeout=120s").good()
    assert page(machine)
    inside = ("exec", "deployment/site", "--", "sh", "-ec", "getent hosts site kubernetes.default")
    assert machine.kubectl(*inside).good().text.count("cluster.local") == 2


@pytest.mark.usefixtures("up")
def test_a_second_up_changes_nothing(machine: Machine) -> None:
    """It takes seconds, starts nothing again, and says how to use the cluster."""
    before = {name: machine.pids(name) for name in processes.NAMES}
    again = machine.cluster("up", "--own").good()
    assert {name: machine.pids(name) for name in processes.NAMES} == before
    assert again.seconds < 10
    assert f"export KUBECONFIG={machine.cache}/cluster/kubeconfig" in again.text
    assert "started" not in again.text


@pytest.mark.usefixtures("up")
def test_it_comes_back_after_every_process_was_killed(machine: Machine) -> None:
    """After kill -9 of all of them at once, another up brings the same cluster with its data."""
    machine.kubectl("apply", "-f", "-", text=SITE).good()
    machine.kubectl("rollout", "status", "deployment/site", "--timeout=120s").good()
    said = page(machine)
    for name in processes.NAMES:
        machine.said("kill", "-KILL", *machine.pids(name))
    machine.cluster("up", "--own").good()
    assert page(machine) == said
    machine.kubectl("rollout", "status", "deployment/site", "--timeout=120s").good()
    assert all(len(machine.pids(name)) == 1 for name in processes.NAMES)


def test_down_leaves_nothing(machine: Machine, up: Traces) -> None:
    """Processes, interfaces, rules, mounts, kernel settings, cgroups and files are what they were before."""
    machine.cluster("down").good()
    assert_nothing_left(machine, up)
    assert "there is no cluster" in machine.cluster("down").good().text


def test_down_after_a_crash_leaves_nothing(machine: Machine, up: Traces) -> None:
    """Also when containerd and the kubelet are dead, and pods still run."""
    for name in processes.NAMES:
        machine.said("kill", "-KILL", *machine.pids(name))
    assert machine.pids("coredns")
    machine.cluster("down").good()
    assert_nothing_left(machine, up)


@pytest.mark.parametrize("seconds", [0.8, 3.0, 6.0])
def test_down_of_half_a_cluster_leaves_nothing(machine: Machine, before: Traces, seconds: float) -> None:
    """Also when up was killed on its way."""
    line = machine.line("python", "-m", "tools.airgap.cluster", "up", "--own")
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    machine.run("pkill", "-KILL", "-f", "tools.airgap.cluster up")  # inside, where there is no other
    machine.cluster("down").good()
    assert_nothing_left(machine, before)


def test_bad_addresses_are_refused(machine: Machine, before: Traces) -> None:
    """Where the machine reaches the cluster's addresses otherwise, nothing is started and the route is named."""
    machine.said("ip", "link", "add", "vpn", "type", "bridge")
    machine.said("ip", "address", "add", "10.244.7.1/24", "dev", "vpn")
    machine.said("ip", "link", "set", "vpn", "up")
    try:
        refused = machine.cluster("up", "--own").bad()
        assert "10.244.7.0/24 through vpn" in refused.text
        assert machine.pids("etcd") == []
    finally:
        machine.said("ip", "link", "delete", "vpn")
    machine.cluster("down").good()
    assert_nothing_left(machine, before)
