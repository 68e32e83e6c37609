"""The checker of Pod Security itself: a pod that passes, and for each check one that does not."""

from typing import Any

import pytest

from tests.unit.pod_security import CHECKS, violations


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a pod
    """Give a pod that passes, with something said differently."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    said = container or {}
    return {
        "containers": [{"name": "one", **said, "securityContext": {**context, **said.get("securityContext", {})}}],
        **spec,
    }


def test_a_restricted_pod_passes() -> None:
    """What restricted wants is enough, whether the pod or each container says it."""
    assert violations(pod()) == []
    below = {"securityContext": {"runAsNonRoot": None, "seccompProfile": None}}
    above = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    assert violations(pod(below, securityContext=above)) == []


WRONG: dict[str, list[dict[str, Any]]] = {
    "hostNamespaces": [pod(hostNetwork=True), pod(hostPID=True), pod(hostIPC=True)],
    "privileged": [pod({"securityContext": {"privileged": True}})],
    "capabilities_baseline": [pod({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}})],
    "hostPathVolumes": [pod(volumes=[{"name": "a", "hostPath": {"path": "/"}}])],
    "hostPorts": [pod({"ports": [{"containerPort": 1, "hostPort": 1}]})],
    "hostProbesAndHostLifecycle": [
        pod({"livenessProbe": {"httpGet": {"port": 1, "host": "a"}}}),
        pod({"lifecycle": {"preStop": {"tcpSocket": {"port": 1, "host": "a"}}}}),
    ],
    "appArmorProfile": [pod({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}})],
    "seLinuxOptions": [
        pod({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}),
        pod(securityContext={"seLinuxOptions": {"user": "u"}}),
    ],
    "procMount": [pod({"securityContext": {"procMount": "Unmasked"}})],
    "seccompProfile_baseline": [pod({"securityContext": {"seccompProfile": {"type": "Unconfined"}}})],
    "sysctls": [pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})],
    "windowsHostProcess": [pod(securityContext={"windowsOptions": {"hostProcess": True}})],
    "restrictedVolumes": [pod(volumes=[{"name": "a", "nfs": {}}])],
    "allowPrivilegeEscalation": [
        pod({"securityContext": {"allowPrivilegeEscalation": True}}),
        pod({"securityContext": {"allowPrivilegeEscalation": None}}),
        {**pod(), "initContainers": [{"name": "i"}]},
    ],
    "runAsNonRoot": [
        pod({"securityContext": {"runAsNonRoot": None}}),
        pod({"securityContext": {"runAsNonRoot": False}}),
        pod(securityContext={"runAsNonRoot": False}),
    ],
    "runAsUser": [pod(securityContext={"runAsUser": 0}), pod({"securityContext": {"runAsUser": 0}})],
    "seccompProfile_restricted": [pod({"securityContext": {"seccompProfile": None}})],
    "capabilities_restricted_drop": [pod({"securityContext": {"capabilities": {"drop": ["NET_RAW"]}}})],
    "capabilities_restricted_add": [pod({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}})],
}


@pytest.mark.parametrize(("check", "one"), [(check, one) for check, pods in WRONG.items() for one in pods])
def test_each_check_tells(check: str, one: dict[str, Any]) -> None:
    """A pod that breaks a rule does not pass its check."""
    assert check in violations(one)


def test_old_annotations_count() -> None:
    """AppArmor was an annotation before it was a field."""
    key = "container.apparmor.security.beta.kubernetes.io/one"
    assert violations(pod(), {key: "unconfined"}) == ["appArmorProfile"]
    assert violations(pod(), {key: "runtime/default"}) == []


def test_no_check_is_without_a_test() -> None:
    """Each of the 19 has a pod that does not pass it."""
    assert set(WRONG) == set(CHECKS)
    assert len(CHECKS) == 19
