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
    assert requirements.files(tmp_path, [name]) == expected


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("-e .", "site"),
        (".", "site"),
        (".[live]", "site"),
        ("--editable=./lib", "site/lib"),
        ("-e ../lib[x]", "lib"),
        ("./lib ; python_version > '3'", "site/lib"),
        ("-e ..", "."),
    ],
)
def test_parts_of_the_project_are_read(tmp_path: Path, line: str, part: str) -> None:
    """A requirement that is a folder of the project starts where the installer runs, wherever the file lies."""
    _write(tmp_path, {"all/r.txt": f"django\n{line}\n"})
    assert requirements.files(tmp_path, ["all/r.txt"], "site") == sorted(["all/r.txt", part])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("-e ../lib", "../lib"),
        ("/srv/x", "/srv/x"),
        ("x @ file:///srv/x", "file:///srv/x"),
        ("-r ../common.txt", "../common.txt"),
        ("-r /etc/common.txt", "/etc/common.txt"),
        ("-r a,b.txt", "a,b.txt"),
    ],
)
def test_what_lies_elsewhere_is_refused(tmp_path: Path, line: str, found: str) -> None:
    """A file or a folder outside the project is not part of the build."""
    _write(tmp_path, {"r.txt": f"django\n{line}\n"})
    with pytest.raises(ContextError) as raised:
        requirements.files(tmp_path, ["r.txt"])
    assert str(raised.value) == (
        f"{tmp_path}/r.txt, line 2: {found!r} cannot be part of the image\n"
        "  allowed: what lies inside the project, its path made of letters, digits and . _ @ + -\n"
        f"  mend:    move it into {tmp_path}, or let slipway:app.source name a folder above both"
    )


def test_a_missing_include_is_named(tmp_path: Path) -> None:
    """The file that is not there is named, not the one that asks for it."""
    _write(tmp_path, {"r.txt": "-r none.txt\n"})
    with pytest.raises(ContextError, match=r"none\.txt cannot be read \(No such file or directory\)"):
        requirements.files(tmp_path, ["r.txt"])
