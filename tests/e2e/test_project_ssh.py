"""Projects that need a server with SSH: dependencies from git with an agent in the build, and the project itself."""

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import ROOT, Site
from tests.e2e.sshd import Agent, Sshd
from tests.e2e.test_project_dependencies import served

PROJECT = ROOT / "tests/projects/pipenv"
APP = {
    "name": "e2e",
    "settings_module": "shop.settings",
    "health_path": "/",
    "environment": {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "sqlite:////tmp/shop.sqlite3"},
}
ALONE: dict[str, Any] = {
    "postgres": {"provider": "none"},
    "redis": {"provider": "none"},
    "web": {"startup_seconds": 300},
}
"""What a stack says that is about its image alone."""
POETRY = "poetry==2.5.1"
NEEDED = ("django~=5.2", "dj-database-url")


@contextmanager
def server(folder: Path) -> Iterator[tuple[Sshd, Agent, Agent]]:
    """Give the server with a package, an agent that it lets in, and one that it does not."""
    with Agent(folder, "known") as known, Agent(folder, "stranger") as stranger, Sshd(folder, known.public) as sshd:
        sshd.package("oursecrets", "2.0")
        known.add()
        yield sshd, known, stranger


def use(site: Site, agent: Agent) -> None:
    """Let everything ask one agent from now on."""
    site.environ["SSH_AUTH_SOCK"] = str(agent.socket)


def turn(site: Site, hosts: str | list[str]) -> None:
    """Let the stack deploy the project with hosts for SSH."""
    app = {**APP, "source": str(site.app)}
    site.set(app=app, dependencies={"packages": [*NEEDED], "ssh_hosts": hosts}, **ALONE)


def require(site: Site, sshd: Sshd, why: str) -> None:
    """Write the requirements; a remark makes them others."""
    ours = f"oursecrets @ git+{sshd.url('oursecrets')}@v2.0"
    (site.app / "requirements.txt").write_text("\n".join([f"# {why}", *NEEDED, ours, ""]))


def lock(site: Site, sshd: Sshd, *command: str) -> None:
    """Make a lock as somebody who develops the project does."""
    known_hosts = site.folder / "known_hosts"
    known_hosts.write_text(f"{sshd.known_hosts}\n")
    environ = {
        "GIT_SSH_COMMAND": f"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={known_hosts}",
        "POETRY_SYSTEM_GIT_CLIENT": "true",  # its own one does not look at that
        "POETRY_VIRTUALENVS_CREATE": "false",
    }
    subprocess.run(command, cwd=site.app, env={**site.environ, **environ}, check=True, timeout=300)


def found_nowhere(site: Site, wanted: list[bytes]) -> None:
    """Search the state, what is kept on this machine, the image's history and every file of its layers."""
    folders = (site.state, site.root / ".slipway", site.root / "stacks")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files for each in wanted if each in path.read_bytes()]
    image = site.container("web").image
    assert image is not None
    told = json.dumps([image.history(), image.attrs, site.container("web").attrs]).encode()
    assert not [each for each in wanted if each in told]
    with tempfile.TemporaryFile() as saved:
        for chunk in image.save():
            saved.write(chunk)
        saved.seek(0)
        names = 0
        with tarfile.open(fileobj=saved) as whole:
            for member in whole:
                content = whole.extractfile(member)
                text = content.read() if content else b""
                assert not [each for each in wanted if each in text], member.name
                names += text.count(b"site-packages/oursecrets.py")
        assert names, "the layers were not searched"


def prove_refused(site: Site, sshd: Sshd, known: Agent, stranger: Agent) -> None:
    """Each thing that is missing is one error that names it, and the release before it serves on."""
    before = site.running()
    require(site, sshd, "another")
    del site.environ["SSH_AUTH_SOCK"]
    said = site.up().bad().text
    assert "slipway:dependencies.ssh_hosts: found hosts that the build reaches by SSH, and no SSH agent" in said
    assert "SSH_AUTH_SOCK is not set" in said
    assert "pulumi up" not in said
    preview = site.pipeline("preview", site.stack).good().text
    assert "warning: an update would need an SSH agent" in preview
    assert "SSH_AUTH_SOCK is not set" in site.run("pulumi", "up", "--yes", "--stack", site.stack).bad().text
    use(site, stranger)
    assert "and an SSH agent without a key" in site.up().bad().text
    stranger.add()
    assert f"{sshd.host} lets git in with none of the agent's keys" in site.up().bad().text
    use(site, known)
    other = sshd.known_hosts.rpartition(" ")[0] + " " + stranger.public.split()[1]
    turn(site, other)
    said = site.up().bad().text
    assert f"slipway:dependencies.ssh_hosts: {sshd.host} shows another key than the one that stands there" in said
    turn(site, other.replace(sshd.host, "192.0.2.7"))
    said = site.up().bad().text
    assert f"slipway:dependencies.ssh_hosts: it has no key of {sshd.host} that fits" in said
    assert f'"$(ssh-keyscan -p {sshd.port} {sshd.host})" --stack {site.stack}' in said
    assert site.running() == before
    assert site.ask().status == 200
    turn(site, [])
    said = site.up().bad().text
    assert f"slipway:dependencies.ssh_hosts does not name {sshd.host}" in said


