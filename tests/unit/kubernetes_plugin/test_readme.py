"""The plugin's README says what its code says."""

import re
from pathlib import Path

from tools.airgap.kubernetes_plugin import objects, readiness, settings

PLACE = Path(objects.__file__).parent
README = (PLACE / "README.md").read_text(encoding="utf-8")


def _rows(title: str) -> set[str]:
    section = README.partition(f"## {title}")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\S+) \|", section, re.MULTILINE)
    return {row.strip("`") for row in rows} - {"setting", "annotation", "kind"}


def test_it_lists_the_settings() -> None:
    """Every one that is taken, and no other."""
    assert _rows("Configuration") == settings.TAKEN


def test_it_lists_the_annotations() -> None:
    """Every one that the code looks for."""
    code = "".join(path.read_text(encoding="utf-8") for path in PLACE.glob("*.py"))
    used = set(re.findall(r'annotation\(\w+, "(\w+)"\)', code)) | {"autonamed"}
    assert {row.removeprefix("pulumi.com/") for row in _rows("Annotations")} == used


def test_it_lists_the_kinds_that_are_waited_for() -> None:
    """Each one that has a judge."""
    assert _rows("What is ready when") == {kind for _, kind in readiness._JUDGES}
