"""Says what Pod Security ``restricted`` has against a pod: the 19 checks of Kubernetes' own admission, latest version. Pure.

Written after ``k8s.io/pod-security-admission``; the names of the checks are its own. Pods of Windows are not known here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]

_BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_slow_start_after_idle",
}  # fmt: skip
_VOLUMES = {
    "configMap", "downwardAPI", "emptyDir", "projected", "secret", "csi", "persistentVolumeClaim", "ephemeral", "image",
}  # fmt: skip
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def violations(spec: Spec, annotations: Mapping[str, str] | None = None) -> list[str]:
    """Give the checks that a pod does not pass."""
    pod = {**spec, "_annotations": annotations or {}}
    return [name for name, check in CHECKS.items() if not check(pod)]


def _containers(pod: Spec) -> Iterator[Spec]:
    for key in ("containers", "initContainers", "ephemeralContainers"):
        yield from pod.get(key, [])


def _context(thing: Spec) -> Spec:
    return thing.get("securityContext") or {}


def _contexts(pod: Spec) -> list[Spec]:
    return [_context(pod), *(_context(each) for each in _containers(pod))]


def _capabilities(container: Spec, way: str) -> set[str]:
    return set((_context(container).get("capabilities") or {}).get(way) or [])


def _host_probes(pod: Spec) -> bool:
    handlers = [container.get(each) or {} for container in _containers(pod) for each in _PROBES]
    handlers += [
        (container.get("lifecycle") or {}).get(each) or {}
        for container in _containers(pod)
        for each in ("postStart", "preStop")
    ]
    return not any((each.get(way) or {}).get("host") for each in handlers for way in ("httpGet", "tcpSocket"))


def _app_armor(pod: Spec) -> bool:
    profiles = [context["appArmorProfile"]["type"] for context in _contexts(pod) if context.get("appArmorProfile")]
    old = [value for key, value in pod["_annotations"].items() if key.startswith(_APP_ARMOR)]
    return set(profiles) <= {"RuntimeDefault", "Localhost"} and all(
        value in {"", "runtime/default"} or value.startswith("localhost/") for value in old
    )


def _selinux(pod: Spec) -> bool:
    options = [context["seLinuxOptions"] for context in _contexts(pod) if context.get("seLinuxOptions")]
    return all(
        each.get("type", "") in _SELINUX_TYPES and not each.get("user") and not each.get("role") for each in options
    )


def _seccomp_types(pod: Spec) -> list[str | None]:
    """Give the profile of the pod and those of its containers; None where nothing is said."""
    return [(context.get("seccompProfile") or {}).get("type") for context in _contexts(pod)]


def _seccomp_restricted(pod: Spec) -> bool:
    whole, *each = _seccomp_types(pod)
    good = {"RuntimeDefault", "Localhost"}
    return all((one or whole) in good for one in each) and (whole is None or whole in good)


def _non_root(pod: Spec) -> bool:
    whole = _context(pod).get("runAsNonRoot")
    each = [_context(container).get("runAsNonRoot") for container in _containers(pod)]
    return whole is not False and all(one is True or (one is None and whole is True) for one in each)


CHECKS: Mapping[str, Callable[[Spec], bool]] = {
    # Baseline.
    "hostNamespaces": lambda pod: not any(pod.get(each) for each in ("hostNetwork", "hostPID", "hostIPC")),
    "privileged": lambda pod: not any(_context(each).get("privileged") for each in _containers(pod)),
    "capabilities_baseline": lambda pod: all(
        _capabilities(each, "add") <= _BASELINE_CAPABILITIES for each in _containers(pod)
    ),
    "hostPathVolumes": lambda pod: not any("hostPath" in each for each in pod.get("volumes", [])),
    "hostPorts": lambda pod: (
        not any(port.get("hostPort") for each in _containers(pod) for port in each.get("ports", []))
    ),
    "hostProbesAndHostLifecycle": _host_probes,
    "appArmorProfile": _app_armor,
    "seLinuxOptions": _selinux,
    "procMount": lambda pod: all(_context(each).get("procMount", "Default") == "Default" for each in _containers(pod)),
    "seccompProfile_baseline": lambda pod: "Unconfined" not in _seccomp_types(pod),
    "sysctls": lambda pod: {each["name"] for each in _context(pod).get("sysctls") or []} <= _SYSCTLS,
    "windowsHostProcess": lambda pod: (
        not any((each.get("windowsOptions") or {}).get("hostProcess") for each in _contexts(pod))
    ),
    # Restricted.
    "restrictedVolumes": lambda pod: all(set(each) - {"name"} <= _VOLUMES for each in pod.get("volumes", [])),
    "allowPrivilegeEscalation": lambda pod: all(
        _context(each).get("allowPrivilegeEscalation") is False for each in _containers(pod)
    ),
    "runAsNonRoot": _non_root,
    "runAsUser": lambda pod: all(each.get("runAsUser") != 0 for each in _contexts(pod)),
    "seccompProfile_restricted": _seccomp_restricted,
    "capabilities_restricted_drop": lambda pod: all("ALL" in _capabilities(each, "drop") for each in _containers(pod)),
    "capabilities_restricted_add": lambda pod: all(
        _capabilities(each, "add") <= {"NET_BIND_SERVICE"} for each in _containers(pod)
    ),
}
"""Each check by its name: whether a pod passes."""
