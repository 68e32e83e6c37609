"""What a stack on Docker was called from the start is what it is called now: an upgrade replaces nothing.

``identities.json`` holds the type, the name and the fixed physical name of every resource of each shipped stack, as they
were before there was a second target. Whoever has to change it replaces what runs for everybody: a migration line in the
changelog, an alias, and never for a volume.
"""

import json
import runpy

import pytest
import yaml

from components import image, resolved
from components.release import Release
from components.settings import ROOT
from tests.unit.harness import run

STACKS = {
    "dev": "dev.template.yaml",
    "staging": "Pulumi.staging.yaml",
    "prod": "Pulumi.prod.yaml",
    "review-7": "review.template.yaml",
}
SECRETS = {f"secrets:{name}": "value" for name in ("django_key", "postgres_password", "redis_password")}
KNOWN = json.loads((ROOT / "tests/unit/identities.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_has_another_identity(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each resource of today has its name, and there is none that was not there."""

    def write(_release: Release, name: str) -> str:
        return f".slipway/build/{name}/Dockerfile"

    monkeypatch.setattr(image, "write", write)
    monkeypatch.delenv(resolved.CA_VARIABLE, raising=False)
    said = yaml.safe_load((ROOT / "stacks" / STACKS[stack]).read_text(encoding="utf-8"))["config"]
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}

    recorded = run(
        lambda: runpy.run_path(str(ROOT / "__main__.py")) and None,
        stack=stack,
        config={**config, **SECRETS},
        secrets=list(SECRETS),
    )

    # A tag with the release in it is no identity: the code of the example may change.
    found = {each.urn.split("::", 2)[2]: each.inputs.get("name") for each in recorded.resources}
    known = KNOWN[stack]
    app = "slipway:docker:AppImage$docker:index/remoteImage:RemoteImage::app-image"
    assert {**found, app: None} == {**known, app: None}
