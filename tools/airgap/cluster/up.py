"""Bringing the cluster up: every part in its order, each reused where it runs as it should."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pipeline.console import problem, seconds
from tools.airgap import registry
from tools.airgap.cluster import certificates, cgroups, images, kubeconfigs, network, place, processes, programs
from tools.airgap.cluster.addons import ADDONS, Addon
from tools.airgap.cluster.programs import Programs
from tools.airgap.daemon import Daemon, run_dir
from tools.bootstrapping import golang, places
from tools.bootstrapping.report import Report

NODE_SECONDS = 60.0
ADDON_SECONDS = 180.0
KUBECTL_SECONDS = 60.0


@contextmanager
def lock(report: Report) -> Iterator[None]:
    """Let one command at a time change the cluster. The lock outlives the folder that `down` removes."""
    with places.lock(run_dir() / "cluster.lock", report.say):
        yield


def up(report: Report) -> None:
    """Have the cluster up."""
    if os.geteuid() != 0:
        raise problem(
            "only root can start a cluster: it makes interfaces and containers",
            mend="sudo make cluster   # or use a cluster of yours: export KUBECONFIG=...",
        )
    start = time.monotonic()
    place.check()
    with lock(report):
        found = programs.ensure(report)
        _images(report)
        place.make()
        with report.step("certificates") as step:
            if certificates.ensure():
                step.did("made")
            kubeconfigs.write(kubeconfigs.ADMIN)
        with report.step("network") as step:
            step.detail = f"node {place.NODE_ADDRESS}, pods {place.POD_NETWORK}, services {place.SERVICE_NETWORK}"
            cgroups.ensure()
            if network.ensure():
                step.did("made")
        _processes(report, found)
        with report.step("node") as step:
            step.detail = f"{place.NODE}, ready"
            if wait_for_node():
                step.did("waited for")
        _start(report, processes.network_policies(found))
        _addons(report)
    report.console.say(f"  cluster up in {seconds(time.monotonic() - start)}")


def _images(report: Report) -> None:
    with report.step("cluster images") as step:
        registry.ensure(report.say)
        wanted = [images.PAUSE, *(image for addon in ADDONS for image in addon.images)]
        step.detail = f"{len(wanted)} in the registry of this machine"
        for tool in dict.fromkeys(image.tool for image in wanted):
            if golang.built(tool) is None:
                golang.build(tool, report)
                step.did("built")
        made = [image.reference for image in wanted if images.ensure(report, image)]
        if made and step.done == "reused":
            step.did("packed")


def _processes(report: Report, found: Programs) -> None:
    """Start what stores, then what serves, then everything that asks it: earlier ones of these end at once."""
    _start(report, processes.containerd(found), processes.etcd(found))
    _start(report, processes.apiserver(found))
    _start(
        report,
        processes.controller_manager(found),
        processes.scheduler(found),
        processes.kubelet(found),
        processes.kube_proxy(found),
    )


def _start(report: Report, *daemons: Daemon) -> None:
    with report.step(", ".join(each.name.removeprefix("kube-") for each in daemons)) as step:
        with ThreadPoolExecutor(len(daemons)) as pool:
            fresh = list(pool.map(lambda each: each.ensure(lambda _: None), daemons))
        if any(fresh):
            names = [each.name for each, started in zip(daemons, fresh, strict=True) if started]
            step.did("started", ", ".join(names) if len(names) < len(fresh) else "")


def wait_for_node() -> bool:
    """Wait until the node takes pods; whether it did not at once."""
    deadline = time.monotonic() + NODE_SECONDS
    waited = False
    while True:
        answer = kubectl("get", "node", place.NODE, "-o", "json", "--ignore-not-found", check=False)
        conditions = json.loads(answer.stdout)["status"].get("conditions", []) if answer.stdout.strip() else []
        ready = next((each for each in conditions if each["type"] == "Ready"), {"status": "?", "message": ""})
        if ready["status"] == "True":
            return waited
        if time.monotonic() > deadline:
            said = ready["message"] or answer.stderr.strip() or "it has not registered"
            raise problem(
                f"the node is not ready after {NODE_SECONDS:.0f} s: {said}",
                mend=f"tail {processes.stopped('kubelet').log}   # then: make cluster",
            )
        waited = True
        time.sleep(0.2)


def _addons(report: Report) -> None:
    kubectl(
        *("apply", "--server-side", "--force-conflicts", "--field-manager=slipway-cluster", "-f", "-"),
        text="\n---\n".join(addon.manifests() for addon in ADDONS),
    )
    for addon in ADDONS:
        with report.step(addon.name) as step:
            if _wait_for(addon):
                step.did("waited for")


def _wait_for(addon: Addon) -> bool:
    """Wait until what an addon runs is there in its newest version; whether it was not at once."""
    deadline = time.monotonic() + ADDON_SECONDS
    waited = False
    for each in addon.waits:
        namespace, kind, name = each.split("/")
        while not rolled_out(json.loads(kubectl("-n", namespace, "get", kind, name, "-o", "json").stdout)):
            if time.monotonic() > deadline:
                shown = kubectl("-n", namespace, "get", "pods,events", check=False).stdout
                raise problem(
                    f"{each} is not ready after {ADDON_SECONDS:.0f} s:\n{shown}",
                    mend=f"KUBECONFIG={place.kubeconfig()} kubectl -n {namespace} describe {kind} {name}",
                )
            waited = True
            time.sleep(0.2)
    return waited


def rolled_out(found: dict[str, Any]) -> bool:
    """Whether a Deployment or DaemonSet runs in its newest version alone."""
    spec, status, generation = found["spec"], found.get("status", {}), found["metadata"]["generation"]
    if status.get("observedGeneration", 0) < generation:
        return False
    if found.get("kind") == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        counts = ("updatedNumberScheduled", "numberAvailable")
        return wanted > 0 and all(status.get(name, 0) == wanted for name in counts)
    wanted = spec.get("replicas", 1)
    return all(status.get(name, 0) == wanted for name in ("replicas", "updatedReplicas", "availableReplicas"))


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Ask the cluster as its administrator."""
    line = [str(programs.kubectl()), "--kubeconfig", str(place.kubeconfig()), *arguments]
    done = subprocess.run(line, input=text, capture_output=True, text=True, check=False, timeout=KUBECTL_SECONDS)
    if check and done.returncode != 0:
        raise problem(
            f"`kubectl {' '.join(arguments[:4])}` failed: {done.stderr.strip()}",
            mend=f"tail {processes.stopped('kube-apiserver').log}   # then: make cluster",
        )
    return done