def requirements(site: Site, sshd: Sshd, agent: Agent) -> None:
    """Deploy the project with requirements that name the server."""
    (site.app / "Pipfile.lock").unlink()
    require(site, sshd, "one")
    turn(site, sshd.known_hosts)
    use(site, agent)
    site.up().good()
    assert {"oursecrets": "2.0"}.items() <= served(site)[1].items()


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """The agent is asked while packages are downloaded, and neither its key nor its place are in what stays."""
    site = make_site("ssh", project=PROJECT).secrets()
    with server(tmp_path) as (sshd, known, stranger):
        requirements(site, sshd, known)
        found_nowhere(site, known.secrets())
        for program in ("git", "ssh"):
            missing = f"import shutil, sys; sys.exit(shutil.which('{program}') is not None)"
            site.execute("web", "python", "-c", missing)
        assert f"ok      {'ssh agent:':<21} has 1 key\n" in site.pipeline("doctor", site.stack).text

        use(site, stranger)
        same = site.pipeline("preview", site.stack).good().text
        assert "unchanged" in same
        assert "to " not in same.partition("Resources:")[2]


@pytest.mark.docker
@pytest.mark.long
def test_what_is_missing(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """No agent, no key, another key, another host: all are told apart, and nothing that serves changes."""
    site = make_site("ssh-missing", project=PROJECT).secrets()
    with server(tmp_path) as (sshd, known, stranger):
        requirements(site, sshd, known)
        assert site.pipeline("check", site.stack).code == 0
        prove_refused(site, sshd, known, stranger)


def of_uv(url: str) -> str:
    """A pyproject.toml of uv, with the project as a package."""
    asked = ", ".join(f'"{each}"' for each in (*NEEDED, "oursecrets"))
    return (
        f'[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = [{asked}]\n\n'
        f'[tool.uv.sources]\noursecrets = {{ git = "{url}", tag = "v2.0" }}\n\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["shop"]\n'
    )


def of_poetry(url: str) -> str:
    """A pyproject.toml of Poetry, which asks no index for a lock of this alone."""
    return (
        '[tool.poetry]\npackage-mode = false\n\n[tool.poetry.dependencies]\npython = ">=3.11"\n'
        f'oursecrets = {{ git = "{url}", tag = "v2.0" }}\n'
    )


@pytest.mark.docker
@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "pyproject", "command"),
    [
        ("uv", of_uv, ("uv", "lock", "--quiet")),
        ("poetry", of_poetry, ("uv", "tool", "run", "--quiet", "--from", POETRY, "poetry", "lock")),
    ],
    ids=["uv", "poetry"],
)
def test_locks(
    make_site: Callable[..., Site], tmp_path: Path, name: str, pyproject: Callable[[str], str], command: tuple[str, ...]
) -> None:
    """A lock that names the repository by SSH, with its commit."""
    site = make_site(f"ssh-{name}", project=PROJECT).secrets()
    with server(tmp_path) as (sshd, known, _):
        (site.app / "Pipfile.lock").unlink()
        use(site, known)
        (site.app / "pyproject.toml").write_text(pyproject(sshd.url("oursecrets")))
        lock(site, sshd, *command)
        turn(site, sshd.known_hosts)
        assert f"    dependencies: {name}.lock, by " in site.up().good().text
        assert {"oursecrets": "2.0"}.items() <= served(site)[1].items()
        found_nowhere(site, known.secrets())


@pytest.mark.docker
@pytest.mark.long
def test_the_project_itself(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """A project in a repository that is reached by SSH is brought with the agent and the known hosts of who deploys it."""
    site = make_site("ssh-source", project=PROJECT).secrets()
    with server(tmp_path) as (sshd, known, stranger):
        commit = sshd.push(site.app, "shop", "v1")
        app: dict[str, Any] = {**APP, "source": sshd.url("shop"), "ref": "v1"}
        site.set(app=app, **ALONE)
        known_hosts = site.folder / "known_hosts"
        known_hosts.write_text("")
        site.environ["GIT_SSH_COMMAND"] = f"ssh -o BatchMode=yes -o UserKnownHostsFile={known_hosts}"
        use(site, stranger)
        refused = (
            f'slipway:app.source: found "{sshd.url("shop")}", which is no repository, or does not let this machine in'
        )
        assert f"{refused}: Host key verification failed." in site.up().bad().text
        known_hosts.write_text(f"{sshd.known_hosts}\n")
        assert f"{refused}: git@{sshd.host}: Permission denied (publickey)." in site.up().bad().text
        use(site, known)
        assert f"    source: {sshd.url('shop')}, v1: {commit}\n" in site.up().good().text
        assert site.ask().status == 200
        site.set(app={**app, "source": sshd.url("nothing")}, **ALONE)
        assert "does not appear to be a git repository" in site.up().bad().text


@pytest.mark.cluster
@pytest.mark.long
def test_on_a_cluster(make_cluster_site: Callable[..., ClusterSite], tmp_path: Path) -> None:
    """The same builds, whose images are pushed."""
    site = make_cluster_site("ssh", project=PROJECT)
    site.secrets()
    with server(tmp_path) as (sshd, known, _):
        requirements(site, sshd, known)
