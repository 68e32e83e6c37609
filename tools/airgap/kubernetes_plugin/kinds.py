"""What is known of kinds without asking a cluster: which have no namespace, which changes need a new object. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.airgap.plugin.errors import PluginError, UnsupportedError

BUILT_IN: Final = frozenset(
    {
        "",
        "apps",
        "autoscaling",
        "batch",
        "policy",
        *(
            f"{name}.k8s.io"
            for name in (
                "admissionregistration",
                "apiextensions",
                "apiregistration",
                "authentication",
                "authorization",
                "certificates",
                "coordination",
                "discovery",
                "events",
                "flowcontrol.apiserver",
                "networking",
                "node",
                "rbac.authorization",
                "resource",
                "scheduling",
                "storage",
            )
        ),
    }
)
"""The groups that every API server has itself."""

_WITHOUT_NAMESPACE: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)

_CONTAINER: Final = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]
_POD: Final = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]
_VOLUME_SOURCES: Final = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]

Listed = tuple[str, ...]
"""A path whose change needs a new object; `*` stands for each element of a list."""


@dataclass(frozen=True)
class Kind:
    """Group, version and kind of an object."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> "Kind":
        """Read them from an object."""
        api, kind = inputs.get("apiVersion"), inputs.get("kind")
        if not isinstance(api, str) or not isinstance(kind, str) or not api or not kind:
            raise PluginError("an object needs apiVersion and kind, both known in previews")
        group, _, version = api.rpartition("/")
        return cls(group, version, kind)

    @property
    def api_version(self) -> str:
        """Group and version as objects write them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def built_in(self) -> bool:
        """Whether every API server has it."""
        return self.group in BUILT_IN

    def __str__(self) -> str:
        return f"{self.api_version}/{self.kind}"


def refuse_unsupported(token: str, kind: Kind | None) -> None:
    """Refuse by name what this plugin does not implement."""
    name = token.rpartition(":")[2]
    package = token.split(":")[1].split("/", maxsplit=1)[0]
    if package in {"helm.sh", "kustomize", "yaml"} or token.startswith("pulumi:"):
        raise UnsupportedError(
            f"{token} is not implemented by this plugin: it has objects of the Kubernetes API only, no Helm, Kustomize or "
            "YAML. Write the objects in the program, or use the official plugin"
        )
    if kind is None:
        return
    if kind.built_in and kind.kind.endswith("List"):
        raise UnsupportedError(
            "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly. "
            "Use the underlying resource type instead"
        )
    if name == f"{kind.kind}Patch":
        raise UnsupportedError(
            f"{token} is not implemented by this plugin: patches of objects that others own need the official plugin"
        )


def namespaced(kind: Kind) -> bool | None:
    """Say whether objects of a kind live in a namespace; None if only a cluster can tell."""
    if not kind.built_in:
        return None
    return kind.kind not in _WITHOUT_NAMESPACE


def replaced_by(kind: Kind, inputs: Mapping[str, Any], *, mutable: frozenset[str]) -> list[Listed]:
    """Return the paths of an object whose change needs a new one."""
    listed: list[Listed] = [("metadata", "name"), ("metadata", "namespace")]
    if kind.kind in {"ConfigMap", "Secret"} and kind.group == "":
        free = kind.kind in mutable and inputs.get("immutable") is not True
        fields = ["binaryData", "data"] if kind.kind == "ConfigMap" else ["stringData", "data"]
        listed += [] if free else [(field,) for field in fields]
        listed += [("type",)] if kind.kind == "Secret" else []
    return listed + [tuple(path.split(".")) for path in _LISTED.get((kind.group, kind.kind), [])]


_LISTED: Final[Mapping[tuple[str, str], list[str]]] = {
    ("", "Service"): ["spec.clusterIP"],
    ("", "ResourceQuota"): ["spec.scopes"],
    ("", "PersistentVolumeClaim"): [
        f"spec.{field}" for field in ("accessModes", "selector", "storageClassName", "volumeName")
    ],
    ("", "PersistentVolume"): [f"spec.{field}" for field in _VOLUME_SOURCES],
    ("", "Pod"): [
        *(f"spec.{field}" for field in _POD),
        *(f"spec.{containers}.*.{field}" for containers in ("containers", "initContainers") for field in _CONTAINER),
    ],
    ("apps", "Deployment"): ["spec.selector"],
    ("apps", "DaemonSet"): ["spec.selector"],
    ("apps", "StatefulSet"): [
        f"spec.{field}"
        for field in ("podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates")
    ],
    ("batch", "Job"): [f"spec.{field}" for field in ("completions", "parallelism", "selector", "template")],
    ("policy", "PodDisruptionBudget"): [],  # only its v1beta1 had any
    ("rbac.authorization.k8s.io", "RoleBinding"): ["roleRef"],
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ["roleRef"],
    ("storage.k8s.io", "StorageClass"): ["parameters", "provisioner"],
}
