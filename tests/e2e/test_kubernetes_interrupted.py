"""Stopping an ``up`` on the cluster, and killing it: the next one completes, and a preview needs no cluster."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster import nodes, wait
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.test_interrupted import Output, children

pytestmark = pytest.mark.cluster

MOMENT = "kubernetes:apps/v1:StatefulSet postgres"
"""The first object that takes a while; the line that says that it is being made has this in it."""


@pytest.fixture
def site(make_cluster_site: Callable[..., ClusterSite], request: pytest.FixtureRequest) -> Iterator[ClusterSite]:
    """A stack for one test."""
    site = make_cluster_site(request.node.name.removeprefix("test_").replace("_", "-")[:12].strip("-")).secrets()
    with nodes():
        yield site
    site.close()


def completes(site: ClusterSite) -> None:
    """The next ``up`` goes through, nothing of the one before is left over, and everything goes at the end."""
    site.up().good()
    assert site.ask().status == 200
    assert len(site.serving()) == 1
    jobs = [name for name in site.cluster.everything(site.namespace) if name.startswith("jobs/")]
    assert len(jobs) == 3, jobs
    site.down().good()
    wait("nothing is left", lambda: not site.things(), 60)


def test_ctrl_c(site: ClusterSite) -> None:
    """What is under way is finished or given up, no lock is left, and the same command goes on from there."""
    with subprocess.Popen(
        ["python", "-m", "pipeline", "up", site.stack],
        cwd=site.root,
        env=site.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        output = Output(process)
        output.wait_for(MOMENT)
        os.killpg(process.pid, signal.SIGINT)
        code = output.end()

    assert code == 130
    assert "Traceback" not in output.text
    assert "Stopped. The same command again goes on from here." in output.text
    assert not list((site.state / ".pulumi/locks").rglob("*.json"))
    completes(site)


def test_kill_of_everything(site: ClusterSite) -> None:
    """Power goes off while objects are made: the lock is taken away, and what nobody knows of is adopted."""
    with site.start("python", "-m", "pipeline", "up", site.stack) as process:
        output = Output(process)
        output.wait_for(MOMENT)
        for pid in [process.pid, *children(process.pid)]:
            os.kill(pid, signal.SIGKILL)
        output.end()

    assert list((site.state / ".pulumi/locks").rglob("*.json"))
    completes(site)


def test_a_preview_without_a_cluster(site: ClusterSite) -> None:
    """It says what would be created, and changes nothing; `up` says that the cluster is not there, and changes nothing."""
    nowhere = site.kubeconfig("nowhere", cluster={"server": "https://127.0.0.1:1"})

    preview = site.pipeline("preview", site.stack, KUBECONFIG=str(nowhere)).good().text

    assert re.search(r"\d+ to create", preview)
    for kind in ("Namespace", "StatefulSet", "Deployment", "Job", "NetworkPolicy", "PersistentVolumeClaim"):
        assert kind in preview
    assert site.things() == []
