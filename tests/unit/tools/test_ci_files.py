"""Linting what CI systems read: which linters look at what, and what comes of it. The linters are made up."""

import io
from pathlib import Path

import pytest

from pipeline.console import Console, problem
from tests.unit.tools.programs import script
from tools import ci_files
from tools.bootstrapping import golang

LINTERS = ("actionlint", "zizmor", "check-jsonschema", "shellcheck")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with files of CI, and linters that say what they were asked and are content."""
    for name in LINTERS:
        script(tmp_path / "bin" / name, 'echo "$(basename "$0") $*" >> ../asked')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    for name in (".github/workflows/a.yml", ".github/workflows/b.yml", ".ci/run", ".ci/job", ".gitlab-ci.yml"):
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "repository"


def lint(root: Path) -> tuple[int, str]:
    """Lint it; the code and what was printed."""
    console = Console(io.StringIO(), io.StringIO())
    code = ci_files.main(root, console)
    return code, console.out.getvalue() + console.err.getvalue()  # type: ignore[attr-defined]  # both are text


def test_every_file_is_looked_at(root: Path) -> None:
    """The workflows by two linters and a schema, GitLab's file by its schema, the scripts by one."""
    assert lint(root) == (0, "All files of CI are fine\n")
    workflows = ".github/workflows/a.yml .github/workflows/b.yml"
    assert (root.parent / "asked").read_text().splitlines() == [
        f"actionlint {workflows}",
        f"zizmor --offline --no-progress --quiet {workflows}",
        f"check-jsonschema --builtin-schema vendor.github-workflows {workflows}",
        "check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml",
        "shellcheck --exclude SC1091 .ci/job .ci/run",
    ]


def test_what_a_linter_finds_is_printed(root: Path) -> None:
    """And the others look all the same."""
    script(root.parent / "bin" / "zizmor", 'echo "it is unpinned"; exit 14')
    code, printed = lint(root)
    assert code == 1
    assert printed == "zizmor:\nit is unpinned\n\n1 linters of CI files found something\n"
    assert len((root.parent / "asked").read_text().splitlines()) == len(LINTERS)


def test_a_linter_that_cannot_be_had_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mend of whoever builds it."""

    def build(*_: object) -> Path:
        raise problem("no modules", mend="reach a proxy")

    (root.parent / "bin" / "actionlint").unlink()
    monkeypatch.setattr(golang, "build", build)
    assert lint(root) == (1, "error: no modules\n  mend:    reach a proxy\n")
