"""Projects that say in different ways what they depend on: tests/projects/poetry-subdirectory, uv-src and pipenv."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster_site import ClusterSite
from tests.e2e.private import Private
from tests.e2e.site import ROOT, Site

PROJECTS = ROOT / "tests/projects"
APP = {
    "settings_module": "shop.settings",
    "health_path": "/",
    "environment": {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "${database.url}"},
}
POETRY: dict[str, Any] = {
    "app": {**APP, "directory": "site"},
    "dependencies": {"groups": "live", "packages": "psycopg[binary]==3.3.9 gunicorn==23.0.0"},
    "build": {"runtime_packages": ["tree"], "collect_static": "never"},
}
UV: dict[str, Any] = {
    "app": {**APP, "python_path": "src"},
    "dependencies": {"extras": "live", "groups": "mail"},
}
PIPENV: dict[str, Any] = {
    "app": APP,
    "dependencies": {"groups": ["live"], "packages": ["psycopg[binary]==3.3.9"]},
}


def turn(site: Site, project: str, settings: dict[str, Any]) -> None:
    """Let the stack deploy another project."""
    folder = site.folder / project
    shutil.copytree(PROJECTS / project, folder, dirs_exist_ok=True)
    if project == "uv-src":  # a lock names where its packages come from, which is not the same everywhere
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, env=site.environ, check=True, timeout=120)
    site.set(**{**settings, "app": {**settings["app"], "name": "e2e", "source": str(folder)}})


def served(site: Site) -> tuple[dict[str, Any], dict[str, str]]:
    """What the project shows: facts, and each package that is installed with its version."""
    facts: dict[str, Any] = json.loads(site.ask().body)
    installed: dict[str, str] = facts.pop("installed")
    return facts, {name.lower(): version for name, version in installed.items()}


def prove_poetry(site: Site) -> None:
    """A folder of the repository with a lock of Poetry, that needs a library beside it and a package of the system."""
    turn(site, "poetry-subdirectory", POETRY)
    assert "    dependencies: site/poetry.lock, by Poetry and uv\n" in site.up().good().text
    facts, installed = served(site)
    assert facts == {"folder": "/app/site", "gross": 119, "database": 42, "tree": True}
    assert {
        "django": "5.2.19",
        "whitenoise": "6.12.0",
        "gunicorn": "23.0.0",
        "pricing": "0.7",
    }.items() <= installed.items()
    assert not {"iniconfig", "poetry", "uv", "pip", "hatchling"} & set(installed)


def prove_uv(site: Site) -> None:
    """A package with its code in src, and a workspace."""
    turn(site, "uv-src", UV)
    assert "    dependencies: uv.lock, by uv\n" in site.up().good().text
    facts, installed = served(site)
    assert facts == {"gross": 119, "database": 42}
    assert {
        "shop": "3.2.1",
        "pricing": "0.7",
        "whitenoise": "6.12.0",
        "django-anymail": "14.0",
    }.items() <= installed.items()
    assert "gunicorn" in installed
    assert "iniconfig" not in installed


def prove_private(site: Site, private: Private) -> None:
    """Packages of an index and of a git repository that want a password, which is in nothing that stays."""
    settings = {
        **PIPENV,
        "dependencies": {
            "installer": "requirements",
            "files": ["requirements/base.txt", "requirements/private.txt"],
            "packages": "psycopg[binary]",
            "constraints": ["psycopg<3.3", "psycopg-binary<3.3"],
            "exclude_newer": "2026-09-30",
            "build_constraints": "hatchling<2",
            "index": f"{private.url}/simple",
            "netrc": True,
        },
        "build": {"packages": "git"},
    }
    turn(site, "pipenv", settings)
    requirements = site.folder / "pipenv/requirements"
    requirements.mkdir()
    (requirements / "base.txt").write_text("django~=5.2\ndj-database-url\n-e ./library\n")
    (requirements / "private.txt").write_text(f"ourprices\noursecrets @ git+{private.url}/oursecrets.git@main\n")
    shutil.copytree(PROJECTS / "uv-src/libraries/pricing", site.folder / "pipenv/library")
    assert "secrets:netrc: found nothing" in site.up().bad().text
    site.run("pulumi", "config", "set", "--secret", "secrets:netrc", "--stack", site.stack, private.netrc).good()

    site.up().good()

    _, installed = served(site)
    assert {"ourprices": "1.0", "oursecrets": "2.0", "pricing": "0.7"}.items() <= installed.items()
    assert installed["psycopg"].startswith("3.2.")
    token = private.token.encode()
    folders = (site.state, site.root / ".slipway", site.root / "stacks")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if token in path.read_bytes()]
    image = site.container("web").image
    assert image is not None
    assert token not in json.dumps([image.history(), image.attrs, site.container("web").attrs]).encode()
    with tempfile.TemporaryFile() as saved:
        for chunk in image.save():
            saved.write(chunk)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as layers:
            for member in layers:
                content = layers.extractfile(member)
                assert content is None or token not in content.read(), member.name


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """Each is deployed as it is, with what its lock says; a lock that does not match is one error, and nothing changes."""
    site = make_site("dependencies", project=PROJECTS / "pipenv", app=APP).secrets()
    prove_poetry(site)

    site_pyproject = site.folder / "poetry-subdirectory/site/pyproject.toml"
    site_pyproject.write_text(site_pyproject.read_text().replace("3.1.2", "3.1.1"))
    said = site.up().bad().text
    assert "poetry.lock does not match pyproject.toml" in said
    assert "poetry lock   # in the folder of poetry.lock" in said

    with Private(tmp_path) as private:
        prove_private(site, private)

    prove_uv(site)
    pyproject = site.folder / "uv-src/pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("==14.0", "==13.0"))
    assert "uv lock   # in the folder of uv.lock" in site.up().bad().text
    assert served(site)[1]["django-anymail"] == "14.0"


@pytest.mark.docker
@pytest.mark.long
def test_pipenv(make_site: Callable[..., Site]) -> None:
    """A lock of Pipenv, with one of its categories."""
    site = make_site("pipenv", project=PROJECTS / "pipenv", app=APP).secrets()
    turn(site, "pipenv", PIPENV)
    assert "    dependencies: Pipfile.lock, by Pipenv and uv\n" in site.up().good().text
    _, installed = served(site)
    assert {"django": "5.2.19", "whitenoise": "6.12.0", "psycopg": "3.3.9"}.items() <= installed.items()
    pipfile = site.folder / "pipenv/Pipfile"
    pipfile.write_text(pipfile.read_text().replace("3.1.2", "3.1.1"))
    assert "pipenv lock   # in the folder of Pipfile.lock" in site.up().bad().text


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """The same images do the same there."""
    site = make_cluster_site("dependencies", project=PROJECTS / "pipenv", app=APP)
    site.secrets()
    prove_poetry(site)
    prove_uv(site)
