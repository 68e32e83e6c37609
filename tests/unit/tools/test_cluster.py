"""The cluster: what its parts are told, what is taken off the host, and whose cluster is used. Nothing is started."""

import ipaddress
import json
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.console import PipelineError
from tools.airgap.cluster import (
    __main__ as command,
)
from tools.airgap.cluster import (
    addons,
    certificates,
    cgroups,
    down,
    images,
    kubeconfigs,
    network,
    place,
    pods,
    processes,
    programs,
    texts,
    theirs,
    up,
)
from tools.airgap.daemon import Daemon
from tools.bootstrapping import golang, places
from tools.bootstrapping.report import Report

FOUND = programs.Programs(
    kubernetes=Path("/built"),
    etcd=Path("/debian/etcd"),
    containerd=Path("/usr/bin/containerd"),
    runc=Path("/opt/runc/runc"),
    plugins=Path("/debian/cni"),
    policies=Path("/built/network-policies"),
)
DOCKERS = """\
*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -j RETURN
COMMIT
"""


@pytest.fixture
def cluster(clone: Path) -> Path:
    """Give the folder of a cluster that has its keys."""
    assert clone.parent.exists()
    place.make()
    certificates.ensure()
    return place.root()


# --- certificates and kubeconfigs


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("wanted", certificates.CERTIFICATES, ids=lambda each: each.name)
def test_each_certificate_is_signed_by_its_authority(wanted: certificates.Certificate) -> None:
    """It names whom it is for, holds for years, and its key is readable for its owner alone."""
    signed = x509.load_pem_x509_certificate(certificates.certificate(wanted.name).read_bytes())
    authority = x509.load_pem_x509_certificate(certificates.certificate(wanted.authority).read_bytes())
    signed.verify_directly_issued_by(authority)
    assert isinstance(signed.public_key(), ec.EllipticCurvePublicKey)
    subject = {each.rfc4514_attribute_name: each.value for each in signed.subject}
    assert subject["CN"] == wanted.subject
    assert subject.get("O") == (wanted.groups[0] if wanted.groups else None)
    assert (signed.not_valid_after_utc - signed.not_valid_before_utc).days >= 365 * certificates.YEARS
    assert certificates.key(wanted.name).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("cluster")
def test_servers_are_known_by_the_names_they_are_called() -> None:
    """The API server by its Service's names and address, the kubelet by the node's."""
    for name, called, address in (
        ("apiserver", "kubernetes.default.svc", place.SERVICE_ADDRESS),
        ("kubelet-server", place.NODE, place.NODE_ADDRESS),
    ):
        signed = x509.load_pem_x509_certificate(certificates.certificate(name).read_bytes())
        names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert called in names.get_values_for_type(x509.DNSName)
        assert ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)


@pytest.mark.usefixtures("cluster")
def test_keys_are_made_once() -> None:
    """A second run changes none of them; one that was interrupted is done again."""
    before = certificates.key("admin").read_bytes()
    assert not certificates.ensure()
    assert certificates.key("admin").read_bytes() == before
    (place.pki() / "complete").unlink()
    assert certificates.ensure()
    assert certificates.key("admin").read_bytes() != before


def test_a_kubeconfig_is_for_its_owner_alone(cluster: Path) -> None:
    """It names the server and holds a key."""
    path = kubeconfigs.write(kubeconfigs.ADMIN)
    assert path == cluster / "kubeconfig"
    assert path.stat().st_mode & 0o777 == 0o600
    content = yaml.safe_load(path.read_text())
    assert content["current-context"] == "slipway"
    assert content["clusters"][0]["cluster"]["server"] == "https://10.245.0.1:16443"
    assert cluster.stat().st_mode & 0o777 == 0o700


