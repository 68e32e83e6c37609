"""What the cluster's processes are told, as texts: containerd, the pods' network, kubelet, kube-proxy.

JSON is written where YAML is read, and JSON strings where TOML strings are. Where a value is not the usual one, the
reason stands beside it; most come from what a container or a small machine may not do.
"""

import json
from pathlib import Path

from tools.airgap import registry
from tools.airgap.cluster import certificates, cgroups, place

PAUSE = "registry.k8s.io/pause:3.10.1"
REGISTRIES = {"docker.io": "https://registry-1.docker.io", "registry.k8s.io": "https://registry.k8s.io"}
"""Whose images are looked for on this machine first, and where they are otherwise."""

_CONTAINERD = """\
version = 2
root = {root}
state = {state}
oom_score = 0
disabled_plugins = [{disabled}]

# Logs are cut when their process is started again, which may be months.
[debug]
  level = "warn"

[grpc]
  address = {socket}

[ttrpc]
  address = {ttrpc}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {pause}
  # Without CAP_SYS_RESOURCE no process may lower its score; the pause container asks for -998.
  restrict_oom_score_adj = true
  disable_apparmor = {no_apparmor}
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {plugins}
    conf_dir = {networks}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = {runc}
        Root = {runc_state}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = {registries}
"""
_DISABLED = (
    *(f"io.containerd.snapshotter.v1.{name}" for name in ("btrfs", "zfs", "aufs", "devmapper")),
    "io.containerd.internal.v1.opt",
)


def containerd(runc: Path, plugins: Path) -> str:
    """Tell containerd where it keeps what, apart from the one that Docker has."""
    return _CONTAINERD.format(
        root=json.dumps(str(place.data() / "containerd")),
        state=json.dumps(str(place.run() / "containerd")),
        disabled=", ".join(json.dumps(name) for name in _DISABLED),
        socket=json.dumps(str(place.containerd_socket())),
        ttrpc=json.dumps(f"{place.containerd_socket()}.ttrpc"),
        pause=json.dumps(PAUSE),
        no_apparmor=json.dumps(not Path("/sys/kernel/security/apparmor").exists()),
        plugins=json.dumps(str(plugins)),
        networks=json.dumps(str(networks())),
        runc=json.dumps(str(runc)),
        runc_state=json.dumps(str(place.run() / "runc")),
        registries=json.dumps(str(registries())),
    )


def registries() -> Path:
    """Where containerd reads how to reach each registry."""
    return place.conf() / "certs.d"


def networks() -> Path:
    """Where containerd reads how pods are connected."""
    return place.conf() / "cni"


def hosts() -> dict[str, str]:
    """Tell containerd where images are: on this machine first, so that official names work without a network."""
    here = f'[host."http://{registry.ADDRESS}"]\n  capabilities = ["pull", "resolve"]\n'
    texts = {registry.ADDRESS: f'server = "http://{registry.ADDRESS}"\n\n{here}'}
    return texts | {name: f'server = "{server}"\n\n{here}' for name, server in REGISTRIES.items()}


def network() -> str:
    """Connect pods by a bridge. Masquerading is one rule of ours: the plugin's own makes a chain for each pod."""
    bridge = {
        "type": "bridge",
        "bridge": place.POD_BRIDGE,
        "isGateway": True,
        "isDefaultGateway": True,
        "ipMasq": False,
        "hairpinMode": True,  # a pod reaches itself through its Service
        "ipam": {
            "type": "host-local",
            "dataDir": str(place.data() / "addresses"),
            "ranges": [[{"subnet": place.POD_RANGE}]],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": place.CONTEXT, "plugins": [bridge, ports]}, indent=1) + "\n"


def kubelet() -> str:
    """Tell the kubelet."""
    authority = str(certificates.certificate(certificates.CLUSTER))
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": place.NODE_ADDRESS,
        "port": place.KUBELET_PORT,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": place.KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": authority},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificates.certificate("kubelet-server")),
        "tlsPrivateKeyFile": str(certificates.key("kubelet-server")),
        "containerRuntimeEndpoint": f"unix://{place.containerd_socket()}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.name()}",
        "failSwapOn": False,
        "failCgroupV1": False,
        "oomScoreAdj": 0,  # lower ones need CAP_SYS_RESOURCE
        "maxOpenFiles": 20000,  # as do more
        "clusterDNS": [place.DNS_ADDRESS],
        "clusterDomain": place.DOMAIN,
        "resolvConf": "/etc/resolv.conf",
        "podLogsDir": str(place.data() / "logs"),
        "volumePluginDir": str(place.data() / "plugins"),  # else it makes /usr/libexec/kubernetes
        "imageGCHighThresholdPercent": 100,  # the disk is shared with everything else of the machine
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "2%",
            "imagefs.available": "2%",
            "nodefs.inodesFree": "1%",
        },
        "maxPods": 110,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "shutdownGracePeriod": "0s",
    }
    return json.dumps(content, indent=1) + "\n"


def kube_proxy(kubeconfig: Path) -> str:
    """Tell kube-proxy. Node ports answer on this machine alone."""
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "hostnameOverride": place.NODE,
        "clusterCIDR": place.POD_NETWORK,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "healthzBindAddress": f"127.0.0.1:{place.PROXY_HEALTH_PORT}",
        "metricsBindAddress": f"127.0.0.1:{place.PROXY_METRICS_PORT}",
        "nodePortAddresses": ["127.0.0.0/8", place.NODE_NETWORK],
        "oomScoreAdj": 0,
        # zeros leave the machine's sysctls alone
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        # with the usual second, a Service answers up to 200 ms after its pods are ready; with this 80 ms
        "iptables": {"minSyncPeriod": "100ms"},
    }
    return json.dumps(content, indent=1) + "\n"
