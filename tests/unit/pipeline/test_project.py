"""What ``--app`` finds out about a Django project."""

from pathlib import Path

import pytest

from pipeline.console import PipelineError
from pipeline.engine import ROOT
from pipeline.project import find, relative


def make(folder: Path, files: dict[str, str]) -> Path:
    """Write a project."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
USUAL = {
    "manage.py": MANAGE,
    "requirements.txt": "django",
    "shop/settings.py": 'WSGI_APPLICATION = "shop.wsgi.application"\n',
    "shop/wsgi.py": "application = None\n",
    "shop/urls.py": "",
}


def test_a_usual_project_needs_two_keys(tmp_path: Path) -> None:
    """What has a default or follows by itself is left out, so that the stack's file stays short."""
    folder = make(tmp_path / "Shop 2", {**USUAL, "shop/urls.py": 'path("healthz", healthz)'})

    assert find(str(folder), tmp_path / "repository") == {"source": "../Shop 2", "settings_module": "shop.settings"}


@pytest.mark.parametrize(
    ("path", "root", "written"),
    [
        ("/home/ada/slipway/examples/shop", "/home/ada/slipway", "examples/shop"),
        ("/home/ada/work/shop", "/home/ada/slipway", "../work/shop"),
        ("/srv/shop", "/home/ada/slipway", "/srv/shop"),
        ("/home/ada", "/home/ada/slipway", "/home/ada"),
        ("/srv/shop", "/slipway", "/srv/shop"),
    ],
)
def test_the_path_of_a_project_means_the_same_to_others(path: str, root: str, written: str) -> None:
    """A stack's file is committed: what lies in the clone or beside it is named from there."""
    assert relative(Path(path), Path(root)) == written


def test_what_is_unusual_is_said(tmp_path: Path) -> None:
    """A settings package, a WSGI module elsewhere, and no health page."""
    files = {
        "manage.py": MANAGE.replace("shop.settings", "shop.settings.production"),
        "requirements/production.txt": "django",
        "shop/settings/__init__.py": "",
        "shop/settings/base.py": 'WSGI_APPLICATION = "shop.web.wsgi.app"\n',
        "shop/settings/production.py": "from .base import *\n",
        "shop/urls.py": "",
    }
    folder = make(tmp_path / "repository/inside", files)

    assert find(str(folder), tmp_path / "repository") == {
        "source": "inside",
        "settings_module": "shop.settings.production",
        "wsgi_module": "shop.web.wsgi:app",
        "health_path": "/",
    }


def test_the_example_is_found() -> None:
    """The project that the repository brings needs no special words."""
    assert find(str(ROOT / "examples/guestbook"), ROOT) == {
        "source": "examples/guestbook",
        "settings_module": "config.settings",
    }


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (None, "is no folder"),
        ({"README": ""}, "has no manage.py"),
        ({"manage.py": "print()"}, "names no settings module"),
    ],
)
def test_what_is_no_project_is_refused(tmp_path: Path, files: dict[str, str] | None, text: str) -> None:
    """Each with the reason and a command."""
    if files is not None:
        make(tmp_path / "x", files)

    with pytest.raises(PipelineError, match=text) as error:
        find(str(tmp_path / "x"), tmp_path)
    assert error.value.problems[0].mend