def test_a_path_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets have short paths."""
    monkeypatch.setenv("SLIPWAY_CACHE", f"/{'x' * 100}")
    with pytest.raises(PipelineError, match="too long for the kernel"):
        place.check()


# --- what processes are told


@pytest.mark.usefixtures("clone")
def test_containerd_is_told_in_toml() -> None:
    """It has places of its own, runs runc, and finds the plugins and the registries."""
    content = tomllib.loads(texts.containerd(FOUND.runc, FOUND.plugins))
    cri = content["plugins"]["io.containerd.grpc.v1.cri"]
    assert content["root"].startswith(str(place.data()))
    assert content["grpc"]["address"] == str(place.containerd_socket())
    assert cri["cni"]["bin_dir"] == "/debian/cni"
    assert cri["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == "/opt/runc/runc"
    assert cri["sandbox_image"] == images.PAUSE.reference


def test_official_names_are_asked_for_here_first() -> None:
    """docker.io and registry.k8s.io are tried on this machine, then where they are; pushed images here alone."""
    found = {name: tomllib.loads(text) for name, text in texts.hosts().items()}
    assert all(list(each["host"]) == ["http://127.0.0.1:5000"] for each in found.values())
    assert found["docker.io"]["server"] == "https://registry-1.docker.io"
    assert found["127.0.0.1:5000"]["server"] == "http://127.0.0.1:5000"


@pytest.mark.usefixtures("clone")
def test_the_kubelet_takes_orders_from_the_apiserver_alone() -> None:
    """No anonymous requests, no listener but on the node's own address, pods in a cgroup of ours."""
    content = json.loads(texts.kubelet())
    assert content["authentication"]["anonymous"] == {"enabled": False}
    assert content["address"] == place.NODE_ADDRESS
    assert content["cgroupRoot"] == f"/{cgroups.name()}"


