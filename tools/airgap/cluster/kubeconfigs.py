"""The files that say how to reach the cluster and as whom, one for each of its users."""

import base64
import json
from pathlib import Path

from tools.airgap.cluster import certificates, place
from tools.bootstrapping import places

USERS = ("controller-manager", "scheduler", "kube-proxy", "kubelet")
ADMIN = "admin"


def path(user: str) -> Path:
    """Where a user's file lies."""
    return place.kubeconfig() if user == ADMIN else place.conf() / f"{user}.kubeconfig"


def text(user: str) -> str:
    """Write a user's file. JSON is YAML."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": place.CONTEXT,
                "cluster": {
                    "server": place.SERVER,
                    "certificate-authority-data": _encoded(certificates.certificate(certificates.CLUSTER)),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _encoded(certificates.certificate(user)),
                    "client-key-data": _encoded(certificates.key(user)),
                },
            }
        ],
        "contexts": [{"name": place.CONTEXT, "context": {"cluster": place.CONTEXT, "user": user}}],
        "current-context": place.CONTEXT,
    }
    return json.dumps(content, indent=1) + "\n"


def write(user: str) -> Path:
    """Write a user's file, which holds a key: nobody else may read it."""
    places.write(path(user), text(user), 0o600)
    return path(user)


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
