"""The configuration of a provider."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.airgap.kubernetes_plugin.settings import Settings, refused, replaced
from tools.airgap.plugin.errors import PluginError
from tools.airgap.plugin.wire import UNKNOWN


def _kubeconfig(server: str = "https://a", user: str = "t", **context: str) -> str:
    return json.dumps(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", **context}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": user}}],
        }
    )


def test_what_is_not_implemented_is_refused_by_name() -> None:
    """With what there is."""
    [(name, reason)] = refused({"renderYamlToDirectory": "x", "context": "c", "version": "4.32.0"})
    assert name == "renderYamlToDirectory"
    assert "It takes: clusterIdentifier, context," in reason
    assert refused({"enableServerSideApply": "false"})[0][0] == "enableServerSideApply"
    assert refused({"enableServerSideApply": UNKNOWN}) == []
    with pytest.raises(PluginError, match="strictMode is not a setting"):
        Settings.of({"kubernetes:config:strictMode": "true"})


def test_client_side_apply_is_refused_wherever_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the environment."""
    monkeypatch.setenv("PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", "false")
    assert refused({})[0][0] == "enableServerSideApply"
    assert refused({"enableServerSideApply": "true"}) == []


def test_flags_come_from_the_configuration_and_else_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the text "true" is true."""
    monkeypatch.setenv("PULUMI_K8S_ENABLE_SECRET_MUTABLE", "true")
    assert Settings({}).mutable == {"Secret"}
    assert Settings({"enableSecretMutable": "false", "enableConfigMapMutable": "True"}).mutable == set()


@pytest.mark.parametrize(
    ("values", "namespace"),
    [
        ({"kubeconfig": _kubeconfig(namespace="theirs"), "namespace": "ours"}, "ours"),
        ({"kubeconfig": _kubeconfig(namespace="theirs")}, "theirs"),
        ({"kubeconfig": _kubeconfig()}, "default"),
        ({"kubeconfig": "/nowhere"}, None),
    ],
)
def test_the_default_namespace(values: dict[str, str], namespace: str | None) -> None:
    """As configured, the context's, or `default`; none at all without a kubeconfig."""
    assert Settings(values).namespace == namespace


def test_where_the_kubeconfig_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path, its content, the files of KUBECONFIG, or the user's own."""
    file = tmp_path / "config"
    file.write_text(_kubeconfig(server="https://file"))
    assert Settings({"kubeconfig": str(file)}).active_cluster() == {"server": "https://file"}
    assert Settings({"kubeconfig": f"{tmp_path / 'absent'}:{file}"}).active_cluster() == {"server": "https://file"}
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{file}")
    assert Settings({}).active_cluster() == {"server": "https://file"}
    monkeypatch.delenv("KUBECONFIG")
    assert Settings({}).kubeconfig_paths() == [Path.home() / ".kube" / "config"]


def test_a_kubeconfig_that_cannot_be_read_is_one_clear_error() -> None:
    """With where the mistake is."""
    with pytest.raises(PluginError, match="failed to parse kubeconfig data"):
        Settings({"kubeconfig": "a: [\n"}).kubeconfig()
    with pytest.raises(PluginError, match="no configuration has been provided"):
        Settings({"kubeconfig": "/nowhere"}).kubeconfig()


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        ({"kubeconfig": _kubeconfig()}, {"kubeconfig": _kubeconfig()}, ([], [])),
        ({"kubeconfig": _kubeconfig()}, {"kubeconfig": _kubeconfig(user="x")}, (["kubeconfig"], [])),
        ({"kubeconfig": _kubeconfig()}, {"kubeconfig": _kubeconfig("https://b")}, (["kubeconfig"], ["kubeconfig"])),
        ({"kubeconfig": "x"}, {"kubeconfig": UNKNOWN}, (["kubeconfig"], ["kubeconfig"])),
        (
            {"kubeconfig": _kubeconfig(), "clusterIdentifier": "a"},
            {"kubeconfig": _kubeconfig("https://b"), "clusterIdentifier": "a"},
            (["kubeconfig"], []),
        ),
        (
            {"clusterIdentifier": "a"},
            {"clusterIdentifier": "b"},
            (["clusterIdentifier"], ["clusterIdentifier"]),
        ),
        ({"namespace": "a"}, {"namespace": "b"}, (["namespace"], [])),
    ],
)
def test_only_another_cluster_means_new_objects(old: dict[str, Any], new: dict[str, Any], answer: object) -> None:
    """And where it has an identifier, only another identifier."""
    assert replaced(old, new) == answer
