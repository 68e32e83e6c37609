"""Check: names, namespaces, and objects as the API's types write them."""

from typing import Any

import pytest

from tools.airgap.kubernetes_plugin.check import NAMING_DISABLED, Naming, check, has_unknowns, prepared, secret_mask
from tools.airgap.kubernetes_plugin.kinds import BUILT_IN, Kind, namespaced, refuse_unsupported, replaced_by
from tools.airgap.kubernetes_plugin.names import automatic_name
from tools.airgap.kubernetes_plugin.typed import canonical_quantity, dashed, underscored
from tools.airgap.plugin.errors import PluginError, UnsupportedError
from tools.airgap.plugin.wire import UNKNOWN

CONFIG_MAP = Kind("", "v1", "ConfigMap")
DEPLOYMENT = Kind("apps", "v1", "Deployment")
NAMING = Naming(automatic=lambda: "web-12345678")


def _object(kind: Kind = CONFIG_MAP, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"apiVersion": kind.api_version, "kind": kind.kind, **rest}


def test_the_suffix_of_an_automatic_name_is_pulumis() -> None:
    """The name that the official plugin made of 32 zero bytes."""
    assert automatic_name("x", bytes(32)) == "x-dd5306f8"


def test_without_a_seed_names_differ() -> None:
    """They are random then."""
    assert automatic_name("x", b"") != automatic_name("x", b"")


def test_an_automatic_name_is_kept() -> None:
    """What had one goes on with it, whatever would be the next."""
    first, _ = check(CONFIG_MAP, _object(), {}, NAMING, lambda: "here")
    again, _ = check(CONFIG_MAP, _object(), first, Naming(automatic=lambda: "other"), lambda: "here")
    assert first["metadata"] == {
        "name": "web-12345678",
        "annotations": {"pulumi.com/autonamed": "true"},
        "namespace": "here",
    }
    assert again == first


def test_a_name_that_goes_away_leaves_an_unnamed_object() -> None:
    """Diff then makes a replacement of it, and the engine asks again without the old inputs."""
    before = _object(metadata={"name": "fixed"})
    assert "name" not in check(CONFIG_MAP, _object(), before, NAMING, lambda: None)[0]["metadata"]


def test_an_unknown_name_or_namespace_is_one() -> None:
    """Nothing is filled in for what only the update will know."""
    metadata = {"name": UNKNOWN, "namespace": UNKNOWN}
    assert check(CONFIG_MAP, _object(metadata=metadata), {}, NAMING, lambda: "x")[0]["metadata"] == metadata
    assert check(CONFIG_MAP, _object(metadata=UNKNOWN), {}, NAMING, lambda: "x") == (_object(metadata=UNKNOWN), [])


def test_names_can_be_required() -> None:
    """With automatic names switched off an object needs one; generateName is none."""
    disabled = Naming(automatic=lambda: "", disabled=True)
    assert check(CONFIG_MAP, _object(), {}, disabled, lambda: None)[1] == [("metadata.name", NAMING_DISABLED)]
    problems = check(CONFIG_MAP, _object(metadata={"generateName": "x-"}), {}, NAMING, lambda: None)[1]
    assert "not supported in Server-Side Apply mode" in problems[0][1]


def test_a_deployment_is_written_as_the_api_does() -> None:
    """Quantities are canonical; unknown, empty and zero fields go, unless zero or empty is a value."""
    container = {
        "name": "a",
        "ports": [],
        "tty": False,
        "resources": {"limits": {"cpu": "1000m"}, "requests": {}},
        "typo": 1,
        "securityContext": {"runAsNonRoot": False},
        "env": [{"name": "A", "value": ""}],
    }
    volumes = [{"name": "v", "emptyDir": {}}]
    spec = {"replicas": 0, "paused": False, "template": {"spec": {"containers": [container], "volumes": volumes}}}
    assert prepared(DEPLOYMENT, _object(DEPLOYMENT, spec=spec))["spec"] == {
        "replicas": 0,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "a",
                        "resources": {"limits": {"cpu": "1"}},
                        "securityContext": {"runAsNonRoot": False},
                        "env": [{"name": "A"}],
                    }
                ],
                "volumes": volumes,
            }
        },
    }


