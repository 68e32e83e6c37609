"""The cluster's processes: what each is started with, and how it is known to answer.

Each is a daemon of `tools.airgap.daemon`: started once, recognised, started anew when what it is told changes.
The order is `up`'s business.
"""

import contextlib
import http.client
import os
import platform
import signal
import socket
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.airgap import Say
from tools.airgap.cluster import certificates, enforcement, kubeconfigs, place, programs, texts
from tools.airgap.cluster.programs import Programs
from tools.airgap.daemon import Daemon, locked
from tools.bootstrapping import places

NAMES = (
    "network-policies",
    "kube-proxy",
    "kubelet",
    "kube-scheduler",
    "kube-controller-manager",
    "kube-apiserver",
    "etcd",
    "containerd",
)
"""In the order in which they are stopped."""

ETCD = f"https://127.0.0.1:{place.ETCD_PORT}"
ENV = "/usr/bin/env"
ANSWER_SECONDS = 2.0
START_SECONDS = 90.0
PATIENCE = {"etcd": 10.0, "containerd": 10.0}
"""Who gets time to write what it holds. The others hold nothing, and some of them take their time to end."""
IMPATIENT = 2.0


class Process(Daemon):
    """A daemon that also knows itself where its pid file is missing: whoever started it was killed before writing it."""

    def ensure(self, say: Say) -> bool:
        """Start it unless it runs as it should, and once."""
        with locked(self.name, self.folder):
            known = self._running()
            self._end_strays(int(str(known["pid"])) if known else None)
        return super().ensure(say)

    def stop(self, say: Say) -> None:
        """Stop it if it runs."""
        super().stop(say)
        self._end_strays(None)

    def _end_strays(self, known: int | None) -> None:
        for pid in strays(self.name):
            if known is None:
                self._stop(pid)
            elif pid != known:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def strays(name: str) -> list[int]:
    """Find processes by what they are called and told: no other's are told of a file in our folder."""
    ours = f"{place.root()}/".encode()
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = file.read_bytes().split(b"\0")
            begun = words if words[0] == ENV.encode() else words[:1]  # env becomes the program that it starts
            called = {word.rpartition(b"/")[2] for word in begun}
            if name.encode() in called and any(ours in word for word in words[1:]):
                found.append(int(file.parent.name))
    return found


def stopped(name: str) -> Process:
    """Give a process as it is known by its pid file alone: enough to stop it."""
    patience = PATIENCE.get(name, IMPATIENT)
    return Process(name, (), lambda: False, seconds=START_SECONDS, patience=patience, folder=place.run())


def containerd(found: Programs) -> Daemon:
    """Run containers."""
    config = texts.containerd(found.runc, found.plugins)
    file = place.conf() / "containerd.toml"
    places.write(file, config)
    for name, text in texts.hosts().items():
        places.write(texts.registries() / name / "hosts.toml", text)
    places.write(texts.networks() / "10-slipway.conflist", texts.network())
    line = [str(found.containerd), "--config", str(file)]
    return _daemon(found, "containerd", line, listens, config, environment=programs.network_variables())


def etcd(found: Programs) -> Daemon:
    """Keep what the API server stores. Only who has a certificate may ask: other users of the machine reach the port."""
    peer = f"https://127.0.0.1:{place.ETCD_PEER_PORT}"
    server, authority = _pair("etcd"), str(certificates.certificate(certificates.ETCD))
    line = [
        str(found.etcd),
        *_options(
            {
                "name": place.NODE,
                "data-dir": str(place.data() / "etcd"),
                "listen-client-urls": ETCD,
                "advertise-client-urls": ETCD,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": f"{place.NODE}={peer}",
                "cert-file": server[0],
                "key-file": server[1],
                "trusted-ca-file": authority,
                "client-cert-auth": "true",
                "peer-cert-file": server[0],
                "peer-key-file": server[1],
                "peer-trusted-ca-file": authority,
                "peer-client-cert-auth": "true",
                "log-level": "warn",
                "logger": "zap",
            }
        ),
    ]
    return _daemon(
        found,
        "etcd",
        line,
        lambda: answers(f"{ETCD}/health", certificates.ETCD, "apiserver-etcd"),
        environment={"ETCD_UNSUPPORTED_ARCH": platform.machine().replace("aarch64", "arm64")},  # what 3.4 calls arm
    )


