"""The programs of the cluster: which are built, which Debian has, and where they lie.

Debian's packages of etcd and of the CNI plugins are unpacked, not installed: installing the first would start a
service. iptables and ip are installed where they are missing, since they are tools and no services.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap import cache_dir
from tools.bootstrapping import debian, golang, places
from tools.bootstrapping.report import Report

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UNPACKED = {"etcd-server": "usr/bin/etcd", "containernetworking-plugins": "usr/lib/cni/bridge"}
RUNTIME = {"containerd": "usr/bin/containerd", "runc": "usr/sbin/runc"}
TOOLS = {"iptables": "iptables", "ip": "iproute2", "ipset": "ipset"}
APT_SECONDS = 300


@dataclass(frozen=True)
class Programs:
    """Where they are.

    Attributes:
        kubernetes: The folder of those that are built from Kubernetes' own module.
        policies: What enforces NetworkPolicies.
        etcd: The database.
        containerd: The container runtime.
        runc: What starts a container.
        plugins: The folder of the CNI plugins.
    """

    kubernetes: Path
    policies: Path
    etcd: Path
    containerd: Path
    runc: Path
    plugins: Path


def search() -> str:
    """Where programs are looked for: what the user has, and where Debian keeps those of an administrator."""
    return f"{os.environ.get('PATH', '')}:{SYSTEM}"


def variables(found: Programs) -> dict[str, str]:
    """Give the environment of the cluster's processes: nothing of the shell that starts them."""
    folders = dict.fromkeys([str(found.runc.parent), str(found.containerd.parent), *SYSTEM.split(":")])
    return {"PATH": ":".join(folders), "HOME": "/root", "LANG": "C.UTF-8"}


def network_variables() -> dict[str, str]:
    """Give what a process needs that fetches from elsewhere: proxies and certificates of the user's."""
    wanted = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    return {name: value for name, value in sorted(os.environ.items()) if name.upper() in wanted}


def kubectl() -> Path:
    """Where the command line lies."""
    built = golang.built(golang.KUBERNETES)
    if built is None:
        raise problem("kubectl is not built", mend="make cluster")
    return built / "kubectl"


def ensure(report: Report) -> Programs:
    """Bring all of them."""
    with report.step("kubernetes") as step:
        step.detail = golang.KUBERNETES.version[1]
        before = golang.built(golang.KUBERNETES)
        kubernetes = golang.build(golang.KUBERNETES, report)
        policies = golang.build(golang.NETWORK_POLICIES, report)
        if before is None:
            step.did("built")
        places.place(kubernetes / "kubectl", places.BIN / "kubectl")
    with report.step("debian packages") as step:
        step.detail = "etcd, CNI plugins, containerd, runc, iptables"
        missing = [package for name, package in TOOLS.items() if shutil.which(name, path=search()) is None]
        if missing:
            debian.install(report, missing, why=f"{' and '.join(missing)} are missing")
            step.did("installed")
        files = {}
        for package, path in (UNPACKED | RUNTIME).items():
            found = shutil.which(Path(path).name, path=search()) if package in RUNTIME else None
            if found is None and not (_folder(package) / path).exists():
                _unpack(report, package)
                step.did("unpacked")
            files[package] = Path(found) if found else _folder(package) / path
    return Programs(
        kubernetes,
        policies / golang.NETWORK_POLICIES.name,
        files["etcd-server"],
        files["containerd"],
        files["runc"],
        files["containernetworking-plugins"].parent,
    )


def _folder(package: str) -> Path:
    return cache_dir() / "tools" / f"debian-{package}"


def _unpack(report: Report, package: str) -> None:
    """Take the files of a package, without its services."""
    report.say(f"taking {package} from its Debian package")
    with (
        places.lock(cache_dir() / "tools" / f"debian-{package}.lock", report.say),
        places.folder_in_one_piece(_folder(package)) as folder,
    ):
        got = _apt(folder, "download", package)
        if got.returncode != 0:
            _apt(folder, "update", "-qq")
            got = _apt(folder, "download", package)
        archives = list(folder.glob("*.deb"))
        if not archives:
            raise problem(
                f"Debian's package {package} cannot be had: {got.stderr.strip()}",
                mend=f"apt-get update && apt-get download {package}",
            )
        subprocess.run(["dpkg-deb", "-x", str(archives[0]), str(folder)], check=True, timeout=60)
        archives[0].unlink()


def _apt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = ["apt-get", "-o", "APT::Sandbox::User=root", *arguments]  # the folder is root's alone
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False, timeout=APT_SECONDS)
