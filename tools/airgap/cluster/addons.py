"""What runs on the cluster from the start: name resolution, volumes, metrics, and what others add to ``ADDONS``.

An addon is a text of manifests and the images in it. It is applied by every `make cluster`, which brings back what
somebody took away, and waited for.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.airgap.cluster import images, place
from tools.airgap.cluster.images import Image
from tools.bootstrapping import golang

MANIFESTS = Path(__file__).parent / "manifests"


@dataclass(frozen=True)
class Addon:
    """Something that runs on the cluster.

    Attributes:
        name: What it is called in the progress.
        manifests: Makes the YAML text that is applied.
        images: What it needs in the registry.
        waits: What must be rolled out before the cluster counts as up: ``NAMESPACE/KIND/NAME``.
        remove: Takes away what it left on the host, after its pods are gone. Must work when nothing is there.
    """

    name: str
    manifests: Callable[[], str]
    images: tuple[Image, ...]
    waits: tuple[str, ...]
    remove: Callable[[], None] = lambda: None


def manifest(name: str, **values: str) -> str:
    """Read a text of ``manifests/`` and put the values where it says ``${name}``."""
    return string.Template((MANIFESTS / f"{name}.yaml").read_text()).substitute(values)


COREDNS = images.simple(f"registry.k8s.io/coredns/coredns:{golang.COREDNS.version[1]}", golang.COREDNS, "coredns")
METRICS_SERVER = images.simple(
    f"registry.k8s.io/metrics-server/metrics-server:{golang.METRICS_SERVER.version[1]}",
    golang.METRICS_SERVER,
    "metrics-server",
)
LOCAL_PATH = images.simple(
    f"docker.io/rancher/local-path-provisioner:{golang.LOCAL_PATH.version[1]}",
    golang.LOCAL_PATH,
    "local-path-provisioner",
)

ADDONS: tuple[Addon, ...] = (
    Addon(
        "coredns",
        lambda: manifest("coredns", image=COREDNS.reference, domain=place.DOMAIN, address=place.DNS_ADDRESS),
        (COREDNS,),
        ("kube-system/deployment/coredns",),
    ),
    Addon(
        "local-path",
        lambda: manifest(
            "local-path",
            image=LOCAL_PATH.reference,
            folder=str(place.data() / "volumes"),
            helper="docker.io/library/debian:trixie-slim",
        ),
        (LOCAL_PATH,),
        ("local-path-storage/deployment/local-path-provisioner",),
    ),
    Addon(
        "metrics-server",
        lambda: manifest("metrics-server", image=METRICS_SERVER.reference),
        (METRICS_SERVER,),
        ("kube-system/deployment/metrics-server",),
    ),
)
