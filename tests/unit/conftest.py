"""What several unit tests share."""

import pytest

from components import image, resolved
from components.kubernetes import ownership
from components.release import Release


@pytest.fixture
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write nothing, ask no cluster, and keep what this machine trusts and has out of a program."""

    def write(_release: Release, stack: str) -> str:
        return f".slipway/build/{stack}/Dockerfile"

    def nothing(_context: str | None, _namespace: str) -> None:
        return None

    monkeypatch.setattr(image, "write", write)
    monkeypatch.setattr(ownership, "_labels", nothing)
    monkeypatch.delenv(resolved.CA_VARIABLE, raising=False)
    monkeypatch.delenv(resolved.REGISTRY_VARIABLE, raising=False)
