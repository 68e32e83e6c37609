"""The configuration of a `kubernetes.Provider`, or of `kubernetes:*` in a stack's configuration."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tools.airgap.plugin.errors import PluginError
from tools.airgap.plugin.wire import UNKNOWN

_FLAGS: Final[Mapping[str, str]] = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "suppressHelmHookWarnings": "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
TAKEN: Final = frozenset({"clusterIdentifier", "context", "kubeconfig", "namespace", *_FLAGS})
_OF_THE_ENGINE: Final = frozenset({"version", "pluginDownloadURL"})
_PREFIX: Final = "kubernetes:config:"
_WHERE: Final[tuple[str, ...]] = ("kubeconfig", "context")
NO_KUBECONFIG: Final = (
    "unable to load Kubernetes client configuration from kubeconfig file. Make sure you have: \n\n \t • set up the "
    "provider as per https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n invalid "
    "configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
)


@dataclass(frozen=True)
class Settings:
    """What is configured; an environment variable stands in for a flag that is not."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Settings":
        """Take what the engine sends."""
        values = {key.removeprefix(_PREFIX): value for key, value in variables.items() if key.startswith(_PREFIX)}
        problems = refused(values)
        if problems:
            raise PluginError("; ".join(reason for _, reason in problems))
        return cls(values)

    def flag(self, name: str) -> bool:
        """Say whether a flag is on: the text "true" and nothing else."""
        return (self.values.get(name) or os.environ.get(_FLAGS[name])) == "true"

    @property
    def mutable(self) -> frozenset[str]:
        """The kinds whose content may change in place although Pulumi makes new ones by default."""
        flags = {"ConfigMap": "enableConfigMapMutable", "Secret": "enableSecretMutable"}
        return frozenset(kind for kind, flag in flags.items() if self.flag(flag))

    @property
    def context(self) -> str | None:
        """The context to use; None for the current one."""
        return self.values.get("context") or None

    @property
    def namespace(self) -> str | None:
        """The namespace of objects that name none: as configured, the context's, `default`; None without kubeconfig."""
        return self.values.get("namespace") or self._namespace_of_context

    @cached_property
    def _namespace_of_context(self) -> str | None:
        try:
            configuration = self.kubeconfig()
        except PluginError:
            return None
        chosen = self.context or configuration.get("current-context")
        contexts = {entry.get("name"): entry.get("context") or {} for entry in configuration.get("contexts") or []}
        return contexts.get(chosen, {}).get("namespace") or "default"

    def kubeconfig_text(self) -> str | None:
        """Return the kubeconfig where its content is configured; None where it is in a file."""
        value = self.values.get("kubeconfig") or ""
        return value if "\n" in value or value.lstrip().startswith("{") else None

    def kubeconfig_paths(self) -> list[Path]:
        """Return the files of the kubeconfig: the configured one, those of KUBECONFIG, or the user's own."""
        named = self.values.get("kubeconfig") or os.environ.get("KUBECONFIG", "")  # the SDK fills in the variable
        listed = [Path(path).expanduser() for path in named.split(os.pathsep) if path]
        return listed or [Path.home() / ".kube" / "config"]

    def kubeconfig(self) -> dict[str, Any]:
        """Read the first kubeconfig with the contexts of all of them."""
        import yaml  # noqa: PLC0415 - most checks need no kubeconfig

        text = self.kubeconfig_text()
        texts = [text] if text is not None else [path.read_text() for path in self.kubeconfig_paths() if path.is_file()]
        if not texts:
            raise PluginError(NO_KUBECONFIG)
        try:
            read = [yaml.safe_load(text) or {} for text in texts]
        except yaml.YAMLError as error:
            raise PluginError(f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- {error}") from error
        if not all(isinstance(part, dict) for part in read):
            raise PluginError("failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- it is not a map")
        merged: dict[str, Any] = {}
        for part in read:
            for key, value in part.items():
                if isinstance(value, list):
                    merged[key] = [*merged.get(key, []), *value]
                else:
                    merged.setdefault(key, value)
        return merged

    def active_cluster(self) -> object:
        """Return the cluster that the context means, as the kubeconfig describes it; None if there is none."""
        try:
            configuration = self.kubeconfig()
        except PluginError:
            return None
        chosen = self.context or configuration.get("current-context")
        contexts = {entry.get("name"): entry.get("context") or {} for entry in configuration.get("contexts") or []}
        clusters = {entry.get("name"): entry.get("cluster") for entry in configuration.get("clusters") or []}
        return clusters.get(contexts.get(chosen, {}).get("cluster"))


def refused(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each setting that is not implemented, with the reason."""
    taken = ", ".join(sorted(TAKEN))
    problems = [
        (
            name,
            f"{name} is not a setting of the kubernetes provider that this plugin implements. It takes: {taken}",
        )
        for name in sorted(set(values) - TAKEN - _OF_THE_ENGINE)
    ]
    apply = values.get("enableServerSideApply") or os.environ.get(_FLAGS["enableServerSideApply"]) or "true"
    if apply not in ("true", UNKNOWN):
        problems.append(
            (
                "enableServerSideApply",
                "enableServerSideApply can only be true: this plugin implements server-side apply alone",
            )
        )
    return problems


def replaced(olds: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return which settings changed, and which of those changes mean another cluster and so all new objects."""
    changed = sorted(
        key for key in {*olds, *news} - _OF_THE_ENGINE if olds.get(key) != news.get(key) or news.get(key) is UNKNOWN
    )
    before, after = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
    if before and after:
        return changed, ["clusterIdentifier"] if before != after else []
    where = [key for key in _WHERE if key in changed]
    if any(news.get(key) is UNKNOWN for key in where):
        return changed, [key for key in where if news.get(key) is UNKNOWN]
    if where and Settings(olds).active_cluster() != Settings(news).active_cluster():
        return changed, where
    return changed, []
