"""Which files list a project's dependencies."""

from pathlib import Path

import pytest

from components import requirements
from components.ignore import ContextError


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("texts", "name", "expected"),
    [
        ({"requirements.txt": "django\n"}, "requirements.txt", ["requirements.txt"]),
        (
            {
                "requirements/prod.txt": "-r base.txt\n-c ../c.txt # why\n",
                "requirements/base.txt": "-rx.in",
                "c.txt": "",
            }
            | {"requirements/x.in": "-r prod.txt"},
            "requirements/prod.txt",
            ["c.txt", "requirements/base.txt", "requirements/prod.txt", "requirements/x.in"],
        ),
        (
            {"r.txt": "--requirement=a.txt\n--constraint b.txt\n# -r none.txt\n", "a.txt": "", "b.txt": ""},
            "r.txt",
            ["a.txt", "b.txt", "r.txt"],
        ),
        (
            {"r.txt": "django \\\n    --hash=sha256:0\n-r https://example.org/more.txt\n--only-binary :all:\n"},
            "r.txt",
            ["r.txt"],
        ),
        ({"r.txt": "git+https://example.org/x.git#egg=x\nx @ https://example.org/x.zip\n"}, "r.txt", ["r.txt"]),
        ({"pyproject.toml": "[project]\n-r none.txt\n"}, "pyproject.toml", ["pyproject.toml"]),
    ],
)
def test_includes_are_followed(tmp_path: Path, texts: dict[str, str], name: str, expected: list[str]) -> None:
    """Every file that is read while dependencies are installed is named, each once and in order."""
    _write(tmp_path, texts)
    assert requirements.files(tmp_path, name) == expected


@pytest.mark.parametrize("line", ["-e .", "--editable=./lib", ".", "./lib", "../lib[x]", "/srv/x", "x @ file:///srv/x"])
def test_a_folder_of_the_project_is_refused(tmp_path: Path, line: str) -> None:
    """Dependencies come before the code, so a requirement that is code is named with the way out."""
    _write(tmp_path, {"r.txt": f"django\n{line}\n"})
    with pytest.raises(ContextError) as raised:
        requirements.files(tmp_path, "r.txt")
    assert str(raised.value) == (
        f"{tmp_path}/r.txt, line 2: {line!r} is a folder of the project, but dependencies are installed before the "
        "project's code is there\n"
        "  allowed: packages, with or without a version, and includes (-r FILE, -c FILE)\n"
        "  mend:    remove the line (the project is in the image anyway), or name a Dockerfile of your own in "
        "slipway:app.dockerfile"
    )


@pytest.mark.parametrize("other", ["../common.txt", "/etc/common.txt", "a,b.txt"])
def test_an_include_from_elsewhere_is_refused(tmp_path: Path, other: str) -> None:
    """A file outside the project is not part of the build."""
    _write(tmp_path, {"r.txt": f"-r {other}\n"})
    with pytest.raises(ContextError) as raised:
        requirements.files(tmp_path, "r.txt")
    assert str(raised.value) == (
        f"{tmp_path}/r.txt, line 1: {other!r} cannot be included\n"
        "  allowed: a file inside the project, its path made of letters, digits and . _ @ + -\n"
        f"  mend:    move the file into {tmp_path}"
    )


def test_a_missing_include_is_named(tmp_path: Path) -> None:
    """The file that is not there is named, not the one that asks for it."""
    _write(tmp_path, {"r.txt": "-r none.txt\n"})
    with pytest.raises(ContextError, match=r"none\.txt cannot be read \(No such file or directory\)"):
        requirements.files(tmp_path, "r.txt")
