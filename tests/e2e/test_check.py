"""A stack file is written from a project's files, tried without deploying, and deployed as it was written."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.site import ROOT, Site
from tests.e2e.test_project_environment import APP, PROJECT

STARTPROJECT = ROOT / "tests/projects/startproject"


def nothing_of(site: Site) -> bool:
    """Whether Docker has nothing of a stack, be it deployed or only looked at."""
    images = [tag for image in site.daemon.images.list() for tag in image.tags if "-check:" in tag]
    looking = site.daemon.containers.list(all=True, filters={"label": [f"slipway.check={site.stack}"]})
    return not site.things() and not images and not looking


@pytest.mark.docker
def test_a_project_as_startproject_makes_it(make_site: Callable[..., Site]) -> None:
    """`init`, `check` and `up` are enough: what its settings hold is said differently by a module of the stack."""
    site = make_site("startproject", project=STARTPROJECT)
    before = {path: path.read_bytes() for path in site.app.rglob("*") if path.is_file()}
    wrote = site.pipeline("init", str(site.app), "--stack", site.stack, "--force").good()
    assert f"Wrote stacks/Pulumi.{site.stack}.yaml. Next:" in wrote.text
    missing = "secrets:django_key, secrets:postgres_password, secrets:redis_password: nothing\n"
    assert missing in site.pipeline("check", site.stack).good().text
    site.secrets().pulumi("config", "set", "--path", "slipway:edge.port", str(site.port))

    checked = site.pipeline("check", site.stack).good()
    assert "    settings slipway_settings                          good " in checked.text
    assert "error:" not in checked.text
    assert "security.W018" not in checked.text  # DEBUG is off
    assert "secrets:" not in checked.text
    assert nothing_of(site)

    site.up().good()
    page = site.ask("/", headers={"Host": "localhost"})
    assert json.loads(page.body) == {
        "vendor": "postgresql",
        "users": 0,
        "debug": False,
        "hosts": ["localhost", "127.0.0.1"],
        "key": hashlib.sha256(site.secret("django_key").encode()).hexdigest(),
    }
    assert site.ask("/static/admin/css/base.css").status == 200
    assert {path: path.read_bytes() for path in site.app.rglob("*") if path.is_file()} == before


def findings(site: Site) -> tuple[int, list[dict[str, Any]]]:
    """What a check finds, but for secrets and for what Django says about TLS."""
    done = site.run("sh", "-c", f"python -m pipeline check {site.stack} --json 2>/dev/null")
    found = json.loads(done.text)["findings"]
    return done.code, [each for each in found if each["check"] != "secrets" and "security." not in each["found"]]


@pytest.mark.docker
def test_what_stops_a_deployment_is_found_before_it(make_site: Callable[..., Site]) -> None:
    """A project that is right; a missing migration and a process without a program; settings that cannot be imported."""
    site = make_site("check-environment", project=PROJECT, app=APP)
    assert findings(site) == (0, [])
    site.set(app={**APP, "environment": {k: v for k, v in APP["environment"].items() if k != "SITE"}})  # type: ignore[attr-defined]
    code, [found] = findings(site)
    assert code == 1
    assert found["check"] == "build"
    assert found["found"] == "the settings want the variable SITE, which nothing sets"
    assert found["mend"] == f"pulumi config set --path 'slipway:app.environment.SITE' VALUE --stack {site.stack}"
    assert found["log"][-1] == "KeyError: 'SITE'"
    assert nothing_of(site)


@pytest.mark.docker
def test_findings_of_a_project_that_can_be_built(make_site: Callable[..., Site]) -> None:
    """Models without a migration, an application that cannot be imported, processes that are not there: all in one run."""
    site = make_site(
        "check-guestbook",
        processes={"worker": {"command": "celery -A shop worker"}, "beat": {"command": "python manage.py beat"}},
    )
    page = "class Page(models.Model):\n    number = models.IntegerField()\n\n\n"
    site.change("guestbook/models.py", "class Entry(", f"{page}class Entry(")
    site.change("config/wsgi.py", "import os\n", "import os\nimport nowhere\n")
    code, found = findings(site)
    assert code == 1
    assert [(each["check"], each["found"]) for each in found] == [
        (
            "manage.py makemigrations --check",
            "models of guestbook have changes that no migration has: Create model Page",
        ),
        (
            "application config.wsgi:application",
            "No module named 'nowhere': the project does not ask for the package that has it",
        ),
        ("process beat", "slipway:processes.beat.command: there is no command beat of manage.py"),
        ("process worker", "slipway:processes.worker.command: there is no program celery in the image"),
    ]
    assert found[0]["mend"] == "python manage.py makemigrations guestbook   # in the project; commit what it writes"
    assert found[1]["mend"] == (
        f"pulumi config set --path 'slipway:dependencies.packages' nowhere --stack {site.stack}"
    )
    assert nothing_of(site)
