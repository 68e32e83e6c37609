"""What a project depends on: which of its files say so, and what each installer can be told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components import dependencies, installation
from components.dependencies import Found, Installer
from components.ignore import ContextError
from components.problems import Problem
from tests.sample import settings

PROJECT = '[project]\nname = "shop"\ndependencies = ["django"]\n'
POETRY = '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\ndjango = "*"\n'
ALL = {
    "uv.lock": "",
    "poetry.lock": "",
    "Pipfile.lock": "{}",
    "Pipfile": "",
    "requirements.txt": "",
    "pyproject.toml": PROJECT,
}
EVERYTHING: dict[str, Any] = {
    "extras": ["live"],
    "groups": ["prod"],
    "packages": ["gunicorn"],
    "constraints": ["a<2"],
    "build_constraints": ["b<2"],
    "exclude_newer": "2026-06-30",
    "index": "https://packages.example.org/simple",
}


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write files with the folders above them."""
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def find(root: Path, directory: str | None = None, **said: object) -> Found:
    """Find what a project depends on."""
    loaded = settings({"app": {"directory": directory}, "dependencies": said})
    return dependencies.find(loaded.app, loaded.dependencies, root)


def problems(root: Path, directory: str | None = None, **said: object) -> list[Problem]:
    """Find what is wrong."""
    loaded = settings({"app": {"directory": directory}, "dependencies": said})
    return dependencies.problems(loaded.app, loaded.dependencies, root, "dev")


def without(*names: str) -> dict[str, str]:
    """Give every file that says what a project depends on, but for some."""
    return {name: text for name, text in ALL.items() if name not in names}


@pytest.mark.parametrize(
    ("texts", "directory", "expected"),
    [
        (ALL, None, (Installer.UV, "uv.lock", "")),
        (without("uv.lock"), None, (Installer.POETRY, "poetry.lock", "")),
        (without("uv.lock", "poetry.lock"), None, (Installer.PIPENV, "Pipfile.lock", "")),
        (without("uv.lock", "poetry.lock", "Pipfile"), None, (Installer.REQUIREMENTS, "requirements.txt", "")),
        ({"pyproject.toml": PROJECT}, None, (Installer.PYPROJECT, "pyproject.toml", "")),
        (
            {"requirements/base.txt": "", "requirements/prod.txt": ""},
            None,
            (Installer.REQUIREMENTS, "requirements/prod.txt", ""),
        ),
        (
            {"site/requirements.txt": "", "uv.lock": ""},
            "site",
            (Installer.REQUIREMENTS, "site/requirements.txt", "site"),
        ),
        ({"requirements.txt": "", "site/manage.py": ""}, "site", (Installer.REQUIREMENTS, "requirements.txt", "site")),
        ({"a/poetry.lock": "", "a/pyproject.toml": POETRY}, "a/b", (Installer.POETRY, "a/poetry.lock", "a")),
        ({"uv.lock": "", "pyproject.toml": "", "a/pyproject.toml": PROJECT}, "a", (Installer.UV, "uv.lock", "a")),
        ({"uv.lock": "", "pyproject.toml": PROJECT}, "a", (Installer.UV, "uv.lock", "")),
    ],
)
def test_detection(
    tmp_path: Path, texts: dict[str, str], directory: str | None, expected: tuple[Installer, str, str]
) -> None:
    """A lock comes before requirements, and those before pyproject.toml; the folder of manage.py before those above it."""
    write(tmp_path, texts)

    found = find(tmp_path, directory)

    assert (found.installer, *found.names, found.folder) == expected
    assert set(found.names) <= set(found.read)
    assert not problems(tmp_path, directory)


@pytest.mark.parametrize("installer", Installer)
def test_naming_the_installer(tmp_path: Path, installer: Installer) -> None:
    """Where several would do, the setting decides."""
    write(tmp_path, ALL)

    assert find(tmp_path, installer=installer.value).installer is installer