def apiserver(found: Programs) -> Daemon:
    """Serve the API."""
    server, client, storage = _pair("apiserver"), _pair("apiserver-kubelet"), _pair("apiserver-etcd")
    proxy = _pair("front-proxy")
    authority = str(certificates.certificate(certificates.CLUSTER))
    line = [
        str(found.kubernetes / "kube-apiserver"),
        *_options(
            {
                "etcd-servers": ETCD,
                "etcd-cafile": str(certificates.certificate(certificates.ETCD)),
                "etcd-certfile": storage[0],
                "etcd-keyfile": storage[1],
                "bind-address": place.NODE_ADDRESS,
                "advertise-address": place.NODE_ADDRESS,
                "secure-port": str(place.API_PORT),
                "tls-cert-file": server[0],
                "tls-private-key-file": server[1],
                "client-ca-file": authority,
                "kubelet-client-certificate": client[0],
                "kubelet-client-key": client[1],
                "kubelet-certificate-authority": authority,
                "kubelet-preferred-address-types": "InternalIP",
                "authorization-mode": "Node,RBAC",
                "enable-admission-plugins": "NodeRestriction",
                "service-account-issuer": f"https://kubernetes.default.svc.{place.DOMAIN}",
                "service-account-key-file": str(certificates.public_key(certificates.ACCOUNTS)),
                "service-account-signing-key-file": str(certificates.key(certificates.ACCOUNTS)),
                "service-cluster-ip-range": place.SERVICE_NETWORK,
                "service-node-port-range": "30000-32767",
                "allow-privileged": "true",
                "requestheader-client-ca-file": str(certificates.certificate(certificates.FRONT_PROXY)),
                "requestheader-allowed-names": "front-proxy-client",
                "requestheader-extra-headers-prefix": "X-Remote-Extra-",
                "requestheader-group-headers": "X-Remote-Group",
                "requestheader-username-headers": "X-Remote-User",
                "proxy-client-cert-file": proxy[0],
                "proxy-client-key-file": proxy[1],
                "enable-aggregator-routing": "true",
                "v": "1",
            }
        ),
    ]
    # not /livez: before the roles are there, the controller manager is refused and ends
    return _daemon(found, "kube-apiserver", line, lambda: answers(f"{place.SERVER}/readyz", certificates.CLUSTER))


def controller_manager(found: Programs) -> Daemon:
    """Run the controllers."""
    authority = _pair(certificates.CLUSTER)
    line = [
        str(found.kubernetes / "kube-controller-manager"),
        *_options(
            {
                **_identity("controller-manager"),
                "secure-port": str(place.MANAGER_PORT),
                "cluster-cidr": place.POD_NETWORK,
                "allocate-node-cidrs": "true",
                "service-cluster-ip-range": place.SERVICE_NETWORK,
                "cluster-signing-cert-file": authority[0],
                "cluster-signing-key-file": authority[1],
                "root-ca-file": authority[0],
                "service-account-private-key-file": str(certificates.key(certificates.ACCOUNTS)),
                "use-service-account-credentials": "true",
                "flex-volume-plugin-dir": str(place.data() / "plugins"),
            }
        ),
    ]
    return _daemon(found, "kube-controller-manager", line, lambda: healthy_tls(place.MANAGER_PORT))


def scheduler(found: Programs) -> Daemon:
    """Give pods their node."""
    options = _options({**_identity("scheduler"), "secure-port": str(place.SCHEDULER_PORT)})
    line = [str(found.kubernetes / "kube-scheduler"), *options]
    return _daemon(found, "kube-scheduler", line, lambda: healthy_tls(place.SCHEDULER_PORT))


