"""What a cluster has of a stack: its objects by kind and name, each kind asked for once, and Secrets without their values."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from components.labels import COMPONENT, PROJECT, STACK
from components.tokens import KUBERNETES
from pipeline.cluster.connection import Cluster, Json, path_of, plural

PROVIDER = "pulumi:providers:kubernetes"
SECRET, CLAIM, POD, AUTOSCALER = "Secret", "PersistentVolumeClaim", "Pod", "HorizontalPodAutoscaler"

ASKED = (
    ("v1", POD),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", SECRET),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "Ingress"),
)
"""Kinds that are looked through for objects which nobody declared, beside those that the state knows."""


class Known:
    """One object that the state of a stack knows."""

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self.urn = str(resource["urn"])
        self.inputs: Json = {k: v for k, v in resource["inputs"].items() if k not in ("apiVersion", "kind")}
        self.outputs: Json = resource.get("outputs") or {}
        self.group, self.kind = str(resource["inputs"]["apiVersion"]), str(resource["inputs"]["kind"])
        self.leaving = bool(resource.get("delete"))
        self.ignored = [str(each) for each in resource.get("ignoreChanges") or []]
        namespace, _, self.name = str(resource["id"]).rpartition("/")
        self.namespace = namespace or None

    @property
    def component(self) -> str:
        """The component that it belongs to."""
        return component(self.inputs)

    def recorded(self, field: str) -> str:
        """Give a field of its metadata as it was when Pulumi last saw it."""
        return str((self.outputs.get("metadata") or {}).get(field) or "")


def known(state: Mapping[str, Any]) -> list[Known]:
    """Give every object that a state knows, in the order of components and names."""
    found = [
        Known(each)
        for each in state.get("resources") or []
        if str(each.get("type")).startswith(KUBERNETES) and (each.get("inputs") or {}).get("kind") and each.get("id")
    ]
    return sorted(found, key=lambda each: (each.component, each.kind, each.name))


class Live:
    """The objects of a cluster, asked for as they are needed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._listed: dict[tuple[str, str], dict[str, Json]] = {}

    def find(self, group: str, kind: str, namespace: str | None, name: str) -> Json | None:
        """Give one object; None where there is none. Of a Secret, there is the metadata alone."""
        if namespace == self._cluster.namespace:
            return self.all(group, kind).get(name)
        return self._cluster.get(path_of(group, plural(kind), namespace, name))

    def all(self, group: str, kind: str) -> Mapping[str, Json]:
        """Give every object of a kind in the namespace of the stack, by its name."""
        if (group, kind) not in self._listed:
            path = self._cluster.inside(group, plural(kind))
            items = self._cluster.metadata(path) if kind == SECRET else self._cluster.items(path)
            self._listed[group, kind] = {str(each["metadata"]["name"]): each for each in items}
        return self._listed[group, kind]

    @cached_property
    def pods(self) -> list[Json]:
        """Every pod."""
        return list(self.all("v1", POD).values())

    def strangers(self, project: str, stack: str, state: Iterable[Known]) -> list[tuple[str, str, Json]]:
        """Give what has the labels of the stack, belongs to no other object, and is not in its state.

        A claim that outlived its component is what protection is for, so that claims are left out.
        """
        there = list(state)
        names = {(each.kind, each.name) for each in there}
        kinds = dict.fromkeys([*((each.group, each.kind) for each in there if each.namespace), *ASKED])
        return [
            (group, kind, each)
            for group, kind in kinds
            if kind != CLAIM
            for name, each in self.all(group, kind).items()
            if (kind, name) not in names
            and not each["metadata"].get("ownerReferences")
            and _labels(each).get(STACK) == stack
            and _labels(each).get(PROJECT) == project
        ]

    def waiting(self, component_name: str) -> str:
        """Say why a pod of a component does not run, in the cluster's own word; nothing where none tells."""
        for pod in self.pods:
            if component(pod) != component_name or pod["metadata"].get("ownerReferences") is None:
                continue
            status = pod.get("status") or {}
            for each in status.get("containerStatuses") or []:
                reason = ((each.get("state") or {}).get("waiting") or {}).get("reason")
                if reason:
                    return f"pod {pod['metadata']['name']}: {reason}"
            for each in status.get("conditions") or []:
                if each.get("reason") == "Unschedulable":
                    return f"pod {pod['metadata']['name']}: {each['reason']}"
        return ""


def component(known_or_found: Json) -> str:
    """Give the component that an object belongs to."""
    return str(_labels(known_or_found).get(COMPONENT) or "app")


def _labels(each: Json) -> Json:
    return (each.get("metadata") or {}).get("labels") or {}