def test_naming_files(tmp_path: Path) -> None:
    """Files of requirements that are named win over a lock, and run where manage.py is."""
    write(tmp_path, {**ALL, "site/base.txt": "-r more.txt", "site/more.txt": "", "live.txt": ""})

    found = find(tmp_path, "site", files=["site/base.txt", "live.txt"])

    assert found == Found(
        installer=Installer.REQUIREMENTS,
        folder="site",
        names=("site/base.txt", "live.txt"),
        read=("live.txt", "site/base.txt", "site/more.txt"),
    )
    assert not problems(tmp_path, "site", files=["site/base.txt", "live.txt"])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"requirements.txt": ""}, "requirements.txt, by uv"),
        ({"poetry.lock": "", "pyproject.toml": POETRY}, "poetry.lock, by Poetry and uv"),
        ({"Pipfile.lock": "{}", "Pipfile": ""}, "Pipfile.lock, by Pipenv and uv"),
        ({"pyproject.toml": PROJECT}, "pyproject.toml, by uv, without a lock"),
        ({}, "none"),
    ],
)
def test_it_is_shown(tmp_path: Path, texts: dict[str, str], expected: str) -> None:
    """What was found is said in a few words."""
    write(tmp_path, texts)
    loaded = settings()

    assert dependencies.words(loaded.app, loaded.dependencies, tmp_path) == expected


def test_parts_of_the_project_in_a_lock_of_poetry(tmp_path: Path) -> None:
    """Libraries of the repository are read as well, wherever in it they lie."""
    lock = '[[package]]\nname = "a"\n[[package]]\nname = "b"\n[package.source]\ntype = "directory"\nurl = "../lib/b"\n'
    write(tmp_path, {"site/poetry.lock": lock, "site/pyproject.toml": POETRY, "lib/b/pyproject.toml": ""})

    found = find(tmp_path, "site")

    assert found.read == ("lib/b", "site/poetry.lock", "site/pyproject.toml")
    assert found.folders == ("lib/b",)


def test_parts_of_the_project_in_a_lock_of_pipenv(tmp_path: Path) -> None:
    """The same; a path that is an address is none."""
    lock = '{"default": {"b": {"editable": true, "path": "./lib/b"}, "c": {"file": "https://example.org/c.zip"}}}'
    write(tmp_path, {"Pipfile.lock": lock, "Pipfile": "", "lib/b/setup.py": ""})

    assert find(tmp_path).folders == ("lib/b",)


def test_a_part_from_elsewhere_is_refused(tmp_path: Path) -> None:
    """What lies above the project's root cannot be in the image."""
    lock = '[[package]]\n[package.source]\ntype = "directory"\nurl = "../lib"\n'
    write(tmp_path, {"poetry.lock": lock, "pyproject.toml": POETRY})

    with pytest.raises(ContextError, match=r"poetry\.lock: '\.\./lib' cannot be part of the image"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("sources", "read", "later"),
    [
        (['{ virtual = "." }', '{ registry = "x" }'], ["pyproject.toml", "uv.lock"], False),
        (['{ virtual = "." }', '{ virtual = "lib" }'], ["lib/pyproject.toml", "pyproject.toml", "uv.lock"], False),
        (['{ virtual = "." }', '{ virtual = "gone" }'], ["pyproject.toml", "uv.lock"], False),
        (['{ editable = "." }'], ["pyproject.toml", "uv.lock"], True),
        (['{ virtual = "." }', '{ directory = "lib" }'], ["pyproject.toml", "uv.lock"], True),
    ],
)
def test_what_uv_reads(tmp_path: Path, sources: list[str], read: list[str], later: bool) -> None:  # noqa: FBT001 - a column
    """What is a package of the project is installed when its code is there; the others say what they need before."""
    lock = "".join(f'[[package]]\nname = "p"\nsource = {each}\n' for each in sources)
    write(tmp_path, {"uv.lock": lock, "pyproject.toml": PROJECT, "lib/pyproject.toml": PROJECT})

    found = find(tmp_path)

    assert (list(found.read), found.later) == (read, later)


