"""What goes wrong before anything is up: each gets one clear error, and nothing half made."""

import shutil
import socket
from collections.abc import Callable

import pytest

from tests.e2e.site import ROOT, Site

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def shared(make_site: Callable[..., Site]) -> Site:
    """A stack that never gets up."""
    return make_site("bad").secrets()


@pytest.fixture
def site(shared: Site) -> Site:
    """The same stack, with its file as it was in the beginning."""
    shared.set()
    return shared


def errors(text: str) -> str:
    """What is printed from the first error on."""
    return text[text.index("error:") :].strip() if "error:" in text else text


def test_a_missing_daemon(site: Site) -> None:
    """The address that was asked is named."""
    said = site.up(DOCKER_HOST="unix:///nonexistent").bad().text

    assert errors(said) == (
        "error: the Docker daemon does not answer at unix:///nonexistent: there is no such socket\n"
        "  allowed: a running Docker daemon, 20.10 or newer, that this user may talk to\n"
        "  mend:    tools/bootstrap   # starts it where it may, and says what to do where it may not"
    )
    assert site.things() == []


def test_a_taken_port(site: Site) -> None:
    """The mend, run as it is printed, is enough to get on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", site.port))
        listener.listen()
        said = errors(site.up().bad().text)

        assert said.startswith(
            f"error: slipway:edge.port: 127.0.0.1:{site.port} is taken by another program\n"
            "  allowed: a free port\n"
            "  mend:    pulumi config set --path slipway:edge.port "
        )
        mend = said.rpartition("mend:    ")[2]
        site.run("sh", "-c", mend).good()
        assert f'"edge.port": {site.port}' not in site.pipeline("settings", site.stack).good().text
    assert site.things() == []


def test_a_source_without_a_project(site: Site) -> None:
    """By setting and by argument."""
    empty = site.folder / "empty"
    empty.mkdir(exist_ok=True)
    said = site.up("--app", str(empty)).bad().text
    assert errors(said) == (
        f"error: --app {empty}: {empty} has no manage.py\n"
        "  allowed: the folder of a Django project, the one with manage.py\n"
        "  mend:    make up APP=path/to/the/folder/with/manage.py"
    )

    site.set(app={"source": str(empty)})
    said = errors(site.up().bad().text)
    assert said.startswith(f'error: slipway:app.source: found "{empty}", which has no manage.py')
    assert f"slipway:app.source' examples/guestbook --stack {site.stack}" in said or "path/to/project" in said
    assert site.things() == []


def test_a_wrong_settings_module(site: Site) -> None:
    """The mend names the module that the project really has."""
    site.set(app={"settings_module": "config.settigns"})

    said = errors(site.up().bad().text)

    assert said.startswith('error: slipway:app.settings_module: found "config.settigns", which is no module in ')
    assert "there is config.settings" in said
    assert (
        f"mend:    pulumi config set --path 'slipway:app.settings_module' config.settings --stack {site.stack}" in said
    )
    assert site.things() == []


def test_all_problems_of_the_settings_at_once(site: Site) -> None:
    """A user mends the file in one go."""
    site.set(web={"replicas": 0, "replica": 2}, edge={"port": "eighty"})

    said = errors(site.up().bad().text)

    assert said.count("error: ") == 3
    for key in (
        "slipway:web.replicas: found 0",
        "slipway:web.replica: found a key",
        'slipway:edge.port: found "eighty"',
    ):
        assert key in said


def test_a_missing_secret(site: Site) -> None:
    """The command that makes it is named, and it makes that one alone."""
    before = site.secret("django_key")
    site.run("pulumi", "config", "rm", "secrets:redis_password", "--stack", site.stack).good()

    said = errors(site.up().bad().text)

    assert said == (
        "error: secrets:redis_password: found nothing\n"
        "  allowed: an encrypted value in the stack's file\n"
        f"  mend:    python -m pipeline secrets init {site.stack}"
    )
    site.run("sh", "-c", said.rpartition("mend:    ")[2]).good()
    assert site.secret("django_key") == before
    assert len(site.secret("redis_password")) > 20


def test_a_wrong_passphrase(site: Site) -> None:
    """It is named before anything is made, and nothing is decrypted with it."""
    said = errors(site.up(PULUMI_CONFIG_PASSPHRASE="wrong").bad().text)

    assert said == (
        f"error: the passphrase (from PULUMI_CONFIG_PASSPHRASE) does not open the secrets of stack {site.stack}\n"
        f"  allowed: the passphrase that stacks/Pulumi.{site.stack}.yaml was made with\n"
        "  mend:    export PULUMI_CONFIG_PASSPHRASE_FILE=path/of/the/right/passphrase"
    )
    assert site.things() == []


def test_an_unknown_stack(site: Site) -> None:
    """The known ones are named."""
    said = errors(site.pipeline("up", "stagign").bad().text)

    assert said.startswith(
        "error: there is no stack stagign: stacks/Pulumi.stagign.yaml does not exist\n  allowed: dev, "
    )


def test_a_build_that_fails(site: Site) -> None:
    """What the project's own code says about it is readable, and no container of the application was started."""
    app = site.folder / "broken"
    shutil.copytree(ROOT / "examples/guestbook", app, dirs_exist_ok=True)
    settings = app / "config/settings.py"
    settings.write_text(settings.read_text() + "\nimport no_such_package\n")
    site.set(app={"source": str(app)})

    said = site.up().bad().text

    assert "No module named 'no_such_package'" in errors(said)
    assert not site.containers("web")
    site.set()
    site.down().good()
    assert site.things() == []
