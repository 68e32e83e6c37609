"""Where the cluster is: its folder, its addresses, its ports and its names.

All of it lies in one folder of the cache. The addresses are those of a network that exists on this machine alone;
the node's name is fixed, so that a machine that is renamed keeps its cluster.
"""

import os
from pathlib import Path

from pipeline.console import problem
from tools.airgap import cache_dir

NODE = "slipway"
CONTEXT = "slipway"
DOMAIN = "cluster.local"

NODE_BRIDGE, POD_BRIDGE = "slipway-node", "slipway-pods"
NODE_ADDRESS, NODE_NETWORK = "10.245.0.1", "10.245.0.0/24"
POD_NETWORK, POD_RANGE = "10.244.0.0/16", "10.244.0.0/24"
SERVICE_NETWORK, SERVICE_ADDRESS, DNS_ADDRESS = "10.96.0.0/16", "10.96.0.1", "10.96.0.10"

API_PORT = 16443
ETCD_PORT, ETCD_PEER_PORT = 12379, 12380
KUBELET_PORT, KUBELET_HEALTH_PORT = 10250, 10248
MANAGER_PORT, SCHEDULER_PORT = 10257, 10259
PROXY_HEALTH_PORT, PROXY_METRICS_PORT = 10256, 10249
POLICIES_HEALTH_PORT = 20244

SERVER = f"https://{NODE_ADDRESS}:{API_PORT}"

_LONGEST_SOCKET_PATH = 107  # sockaddr_un
_LONGEST_SUFFIX = "run/containerd.sock.ttrpc"


def root() -> Path:
    """The folder of the cluster."""
    return cache_dir() / "cluster"


def run() -> Path:
    """Pid files, sockets and logs of its processes."""
    return root() / "run"


def data() -> Path:
    """What it stores: etcd, images, pods, volumes."""
    return root() / "data"


def pki() -> Path:
    """Its keys and certificates."""
    return root() / "pki"


def conf() -> Path:
    """What its processes are told."""
    return root() / "conf"


def kubeconfig() -> Path:
    """How a person or a program gets in, as administrator."""
    return root() / "kubeconfig"


def containerd_socket() -> Path:
    """Where containerd answers."""
    return run() / "containerd.sock"


def check() -> None:
    """Refuse a cache whose path is too long for a socket in it."""
    if len(os.fsencode(root() / _LONGEST_SUFFIX)) > _LONGEST_SOCKET_PATH:
        raise problem(
            f"the path of the cluster's sockets is too long for the kernel: {root() / _LONGEST_SUFFIX}",
            allowed=f"{_LONGEST_SOCKET_PATH} bytes",
            mend="export SLIPWAY_CACHE=/var/cache/slipway",
        )


def make() -> None:
    """Make the folders. Nobody else may look into them: there are keys in them."""
    root().mkdir(parents=True, exist_ok=True)
    root().chmod(0o700)
    for folder in (run(), data(), pki(), conf(), data() / "volumes", data() / "kubelet", data() / "plugins"):
        folder.mkdir(parents=True, exist_ok=True)