@pytest.mark.parametrize(
    ("installer", "refused"),
    [
        (Installer.UV, ["constraints", "build_constraints", "exclude_newer", "index"]),
        (Installer.POETRY, ["constraints", "exclude_newer"]),
        (Installer.PIPENV, ["extras", "constraints", "exclude_newer"]),
        (Installer.REQUIREMENTS, ["extras", "groups"]),
        (Installer.PYPROJECT, []),
    ],
)
def test_what_an_installer_cannot_follow(tmp_path: Path, installer: Installer, refused: list[str]) -> None:
    """It is refused by name, also where the installer was found and not named."""
    keep = {*dependencies.LOCKS.get(installer, ()), *(["requirements.txt"] if installer == "requirements" else [])}
    write(tmp_path, {name: ALL[name] for name in keep or {"pyproject.toml"}})

    assert [each.key for each in problems(tmp_path, None, **EVERYTHING)] == [
        f"slipway:dependencies.{name}" for name in refused
    ]


def test_a_refusal_in_full(tmp_path: Path) -> None:
    """It says what there is instead."""
    write(tmp_path, {"uv.lock": "", "pyproject.toml": PROJECT, "r.txt": ""})

    assert problems(tmp_path, build_constraints="setuptools<81 wheel", installer="uv") == [
        Problem(
            key="slipway:dependencies.build_constraints",
            found="setuptools<81 wheel",
            allowed="with uv.lock: nothing; pyproject.toml says it, as build-constraint-dependencies below [tool.uv]",
            mend="pulumi config rm --path 'slipway:dependencies.build_constraints' --stack dev",
        )
    ]
    assert problems(tmp_path, files="r.txt", installer="uv")[0].allowed == (
        "with uv.lock: nothing, since uv.lock names everything"
    )


def test_packages_of_the_settings_alone(tmp_path: Path) -> None:
    """Where no file says anything, the settings may: Django is among their packages then."""
    write(tmp_path, {"deps/requirements-live.txt": ""})
    said = {"packages": ["Django~=5.2.19", "psycopg[binary]"]}

    found = find(tmp_path, "site", **said)

    assert (found.installer, found.names, found.read, found.folder) == (Installer.REQUIREMENTS, (), (), "site")
    assert not problems(tmp_path, "site", **said)
    loaded = settings({"dependencies": said})
    step = installation.dependencies(found, loaded.dependencies, loaded.web)
    assert "    && uv pip install 'Django~=5.2.19' 'psycopg[binary]' \\\n" in step
    assert "--requirements" not in step
    assert dependencies.words(loaded.app, loaded.dependencies, tmp_path) == "slipway:dependencies.packages, by uv"


@pytest.mark.parametrize("packages", [[], ["django-environ"], ["psycopg[binary]"]])
def test_packages_beside_nothing(tmp_path: Path, packages: list[str]) -> None:
    """Packages without Django are what a project is given beside its own."""
    assert problems(tmp_path, packages=packages)[0].key == "slipway:dependencies.files"


def test_nothing_that_says_it(tmp_path: Path) -> None:
    """What is looked for is named, and what may be meant."""
    write(tmp_path, {"deps/requirements-live.txt": ""})

    assert problems(tmp_path) == [
        Problem(
            key="slipway:dependencies.files",
            found=f"nothing, and no file in {tmp_path} that says what the project depends on",
            allowed="uv.lock, poetry.lock, Pipfile.lock, requirements.txt, requirements/production.txt, "
            "requirements/prod.txt, requirements/base.txt, pyproject.toml with [project], "
            "Django itself in slipway:dependencies.packages; there is deps/requirements-live.txt",
            mend="pulumi config set --path 'slipway:dependencies.files' deps/requirements-live.txt --stack dev",
        )
    ]
    with pytest.raises(ContextError, match="no file in"):
        find(tmp_path)