def kubelet(found: Programs) -> Daemon:
    """Run the pods of this node."""
    file = place.conf() / "kubelet.yaml"
    places.write(file, texts.kubelet())
    line = [
        str(found.kubernetes / "kubelet"),
        *_options(
            {
                "config": str(file),
                "kubeconfig": str(kubeconfigs.write("kubelet")),
                "root-dir": str(place.data() / "kubelet"),
                "hostname-override": place.NODE,
                "node-ip": place.NODE_ADDRESS,
                "v": "0",  # one is ten lines for each pod
            }
        ),
    ]
    return _daemon(found, "kubelet", line, lambda: healthy(place.KUBELET_HEALTH_PORT), texts.kubelet())


def kube_proxy(found: Programs) -> Daemon:
    """Turn Services into rules."""
    file = place.conf() / "kube-proxy.yaml"
    config = texts.kube_proxy(kubeconfigs.write("kube-proxy"))
    places.write(file, config)
    line = [str(found.kubernetes / "kube-proxy"), *_options({"config": str(file), "v": "1"})]
    return _daemon(found, "kube-proxy", line, lambda: healthy(place.PROXY_HEALTH_PORT), config)


def network_policies(found: Programs) -> Daemon:
    """Enforce NetworkPolicies. As the administrator: it reads every namespace, and nothing is let through unseen."""
    line = [
        str(found.policies),
        *_options(
            {
                "kubeconfig": str(kubeconfigs.path(kubeconfigs.ADMIN)),
                "node": place.NODE,
                "services": place.SERVICE_NETWORK,
                "health": f"127.0.0.1:{place.POLICIES_HEALTH_PORT}",
                "v": "1",
            }
        ),
    ]
    path = f"{enforcement.folder()}:{programs.variables(found)['PATH']}"
    return _daemon(
        found, "network-policies", line, lambda: healthy(place.POLICIES_HEALTH_PORT), environment={"PATH": path}
    )


def listens() -> bool:
    """Whether containerd takes connections."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        return connection.connect_ex(str(place.containerd_socket())) == 0


def healthy(port: int) -> bool:
    """Whether a process on this machine says that it is well."""
    return _asked(f"http://127.0.0.1:{port}/healthz", None)


def healthy_tls(port: int) -> bool:
    """Ask the same a process whose certificate it made itself: the answer decides nothing but whether we wait."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _asked(f"https://127.0.0.1:{port}/healthz", context)


def answers(url: str, authority: str, client: str | None = None) -> bool:
    """Whether a server of ours says that it is well."""
    try:
        context = ssl.create_default_context(cafile=str(certificates.certificate(authority)))
        if client is not None:
            context.load_cert_chain(*_pair(client))
    except OSError:
        return False  # there is no cluster
    return _asked(url, context)


def _asked(url: str, context: ssl.SSLContext | None) -> bool:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    handlers += [urllib.request.HTTPSHandler(context=context)] if context is not None else []
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=ANSWER_SECONDS) as answer:
            return bool(answer.status == http.client.OK)
    except (OSError, http.client.HTTPException):
        return False


def _daemon(  # noqa: PLR0913 - what there is to say about a process
    found: Programs,
    name: str,
    line: list[str],
    ready: Callable[[], bool],
    config: str = "",
    *,
    environment: Mapping[str, str] | None = None,
) -> Daemon:
    given = {**programs.variables(found), **(environment or {})}
    command = (ENV, "-i", *(f"{key}={value}" for key, value in given.items()), *line)
    patience = PATIENCE.get(name, IMPATIENT)
    return Process(name, command, ready, config, START_SECONDS, patience, place.run())


def _identity(user: str) -> dict[str, str]:
    file = str(kubeconfigs.write(user))
    return {
        "kubeconfig": file,
        "authentication-kubeconfig": file,
        "authorization-kubeconfig": file,
        "bind-address": "127.0.0.1",
        "leader-elect": "false",  # there is one of each
        "v": "1",
    }


def _options(values: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


def _pair(name: str) -> tuple[str, str]:
    return str(certificates.certificate(name)), str(certificates.key(name))