def test_node_ports_answer_on_this_machine_alone() -> None:
    """Other machines do not reach what a test exposes."""
    content = json.loads(texts.kube_proxy(Path("/kubeconfig")))
    assert content["nodePortAddresses"] == ["127.0.0.0/8", place.NODE_NETWORK]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    "make",
    [
        *(processes.containerd, processes.etcd, processes.apiserver, processes.controller_manager),
        *(processes.scheduler, processes.kubelet, processes.kube_proxy),
    ],
    ids=lambda make: str(make.__name__),
)
def test_a_process_gets_nothing_of_the_shell(
    make: Callable[[programs.Programs], Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started with an environment of its own, kept with the cluster, and can be stopped by its name."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    made = make(FOUND)
    assert made.command[:2] == ("/usr/bin/env", "-i")
    assert not any("hidden" in word for word in made.command)
    assert made.log.parent == place.run()
    assert made.name in processes.NAMES
    assert processes.stopped(made.name).log == made.log


@pytest.mark.usefixtures("cluster")
def test_a_process_without_a_pid_file_is_known() -> None:
    """Who started it was killed before writing the file: it is stopped all the same, and a stranger of its name is not."""
    sleep = ["-c", "import time; time.sleep(60)"]
    with (
        subprocess.Popen(["kubelet", *sleep, f"--config={place.conf()}/x"], executable=sys.executable) as ours,
        subprocess.Popen(["kubelet", *sleep, "--config=/etc/kubernetes/x"], executable=sys.executable) as other,
    ):
        wait_for(lambda: processes.strays("kubelet") == [ours.pid])
        assert processes.strays("containerd") == []
        processes.stopped("kubelet").stop(lambda _: None)
        assert ours.wait(5) != 0
        assert other.poll() is None
        other.kill()


@pytest.mark.usefixtures("cluster")
def test_a_process_that_runs_twice_is_stopped_once() -> None:
    """The one that the pid file names goes on; the other ends."""
    line = (sys.executable, "-c", "import time; time.sleep(60)", f"{place.root()}/x")
    kept = processes.Process(Path(sys.executable).name, line, lambda: True, folder=place.run())
    assert kept.ensure(lambda _: None)
    pid = kept._running()
    with subprocess.Popen(line) as stray:
        wait_for(lambda: stray.pid in processes.strays(kept.name))
        assert not kept.ensure(lambda _: None)
        assert stray.wait(5) != 0
    assert kept._running() == pid
    kept.stop(lambda _: None)
    assert kept._running() is None


def wait_for(check: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.usefixtures("cluster")
def test_etcd_answers_only_who_has_a_certificate() -> None:
    """Every user of the machine reaches its port."""
    command_line = processes.etcd(FOUND).command
    assert "--client-cert-auth=true" in command_line
    assert not any("http://" in word for word in command_line)


@pytest.mark.usefixtures("clone")
def test_nobody_answers_where_there_is_no_cluster() -> None:
    """Asking for it is no error."""
    assert not processes.listens()
    assert not processes.answers(f"{place.SERVER}/readyz", certificates.CLUSTER)


def test_who_asks_gets_an_answer() -> None:
    """A process that listens but says nothing is not well."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not processes.healthy(port)
    assert not processes.healthy_tls(port)


# --- the host's network


def test_rules_of_others_stay() -> None:
    """Where there is nothing of ours, nothing is written."""
    assert network.removals(DOCKERS) == ""


def test_rules_of_the_cluster_go() -> None:
    """Ours and those that lead into its chains, then the chains; Docker's stay."""
    saved = DOCKERS.replace(
        "-A FORWARD -j DOCKER-USER\n",
        ":KUBE-FORWARD - [0:0]\n"
        "-A FORWARD -s 10.244.0.0/16 -m comment --comment slipway-cluster -j ACCEPT\n"
        '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD\n'
        "-A FORWARD -j DOCKER-USER\n"
        "-A KUBE-FORWARD -j ACCEPT\n",
    )
    assert network.removals(saved).splitlines() == [
        "*filter",
        "-D FORWARD -s 10.244.0.0/16 -m comment --comment slipway-cluster -j ACCEPT",
        '-D FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
        "-F KUBE-FORWARD",
        "-X KUBE-FORWARD",
        "COMMIT",
    ]


def test_our_own_rules_are_recognised() -> None:
    """Each rule that is added is one that is taken away."""
    for table, _, rule in network.rules():
        saved = f"*{table}\n-A {' '.join(rule)}\nCOMMIT\n"
        assert network.removals(saved) == f"*{table}\n-D {' '.join(rule)}\nCOMMIT\n"


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        ({"dst": "default", "dev": "eth0"}, False),
        ({"dst": "0.0.0.0/0", "dev": "eth0"}, False),
        ({"dst": "172.17.0.0/16", "dev": "docker0"}, False),
        ({"dst": "10.244.0.0/24", "dev": place.POD_BRIDGE}, False),
        ({"dst": "10.244.3.0/24", "dev": "flannel.1"}, True),
        ({"dst": "10.0.0.0/8", "dev": "vpn"}, True),
    ],
)
def test_addresses_of_others_are_seen(route: dict[str, str], *, taken: bool) -> None:
    """A VPN or another cluster on the same addresses is found; the way out and our own bridges are none."""
    wanted = (place.NODE_NETWORK, place.POD_NETWORK, place.SERVICE_NETWORK)
    assert network.overlaps([route], wanted) == ([(route["dst"], route["dev"])] if taken else [])


# --- cgroups and pods


@pytest.mark.usefixtures("clone")
def test_cgroups_of_one_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2: one folder, its members found in all depths, gone when they are."""
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    (tmp_path / "cgroup.controllers").write_text("cpu memory")
    (tmp_path / "cgroup.subtree_control").write_text("")
    cgroups.ensure()
    (folder,) = cgroups.folders()
    assert folder == tmp_path / cgroups.name()
    (folder / "kubepods" / "pod1").mkdir(parents=True)
    assert list(cgroups.members()) == []
    cgroups.remove()
    assert cgroups.folders() == []


@pytest.mark.usefixtures("clone")
def test_cgroups_of_each_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1: a folder for each, with the processors and memory of its parent; another kubelet's pods are not ours."""
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    for controller in ("cpuset", "memory"):
        (tmp_path / controller / "kubepods").mkdir(parents=True)
        for folder in (tmp_path / controller, tmp_path / controller / "kubepods"):
            (folder / "cgroup.procs").write_text("7\n")
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    folder = tmp_path / "cpuset" / cgroups.name()
    folder.mkdir()
    (folder / "cpuset.cpus").write_text("\n")
    cgroups.ensure()
    assert (folder / "cpuset.cpus").read_text() == "0-1\n"
    assert len(cgroups.folders()) == 2
    assert list(cgroups.members()) == []


def test_messages_of_containerd_are_read() -> None:
    """Texts of any length go there and back; other fields are passed over."""
    long = "x" * 300
    message = pods._text(1, "one") + b"\x10\x05" + b"\x1d\x00\x00\x00\x00" + pods._text(2, "no") + pods._text(1, long)
    assert pods._fields(message, 1) == [b"one", long.encode()]


def test_namespaces_of_pods_are_found_in_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours by the network's name; notes about a namespace that is gone are stale, others stay."""
    monkeypatch.setattr(pods, "RESULTS", tmp_path)

    def note(name: str, space: str) -> Path:
        (tmp_path / name).write_text(json.dumps({"result": {"interfaces": [{"name": "x"}, {"sandbox": space}]}}))
        return tmp_path / name

    ours = note("slipway-1-eth0", "/var/run/netns/cni-gone")
    odd = note("slipway-2-eth0", "/etc/passwd")
    loopback = note("cni-loopback-1-lo", "/var/run/netns/cni-gone")
    note("podman-1-eth0", str(tmp_path))
    (tmp_path / "podman-2-eth0").write_text("{")
    assert pods.networks() == [Path("/var/run/netns/cni-gone")]
    assert pods.stale() == sorted([ours, odd, loopback])


# --- images and addons


def test_an_image_is_known_by_its_official_name() -> None:
    """Its repository in the registry of this machine is the name without the host."""
    assert (addons.COREDNS.repository, addons.COREDNS.tag) == ("coredns/coredns", "v1.13.1")
    assert addons.LOCAL_PATH.repository == "rancher/local-path-provisioner"


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("addon", addons.ADDONS, ids=lambda addon: str(addon.name))
def test_an_addon_is_whole(addon: addons.Addon) -> None:
    """Its text is YAML, its images are those it brings, and what is waited for is in it."""
    objects = [each for each in yaml.safe_load_all(addon.manifests()) if each]
    there = {
        f"{each['metadata'].get('namespace')}/{each['kind'].lower()}/{each['metadata']['name']}" for each in objects
    }
    assert set(addon.waits) <= there
    workloads = [each["spec"]["template"]["spec"] for each in objects if each["kind"] in ("Deployment", "DaemonSet")]
    used = {container["image"] for pod in workloads for container in pod["containers"]}
    assert used == {image.reference for image in addon.images}


def test_nothing_of_the_cluster_is_built_for_a_stack() -> None:
    """`make up` builds what is in TOOLS, and none of it is the cluster's."""
    assert not set(golang.TOOLS) & set(golang.CLUSTER)


# --- commands

DEPLOYMENT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
DAEMONS = {"observedGeneration": 2, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1}


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        ("Deployment", DEPLOYMENT, True),
        ("Deployment", DEPLOYMENT | {"observedGeneration": 1}, False),
        ("Deployment", DEPLOYMENT | {"replicas": 3}, False),
        ("Deployment", {"observedGeneration": 2}, False),
        ("DaemonSet", DAEMONS, True),
        (
            "DaemonSet",
            DAEMONS | {"desiredNumberScheduled": 0, "updatedNumberScheduled": 0, "numberAvailable": 0},
            False,
        ),
        ("DaemonSet", DAEMONS | {"numberAvailable": 0}, False),
    ],
)
def test_what_counts_as_rolled_out(kind: str, status: dict[str, int], *, done: bool) -> None:
    """Only the newest version runs, all of it is available, and the controllers have seen what was asked for."""
    found = {"kind": kind, "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}
    assert up.rolled_out(found) == done


@pytest.mark.usefixtures("clone")
def test_whose_cluster_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KUBECONFIG first, then the usual file; ours is not the user's."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert theirs.kubeconfig() is None
    usual = tmp_path / "home" / ".kube" / "config"
    usual.parent.mkdir(parents=True)
    usual.touch()
    assert theirs.kubeconfig() == str(usual)
    monkeypatch.setenv("KUBECONFIG", "/own")
    assert theirs.kubeconfig() == "/own"
    monkeypatch.setenv("KUBECONFIG", str(place.kubeconfig()))
    assert theirs.kubeconfig() is None


@pytest.mark.parametrize("text", ["", "{", "{}", json.dumps({"apiVersion": "v1", "kind": "Config"})])
def test_a_kubeconfig_without_a_cluster_is_none(tmp_path: Path, text: str) -> None:
    """What cannot be read, or names nothing, does not keep a cluster from being made."""
    (tmp_path / "config").write_text(text)
    assert theirs.answers(str(tmp_path / "config")) is None


def test_a_cluster_that_does_not_answer_is_none(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is found out at once."""
    monkeypatch.setattr(place, "SERVER", "https://127.0.0.1:9")
    assert theirs.answers(str(kubeconfigs.write(kubeconfigs.ADMIN))) is None
    assert cluster.exists()


def test_the_users_cluster_is_used(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one answers, nothing is built, and it is said how to have another; asked for by name, one is made."""
    asked: list[str] = []
    monkeypatch.setenv("KUBECONFIG", "/own")
    monkeypatch.setattr(theirs, "answers", lambda _: "kind-kind, Kubernetes 1.33.0")
    monkeypatch.setattr(up, "up", lambda _: asked.append("up"))
    command.run(command.parse(["up"]), report)
    said = report.console.out.getvalue()  # type: ignore[attr-defined]  # the fixture's stream keeps what it is given
    assert "using your cluster: kind-kind, Kubernetes 1.33.0 (/own). Nothing is built or started." in said
    assert "make cluster OWN=1" in said
    assert asked == []
    command.run(command.parse(["up", "--own"]), report)
    assert asked == ["up"]


def test_down_without_a_cluster_says_so(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no error, and nothing is touched."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(network, "remove", lambda: pytest.fail("nothing is to be removed"))
    down.down(report)
    assert "there is no cluster" in report.console.out.getvalue()  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize(("do", "said"), [(up.up, "only root can start"), (down.down, "only root can take")])
def test_only_root_may(
    do: Callable[[Report], None], said: str, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are told, and what they can do instead."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PipelineError, match=said) as caught:
        do(report)
    assert "sudo make cluster" in str(caught.value)


@pytest.mark.usefixtures("clone")
def test_a_problem_is_a_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 1 and without a traceback."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command.main(["down"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: only root")
    assert "Traceback" not in said


# --- programs


def test_debians_packages_are_unpacked_and_not_installed(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing etcd would start a service: its archive is fetched and opened, and nothing else is asked of apt."""
    asked: list[str] = []

    def apt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        asked.append(arguments[0])
        if asked.count("download") == 2:
            (folder / "etcd.deb").touch()
            return subprocess.CompletedProcess(arguments, 0, "", "")
        return subprocess.CompletedProcess(arguments, 100, "", "no such package")

    monkeypatch.setattr(programs, "_apt", apt)
    monkeypatch.setattr(subprocess, "run", lambda line, **_: asked.append(line[0]))
    programs._unpack(report, "etcd-server")
    assert asked == ["download", "update", "download", "dpkg-deb"]
    assert [path.name for path in programs._folder("etcd-server").iterdir()] == []


@pytest.mark.usefixtures("clone")
def test_a_package_that_cannot_be_had_is_named(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what apt said, and nothing half unpacked."""
    refused = subprocess.CompletedProcess([], 100, "", "E: Unable to locate package")
    monkeypatch.setattr(programs, "_apt", lambda *_: refused)
    with pytest.raises(PipelineError, match=r"Debian's package etcd-server cannot be had: E: Unable to locate package"):
        programs._unpack(report, "etcd-server")
    assert not programs._folder("etcd-server").exists()


@pytest.mark.usefixtures("clone")
def test_kubectl_that_is_not_built_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that builds it."""
    monkeypatch.setattr(golang, "built", lambda _: None)
    with pytest.raises(PipelineError, match="make cluster"):
        programs.kubectl()


def test_places_are_those_of_the_clone(clone: Path) -> None:
    """The fixture that all of these use does point away from this machine's cluster."""
    assert place.root().is_relative_to(clone.parent)
    assert places.BIN.is_relative_to(clone)