def test_an_installer_without_its_files(tmp_path: Path) -> None:
    """An installer that was named needs its own files."""
    write(tmp_path, {"requirements.txt": ""})

    assert problems(tmp_path, installer="poetry") == [
        Problem(
            key="slipway:dependencies.installer",
            found=f'"poetry", but no file in {tmp_path} that says what the project depends on',
            allowed="poetry.lock with pyproject.toml; there is requirements.txt",
            mend="pulumi config rm --path 'slipway:dependencies.installer' --stack dev",
        )
    ]


@pytest.mark.parametrize(
    ("texts", "installer", "found", "mend"),
    [
        ({"pyproject.toml": POETRY}, None, "pyproject.toml without poetry.lock", "poetry lock"),
        ({"Pipfile": ""}, None, "Pipfile without Pipfile.lock", "pipenv lock"),
        ({"pyproject.toml": PROJECT}, "uv", "pyproject.toml without uv.lock", "uv lock"),
    ],
)
def test_a_lock_that_is_missing(
    tmp_path: Path, texts: dict[str, str], installer: str | None, found: str, mend: str
) -> None:
    """The command that makes it is named."""
    write(tmp_path, texts)

    assert problems(tmp_path, installer=installer) == [
        Problem(
            key="slipway:dependencies.installer",
            found=f"{found}, in {tmp_path}",
            allowed="a lock beside it, which says every version",
            mend=f"cd {tmp_path} && {mend}",
        )
    ]


def test_missing_requirements(tmp_path: Path) -> None:
    """The files that look like requirements are named."""
    write(tmp_path, {"requirements/prod.txt": "", "requirements-dev.txt": ""})

    assert problems(tmp_path, files=["requirements/prod.txt", "live.txt"]) == [
        Problem(
            key="slipway:dependencies.files",
            found=f'"live.txt", which is no file in {tmp_path}',
            allowed="files in the project; there is requirements-dev.txt, requirements/prod.txt",
            mend="pulumi config set --path 'slipway:dependencies.files' requirements/prod.txt --stack dev",
        )
    ]
    assert problems(tmp_path, files="live.txt")[0].mend.endswith("requirements-dev.txt --stack dev")


def test_dependencies_that_only_a_build_tells(tmp_path: Path) -> None:
    """A pyproject.toml that leaves its dependencies to a program is no list of them."""
    write(tmp_path, {"pyproject.toml": '[project]\nname = "x"\ndynamic = ["dependencies"]\n'})

    (problem,) = problems(tmp_path)

    assert problem.key == "slipway:dependencies.files"
    assert problem.found.endswith("does not say itself what the project depends on: its dependencies are dynamic")


def test_a_broken_pyproject(tmp_path: Path) -> None:
    """A file that is no TOML is named, with the place."""
    write(tmp_path, {"pyproject.toml": "[project\n"})

    (problem,) = problems(tmp_path)

    assert problem.found.startswith(f"{tmp_path}/pyproject.toml, which cannot be read (")
    assert problem.mend == "correct the file"
    with pytest.raises(ContextError, match="cannot be read"):
        find(tmp_path)


GROUPS = '[dependency-groups]\ndev = ["pytest"]\nmain = ["django"]\n'


def test_groups_alone(tmp_path: Path) -> None:
    """A pyproject.toml that only groups what is needed is installed by the groups that are named, and no other way."""
    write(tmp_path, {"pyproject.toml": GROUPS})

    found = find(tmp_path, groups=["main"])
    assert (found.installer, found.names, found.read) == (Installer.PYPROJECT, (), ("pyproject.toml",))
    assert problems(tmp_path, groups=["main"]) == []
    (only,) = problems(tmp_path)
    assert only.key == "slipway:dependencies.groups"
    assert only.found == f"nothing, and {tmp_path / 'pyproject.toml'} has groups of dependencies alone"
    assert only.allowed == "those that the project runs with: there is dev, main"
    assert only.mend == "pulumi config set --path 'slipway:dependencies.groups' main --stack dev"
