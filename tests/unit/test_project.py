"""What the settings point at on disk: a small project, and every way in which it can be missing."""

from pathlib import Path
from typing import Any

import pytest

from components.problems import Problem, SettingsError
from components.settings import check, parse

MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a Django project in it."""
    write(tmp_path, "shop/manage.py", MANAGE)
    write(tmp_path, "shop/config/settings/__init__.py")
    write(tmp_path, "shop/config/settings/local.py")
    write(tmp_path, "shop/config/wsgi.py", "from django.core.wsgi import get_wsgi_application\napplication = x()\n")
    write(tmp_path, "shop/requirements.txt")
    return tmp_path


def write(root: Path, name: str, text: str = "") -> None:
    """Write a file with the folders above it."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def said(**app: object) -> dict[str, Any]:
    """Say something about the app."""
    return {"environment": "dev", "app": {"source": "shop", "settings_module": "config.settings", **app}}


def problems(root: Path, **app: object) -> list[Problem]:
    """Give everything that is wrong."""
    with pytest.raises(SettingsError) as error:
        check(said(**app), "dev", root)
    return list(error.value.problems)


def problem(root: Path, **app: object) -> Problem:
    """Give the only thing that is wrong."""
    (only,) = problems(root, **app)
    return only


def test_a_project_that_is_there(root: Path) -> None:
    """Nothing is wrong with a project that has what the settings say, wherever it is."""
    assert check(said(), "dev", root) == parse(said(), "dev", root)
    assert check(said(source=str(root / "shop")), "dev", Path("/")).app.name == "shop"


def test_settings_that_the_stack_renders(root: Path) -> None:
    """A settings module may be one of the stack's files, beside manage.py or where modules are imported from."""
    wsgi = {"settings_module": "live", "wsgi_module": "config.wsgi:application"}
    check(said(**wsgi, files={"/app/live.py": "from config.settings import *"}), "dev", root)
    write(root, "shop/src/x.py")
    check(said(**wsgi, python_path="src", files={"/app/src/live.py": ""}), "dev", root)
    assert problem(root, **wsgi, files={"/app/other/live.py": ""}).key == "slipway:app.settings_module"


def test_a_source_that_is_no_folder(root: Path) -> None:
    """A wrong path is answered with the projects that are there."""
    assert problem(root, source="shopp") == Problem(
        key="slipway:app.source",
        found=f'"shopp", which is no folder ({root}/shopp)',
        allowed="the folder of a Django project, with its manage.py; there is shop",
        mend="pulumi config set --path 'slipway:app.source' shop --stack dev",
    )


def test_a_source_above_the_project(root: Path) -> None:
    """A folder above the project is answered with the project, which may lie outside the repository."""
    write(root, "work/site/src/manage.py")

    inner = root / "repository"
    assert problem(inner, source="../work").mend == (
        "pulumi config set --path 'slipway:app.source' ../work/site/src --stack dev"
    )
    assert problem(inner / "deep", source="../../work").mend == (
        f"pulumi config set --path 'slipway:app.source' {root}/work/site/src --stack dev"
    )


def test_no_project_anywhere(tmp_path: Path) -> None:
    """Where there is no project at all, that is said; hidden and installed folders do not count."""
    write(tmp_path, ".venv/manage.py")
    write(tmp_path, "lib/site-packages/manage.py")
    write(tmp_path, "a/b/c/d/e/manage.py")

    assert problem(tmp_path, source=".") == Problem(
        key="slipway:app.source",
        found=f'".", which has no manage.py ({tmp_path})',
        allowed="the folder of a Django project, with its manage.py; none was found",
        mend="pulumi config set --path 'slipway:app.source' path/to/project --stack dev",
    )


def test_a_wrong_settings_module(root: Path) -> None:
    """The modules that do exist are named, first the one of manage.py; what follows from the wrong one is not."""
    assert problem(root, settings_module="conf.settings") == Problem(
        key="slipway:app.settings_module",
        found=f'"conf.settings", which is no module in {root}/shop',
        allowed="a Django settings module in the project; there is config.settings.local, config.settings",
        mend="pulumi config set --path 'slipway:app.settings_module' config.settings.local --stack dev",
    )


def test_a_wrong_settings_module_without_any(root: Path) -> None:
    """A manage.py that names nothing, or nothing that exists, is no help, and no harm."""
    write(root, "shop/manage.py", MANAGE.replace("local", "gone"))
    (root / "shop/config/settings/local.py").unlink()
    (root / "shop/config/settings/__init__.py").unlink()
    expected = "a Django settings module in the project; none was found"

    assert problem(root).allowed == expected
    write(root, "shop/manage.py")
    assert problem(root).allowed == expected


def test_a_wrong_wsgi_module(root: Path) -> None:
    """The module must be there and must have the application."""
    write(root, "shop/other/wsgi.py", "def application(environ, start_response): ...\n")
    write(root, "shop/empty/wsgi.py", "")

    assert problem(root, wsgi_module="conf.wsgi:application") == Problem(
        key="slipway:app.wsgi_module",
        found=f'"conf.wsgi:application": there is no module conf.wsgi in {root}/shop',
        allowed="a WSGI application in the project; there is config.wsgi:application, other.wsgi:application",
        mend="pulumi config set --path 'slipway:app.wsgi_module' config.wsgi:application --stack dev",
    )
    assert problem(root, wsgi_module="config.wsgi:app").found == (
        '"config.wsgi:app": there is no app in config/wsgi.py'
    )