@pytest.mark.parametrize("spec", [{"replicas": "two"}, {"replicas": True}, {"template": []}, {"paused": "yes"}])
def test_an_object_of_the_wrong_type_is_left_to_the_api(spec: dict[str, Any]) -> None:
    """Its error says more than ours could."""
    inputs = _object(DEPLOYMENT, spec={**spec, "typo": 1})
    assert prepared(DEPLOYMENT, inputs) == inputs


def test_what_is_not_known_yet_is_left_alone() -> None:
    """Except for what only the API writes."""
    inputs = _object(DEPLOYMENT, metadata={"uid": "x"}, spec={"typo": [UNKNOWN]})
    assert has_unknowns(inputs)
    assert prepared(DEPLOYMENT, inputs) == _object(DEPLOYMENT, metadata={}, spec={"typo": [UNKNOWN]})


def test_custom_resources_are_left_alone() -> None:
    """Their types are the cluster's; also those of groups that only look like Kubernetes' own."""
    kind = Kind("gateway.networking.k8s.io", "v1", "HTTPRoute")
    inputs = _object(kind, spec={"empty": [], "cpu": "1000m"})
    assert prepared(kind, inputs) == inputs
    assert namespaced(kind) is None
    assert kind.group not in BUILT_IN


@pytest.mark.parametrize(
    ("given", "data"),
    [
        ({"stringData": {"a": "1"}}, {"a": "MQ=="}),
        ({"stringData": {"a": "1"}, "data": {"a": "Mg==", "b": "Mg=="}}, {"a": "MQ==", "b": "Mg=="}),
    ],
)
def test_the_texts_of_a_secret_become_its_data(given: dict[str, Any], data: dict[str, str]) -> None:
    """As in the API, where plain texts win."""
    kind = Kind("", "v1", "Secret")
    assert prepared(kind, _object(kind, **given)) == _object(kind, data=data)
    assert secret_mask(kind, {}) == {"data": True, "stringData": True}
    assert secret_mask(CONFIG_MAP, {"data": {"a": True}}) == {"data": {"a": True}}


def test_the_extensions_of_a_schema_have_dashes_in_the_api() -> None:
    """And underscores in programs and states, where keys are names."""
    assert dashed([{"x_kubernetes_list_map_keys": ["a_b"]}]) == [{"x-kubernetes-list-map-keys": ["a_b"]}]
    assert underscored({"x-kubernetes-int-or-string": True}) == {"x_kubernetes_int_or_string": True}


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Gi", "107374182400m"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("500", "500"),
        ("2000", "2k"),
        ("512Ki", "512Ki"),
        ("0Mi", "0"),
    ],
)
def test_quantities(given: str, canonical: str) -> None:
    """One way to write each."""
    assert canonical_quantity(given) == canonical


@pytest.mark.parametrize(
    ("token", "kind", "said"),
    [
        ("kubernetes:helm.sh/v3:Release", None, "no Helm"),
        ("kubernetes:yaml/v2:ConfigGroup", None, "YAML"),
        ("kubernetes:kustomize:Directory", None, "Kustomize"),
        ("kubernetes:apps/v1:DeploymentPatch", DEPLOYMENT, "patches of objects"),
        ("kubernetes:core/v1:ConfigMapList", Kind("", "v1", "ConfigMapList"), "list resources exist"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(token: str, kind: Kind | None, said: str) -> None:
    """With what to do instead."""
    with pytest.raises(UnsupportedError, match=said):
        refuse_unsupported(token, kind)


def test_an_object_without_a_kind_is_refused() -> None:
    """Nothing can be said of it."""
    with pytest.raises(PluginError, match="needs apiVersion and kind"):
        Kind.of({"metadata": {}})


def test_what_needs_a_new_object() -> None:
    """The list of the official plugin; mutable flags and immutable objects shorten and restore it."""
    secret = Kind("", "v1", "Secret")
    assert ("data",) in replaced_by(secret, {}, mutable=frozenset())
    assert ("data",) not in replaced_by(secret, {}, mutable=frozenset({"Secret"}))
    assert ("data",) in replaced_by(secret, {"immutable": True}, mutable=frozenset({"Secret"}))
    assert ("type",) in replaced_by(secret, {}, mutable=frozenset({"Secret"}))
    pod = replaced_by(Kind("", "v1", "Pod"), {}, mutable=frozenset())
    assert ("spec", "containers", "*", "image") in pod
    assert replaced_by(Kind("example.org", "v1", "Thing"), {}, mutable=frozenset()) == [
        ("metadata", "name"),
        ("metadata", "namespace"),
    ]
