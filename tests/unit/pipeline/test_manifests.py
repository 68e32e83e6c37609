"""The objects of a stack as files: from its state alone, in a fixed order, and nothing secret among them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import tokens
from pipeline import manifests
from pipeline.__main__ import main
from pipeline.console import Console, PipelineError
from pipeline.engine import Engine
from tests.unit.pipeline.fake_pulumi import Fake

SECRET = {tokens.SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a state is plain JSON
    """One resource of a state."""
    version, _, word = kind.rpartition(":")
    metadata = {"name": name, "namespace": "shop-prod", "labels": {"slipway.component": "web"}}
    inputs = {"apiVersion": version.removeprefix("core/"), "kind": word, "metadata": metadata, **more.pop("inputs", {})}
    urn = f"urn:pulumi:prod::slipway::slipway:kubernetes:X$kubernetes:{kind}::web-{name}"
    return {"urn": urn, "type": f"kubernetes:{kind}", "custom": True, "inputs": inputs, "outputs": {}, **more}


STATE: dict[str, Any] = {
    "resources": [
        {"urn": "urn:a", "type": "pulumi:pulumi:Stack"},
        {"urn": "urn:b", "type": "pulumi:providers:kubernetes", "custom": True, "inputs": {"namespace": "shop-prod"}},
        {"urn": "urn:c", "type": "slipway:kubernetes:Web", "custom": False},
        resource("apps/v1:Deployment", "web", inputs={"spec": {"replicas": 2}, "__fieldManager": "x"}),
        resource("apps/v1:Deployment", "old", delete=True),
        resource("core/v1:Secret", "app-files-1a2b", inputs={"stringData": SECRET}),
        resource(
            "core/v1:ConfigMap",
            "edge-3c4d",
            inputs={
                "metadata": {
                    "name": "edge-3c4d",
                    "annotations": {"pulumi.com/autonamed": "true", "example.org/keep": "yes"},
                }
            },
            outputs={"metadata": {"name": "edge-3c4d", "namespace": "shop-prod", "uid": "1"}, "status": {}},
        ),
        resource("core/v1:ConfigMap", "hidden", inputs={"data": {"key": [SECRET]}}),
        resource("core/v1:Namespace", "shop-prod", inputs={"metadata": {"name": "shop-prod"}}),
        resource("postgresql.cnpg.io/v1:Cluster", "Odd_Name", inputs={"spec": {"text": "ü"}}),
        resource("example.org/v1:Thing", "thing"),
    ]
}


def test_the_order_is_that_in_which_they_can_be_applied() -> None:
    """The namespace first, what needs others last; what is deleted already, or is no object, is not there."""
    assert [each.file for each in manifests.objects(STATE)] == [
        "00-namespace-shop-prod.yaml",
        "05-configmap-edge-3c4d.yaml",
        "05-configmap-hidden.yaml",
        "08-cluster-odd-name.yaml",
        "11-deployment-web.yaml",
        "16-secret-app-files-1a2b.yaml",
        "16-thing-thing.yaml",
    ]


def test_what_is_written_is_what_was_sent(tmp_path: Path) -> None:
    """Without Pulumi's own annotations and marks, with the namespace that the provider has added."""
    manifests.write(tmp_path / "out", "prod", manifests.objects(STATE))

    def written(name: str) -> Any:  # noqa: ANN401 - YAML
        return yaml.safe_load((tmp_path / "out" / name).read_text())

    assert written("05-configmap-edge-3c4d.yaml") == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "edge-3c4d", "namespace": "shop-prod", "annotations": {"example.org/keep": "yes"}},
    }
    assert written("11-deployment-web.yaml")["spec"] == {"replicas": 2}
    assert "__fieldManager" not in written("11-deployment-web.yaml")
    assert "ü" in (tmp_path / "out" / "08-cluster-odd-name.yaml").read_text()


def test_nothing_secret_is_written_but_named(tmp_path: Path) -> None:
    """A Secret, and whatever else carries one, is in the list of what is left out."""
    manifests.write(tmp_path / "out", "prod", manifests.objects(STATE))

    texts = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert sorted(texts) == [
        "00-namespace-shop-prod.yaml",
        "05-configmap-edge-3c4d.yaml",
        "08-cluster-odd-name.yaml",
        "11-deployment-web.yaml",
        "16-thing-thing.yaml",
        "README.md",
    ]
    assert "- ConfigMap hidden\n- Secret app-files-1a2b\n" in texts["README.md"]
    assert "| Deployment | web | `11-deployment-web.yaml` |" in texts["README.md"]
    assert not [name for name, text in texts.items() if tokens.SIGNATURE in text or "v1:abc" in text]


def test_the_same_state_gives_the_same_files(tmp_path: Path) -> None:
    """Whatever the order in the state, and over what was there: a file of an object that is gone goes."""
    manifests.write(tmp_path / "out", "prod", manifests.objects(STATE))
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    fewer = {"resources": [each for each in reversed(STATE["resources"]) if "Thing" not in each["type"]]}
    manifests.write(tmp_path / "out", "prod", manifests.objects(fewer))

    second = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(first) - set(second) == {"16-thing-thing.yaml"}
    assert {name for name in second if first[name] != second[name]} == {"README.md"}
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("name", ["values.yaml", "notes.md", "script.sh", "folder/"])
def test_a_folder_with_something_else_stays(tmp_path: Path, name: str) -> None:
    """Nothing that this command has not made is removed."""
    other = tmp_path / name
    if name.endswith("/"):
        other.mkdir()
    else:
        other.write_text("mine")
    with pytest.raises(PipelineError, match="holds something else: "):
        manifests.write(tmp_path, "prod", manifests.objects(STATE))
    assert other.exists()


def test_a_stack_on_no_cluster_is_named(
    engine_for: Callable[[str], Engine], fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that brings it up; one that is up there is written."""
    engine = engine_for("dev")
    engine.stack_file.write_text("config: {}\n")
    monkeypatch.setattr(manifests, "Engine", lambda *_: engine)
    console = Console(io.StringIO(), io.StringIO())
    fake.when("stack export", json.dumps({"deployment": {"resources": STATE["resources"][:1]}}))

    assert main(["manifests", "dev", "--to", str(tmp_path / "out")], console) == 1
    assert "stack dev has nothing on a cluster" in console.err.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert not (tmp_path / "out").exists()

    fake.when("stack export", json.dumps({"deployment": STATE}))
    assert main(["manifests", "dev", "--to", str(tmp_path / "out")], console) == 0
    assert "5 objects are in " in console.out.getvalue()  # type: ignore[attr-defined]  # the same
    assert "; 2 with secrets are left out" in console.out.getvalue()  # type: ignore[attr-defined]  # the same
