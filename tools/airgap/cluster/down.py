"""Taking the cluster down: everything that it has put on the machine goes, whatever state it is in.

Each step works when there is nothing to do, so that a second run finishes what a first could not. Docker, its
containers and the registry go on working; what was built stays in the cache.
"""

import contextlib
import ctypes
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from pipeline.console import PipelineError, problem
from tools.airgap.cluster import cgroups, enforcement, network, place, pods, processes, programs
from tools.airgap.cluster.addons import ADDONS
from tools.airgap.cluster.up import lock
from tools.bootstrapping import golang, places
from tools.bootstrapping.report import Report

MNT_DETACH = 2
KUBELET_LEAVES = (
    Path("/var/lib/kubelet/device-plugins"),
    Path("/var/lib/kubelet/plugins_registry"),
    Path("/var/lib/kubelet/checkpoints"),
)
"""What the kubelet makes outside of its own folder."""
EMPTY_AFTERWARDS = (
    *(
        "/var/lib/kubelet",
        "/var/lib/cni/results",
        "/var/lib/cni",
        "/var/log/containers",
        "/run/netns",
        "/run/containerd/s",
    ),
)


def down(report: Report) -> None:
    """Take it down."""
    if os.geteuid() != 0:
        raise problem("only root can take the cluster down", mend="sudo make cluster-down")
    if not place.root().exists():
        report.say("there is no cluster")
        return
    with lock(report):
        place.make()
        with report.step("pods") as step:
            processes.stopped("kubelet").stop(lambda _: None)  # it would start them again
            step.did("removed", _remove_pods(report))
        with report.step("processes") as step:
            _stop(*[name for name in processes.NAMES if name not in ("etcd", "containerd")])
            _stop("etcd", "containerd")
            pods.kill_rest()
            step.did("stopped")
        with report.step("traces") as step:
            for addon in ADDONS:
                addon.remove()
            _remove_mounts()
            network.remove()
            enforcement.remove()
            cgroups.remove()
            _remove_files()
            step.did("removed", "interfaces, rules, mounts, kernel settings, cgroups, data")
    report.say("the cluster is gone; its programs stay in the cache")


def _stop(*names: str) -> None:
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: processes.stopped(name).stop(lambda _: None), names))


def _remove_pods(report: Report) -> str:
    """Remove pods through containerd, which undoes what it did; start it for that if it is gone."""
    if not (place.data() / "containerd").exists():
        return "there were none"
    try:
        if golang.built(golang.KUBERNETES) and not processes.listens():
            processes.containerd(programs.ensure(report)).ensure(lambda _: None)
        pods.remove_all()
    except (PipelineError, grpc.RpcError, OSError):
        return "by force, since containerd does not answer"
    return "through containerd"


def _remove_mounts() -> None:
    """Unmount what is mounted in our folder, and the namespaces of pods that nobody else unmounts."""
    for path in pods.networks():
        _unmount(path)
        path.unlink(missing_ok=True)
    prefix = f"{place.root()}/"
    rows = Path("/proc/self/mounts").read_text().splitlines()
    found = [re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), row.split()[1]) for row in rows]
    for mounted in sorted((each for each in found if each.startswith(prefix)), reverse=True):
        _unmount(Path(mounted))


def _unmount(path: Path) -> None:
    ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(path), MNT_DETACH)


def _remove_files() -> None:
    for path in (*pods.stale(), *pods.sockets(), *_log_links()):
        path.unlink(missing_ok=True)
    if not Path("/var/lib/kubelet/config.yaml").exists():  # else another kubelet is installed here
        for folder in KUBELET_LEAVES:
            shutil.rmtree(folder, ignore_errors=True)
    for name in EMPTY_AFTERWARDS:
        with contextlib.suppress(OSError):
            Path(name).rmdir()
    places.remove(place.root())


def _log_links() -> list[Path]:
    """The kubelet's links to the logs of containers."""
    logs = f"{place.data()}/"
    return [
        path
        for path in Path("/var/log/containers").glob("*")
        if path.is_symlink() and str(path.readlink()).startswith(logs)
    ]