def test_both_modules_wrong(root: Path) -> None:
    """A WSGI module that the stack names itself is a problem of its own."""
    found = problems(root, settings_module="conf.settings", wsgi_module="conf.wsgi:application")

    assert [each.key for each in found] == ["slipway:app.settings_module", "slipway:app.wsgi_module"]


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("application = get()", True),
        ("a, application = get()", True),
        ("application: object = get()", True),
        ("from x import application", True),
        ("from x import app as application", True),
        ("import application.x", True),
        ("class application: ...", True),
        ("try:\n    application = get()\nfinally: ...", True),
        ("from x import *", True),
        ("app = get()\ncall()", False),
        ("application.x = 1", False),
        ("application = = get()", False),
        ("applic\0ation = 1", False),
    ],
)
def test_what_a_module_defines(root: Path, text: str, has: bool) -> None:  # noqa: FBT001  # a column
    """The application is found without running anything; what only running it would tell counts as there."""
    write(root, "shop/config/wsgi.py", text)

    if has:
        check(said(), "dev", root)
    else:
        assert problem(root).key == "slipway:app.wsgi_module"


def test_a_folder_of_a_repository(root: Path) -> None:
    """The project may lie in a folder of its root, and import from other folders of it."""
    write(root, "lib/config/settings/__init__.py")
    write(root, "lib/config/wsgi.py", "application = x()\n")

    loaded = check(
        {
            "environment": "dev",
            "app": {"source": ".", "directory": "shop", "python_path": ["lib"], "settings_module": "config.settings"},
        },
        "dev",
        root,
    )
    assert loaded.app.directory == "shop"
    (root / "shop/config/wsgi.py").unlink()
    assert check(said(source=".", directory="shop", python_path="lib"), "dev", root).app.python_path == ["lib"]


@pytest.mark.parametrize(
    ("directory", "what"), [("site", "is no folder in {root}"), ("shop/config", "has no manage.py")]
)
def test_a_wrong_directory(root: Path, directory: str, what: str) -> None:
    """A folder without manage.py is answered with those that have one."""
    assert problem(root, source=".", directory=directory) == Problem(
        key="slipway:app.directory",
        found=f'"{directory}", which {what.format(root=root)}',
        allowed="a folder in the project, with its manage.py; there is shop",
        mend="pulumi config set --path 'slipway:app.directory' shop --stack dev",
    )


def test_a_wrong_python_path(root: Path) -> None:
    """Each folder must be there; the mend keeps the others."""
    write(root, "lib/a.py")

    assert problem(root, source=".", directory="shop", python_path=["lib", "src"]) == Problem(
        key="slipway:app.python_path",
        found=f'"src", which is no folder in {root}',
        allowed="folders in the project",
        mend="pulumi config set --path 'slipway:app.python_path' lib --stack dev",
    )


def test_dependencies_are_looked_at(root: Path) -> None:
    """A project without a file that says what it depends on is refused; an image of its own keeps its secrets."""
    (root / "shop/requirements.txt").unlink()

    assert problem(root).key == "slipway:dependencies.files"
    write(root, "shop/Dockerfile")
    check(said(dockerfile="Dockerfile"), "dev", root)


def test_a_dockerfile_of_the_projects_own(root: Path) -> None:
    """A named Dockerfile must be there; requirements and modules are then its own affair."""
    assert problem(root, dockerfile="docker/Dockerfile", settings_module="elsewhere.settings") == Problem(
        key="slipway:app.dockerfile",
        found=f'"docker/Dockerfile", which is no file in {root}/shop',
        allowed="a file in the project; none was found",
        mend="pulumi config set --path 'slipway:app.dockerfile' Dockerfile --stack dev",
    )
    write(root, "shop/docker/Dockerfile")
    check(said(dockerfile="docker/Dockerfile", settings_module="elsewhere.settings"), "dev", root)


def test_a_ca_bundle_that_is_not_there(root: Path) -> None:
    """The bundle of the build must be a file of this machine."""
    with pytest.raises(SettingsError) as error:
        check({**said(), "build": {"ca_bundle": "ca.pem"}}, "dev", root)

    assert error.value.problems == (
        Problem(
            key="slipway:build.ca_bundle",
            found='"ca.pem", which is no file on this machine',
            allowed="a file with certificates in PEM form",
            mend="pulumi config set --path 'slipway:build.ca_bundle' /etc/ssl/certs/ca-certificates.crt --stack dev",
        ),
    )
    write(root, "ca.pem")
    assert check({**said(), "build": {"ca_bundle": "ca.pem"}}, "dev", root).build.ca_bundle == "ca.pem"


def test_a_folder_that_cannot_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be listed holds no candidates."""
    write(root, "locked/site/manage.py")
    listing = Path.iterdir

    def refusing(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    assert problem(root, source="shopp").allowed.endswith("there is shop")
