"""The steps of a build that install what a project depends on."""

import re
from dataclasses import replace

import pytest

from components import installation
from components.dependencies import Found, Installer
from tests.sample import settings

CA = "--mount=type=secret,id=ca_bundle,target=/etc/ssl/certs/ca-certificates.crt"
BASE = Found(installer=Installer.REQUIREMENTS, folder="", names=("requirements.txt",), read=("requirements.txt",))
HOST = "git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSuN7mPbt3zTRrHMkY0iXUsv0fQjqKJrcXdA"
LOCK = {
    Installer.UV: replace(BASE, installer=Installer.UV, names=("uv.lock",), read=("pyproject.toml", "uv.lock")),
    Installer.POETRY: replace(
        BASE, installer=Installer.POETRY, names=("poetry.lock",), read=("poetry.lock", "pyproject.toml")
    ),
    Installer.PIPENV: replace(
        BASE, installer=Installer.PIPENV, names=("Pipfile.lock",), read=("Pipfile", "Pipfile.lock")
    ),
    Installer.PYPROJECT: replace(
        BASE, installer=Installer.PYPROJECT, names=("pyproject.toml",), read=("pyproject.toml",)
    ),
}
UV = "--active --python /opt/venv/bin/python --no-default-groups"


def steps(found: Found, **said: object) -> list[str]:
    """Give the commands of the step between making the environment and adding gunicorn."""
    text = installation.dependencies(found, settings({"dependencies": said}).dependencies, settings().web)
    between = text.split("/opt/venv \\\n    && ")[1].split(" \\\n    && { [ -e")[0]
    return between.split(" \\\n    && ")


def test_the_whole_step() -> None:
    """The usual one, word for word: a changed word is a new release for everybody."""
    assert installation.dependencies(BASE, settings().dependencies, settings().web) == (
        "# Dependencies: a layer that only the requirements change. "
        "Sources of translations (.po) are not read when running.\n"
        "RUN --mount=type=cache,target=/root/.cache/uv \\\n"
        f"    {CA} \\\n"
        "    --mount=type=bind,source=requirements.txt,target=/app/requirements.txt \\\n"
        "    if [ -s /etc/ssl/certs/ca-certificates.crt ]; "
        "then export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt; fi; \\\n"
        '    uv venv --quiet --python "$(command -v python3)" /opt/venv \\\n'
        "    && uv pip install --requirements requirements.txt \\\n"
        "    && { [ -e /opt/venv/bin/gunicorn ] || uv pip install gunicorn==27.0.1; } \\\n"
        "    && find /opt/venv -name '*.po' -delete\n\n"
    )


@pytest.mark.parametrize(
    ("found", "said", "expected"),
    [
        (LOCK[Installer.UV], {}, [f"uv sync --locked --no-install-project {UV}"]),
        (
            replace(LOCK[Installer.UV], folder="site", later=True),
            {"extras": "live", "groups": "a b"},
            [
                (
                    "(mkdir -p /app/site && cd /app/site && uv sync --frozen --no-install-local "
                    f"{UV} --extra live --group a --group b)"
                )
            ],
        ),
        (
            LOCK[Installer.POETRY],
            {},
            [
                "poetry export --only main --output /tmp/requirements.txt",
                "uv pip install --index-strategy unsafe-best-match --requirements /tmp/requirements.txt",
            ],
        ),
        (
            LOCK[Installer.POETRY],
            {"extras": "a b", "groups": "live"},
            [
                "poetry export --only main,live --extras 'a b' --output /tmp/requirements.txt",
                "uv pip install --index-strategy unsafe-best-match --requirements /tmp/requirements.txt",
            ],
        ),
        (
            LOCK[Installer.PIPENV],
            {"groups": "live"},
            [
                'pipenv verify && pipenv requirements --hash --categories "packages live" > /tmp/requirements.txt',
                "uv pip install --requirements /tmp/requirements.txt",
            ],
        ),
        (
            LOCK[Installer.PYPROJECT],
            {"extras": "live", "groups": "prod"},
            ["uv pip install --extra live --group prod --requirements pyproject.toml"],
        ),
        (
            replace(BASE, folder="site", names=("site/a.txt", "b.txt")),
            {"packages": ["psycopg[binary]", "gunicorn==23.0.0"]},
            [
                "(mkdir -p /app/site && cd /app/site && uv pip install --requirements a.txt --requirements ../b.txt)",
                "uv pip install 'psycopg[binary]' gunicorn==23.0.0",
            ],
        ),
        (
            BASE,
            {
                "constraints": "urllib3<2",
                "build_constraints": ["setuptools<81", "wheel; python_version < '4'"],
                "exclude_newer": "2026-06-30",
                "index": "https://packages.example.org/simple",
            },
            [
                "printf '%s\\n' 'urllib3<2' > /tmp/constraints.txt",
                "printf '%s\\n' 'setuptools<81' 'wheel; python_version < '\"'\"'4'\"'\"'' > /tmp/build_constraints.txt",
                (
                    "uv pip install --exclude-newer 2026-06-30 --index https://packages.example.org/simple "
                    "--constraints /tmp/constraints.txt --build-constraints /tmp/build_constraints.txt "
                    "--requirements requirements.txt"
                ),
            ],
        ),
    ],
)
def test_the_commands(found: Found, said: dict[str, object], expected: list[str]) -> None:
    """Each installer gets what the settings say, and nothing of a value is read by the shell."""
    assert steps(found, **said) == expected


def test_parts_of_the_project_are_mounted_to_be_built() -> None:
    """A folder may be written to, since what builds a package does; a file may not."""
    found = replace(LOCK[Installer.POETRY], read=("lib/b", "site/poetry.lock"), folders=("lib/b",))

    text = installation.dependencies(found, settings().dependencies, settings().web)

    assert re.findall(r"--mount=type=bind,(\S+)", text) == [
        "source=lib/b,target=/app/lib/b,rw",
        "source=site/poetry.lock,target=/app/site/poetry.lock",
    ]
    whole = installation.dependencies(
        replace(BASE, read=(".",), folders=(".",)), settings().dependencies, settings().web
    )
    assert "--mount=type=bind,source=.,target=/app,rw" in whole


@pytest.mark.parametrize("installer", [Installer.UV, Installer.REQUIREMENTS, Installer.PYPROJECT])
def test_uv_needs_no_other_tool(installer: Installer) -> None:
    """What uv reads itself costs no step."""
    assert installation.tool(replace(BASE, installer=installer)) == ""


@pytest.mark.parametrize(
    ("installer", "package"),
    [
        (Installer.POETRY, "--with poetry-plugin-export==1.10.1 poetry==2.5.1"),
        (Installer.PIPENV, "pipenv==2026.10.3"),
    ],
)
def test_the_tool_of_a_lock(installer: Installer, package: str) -> None:
    """It is installed apart from the project, before its lock is looked at, and trusts the CA bundle."""
    text = installation.tool(LOCK[installer])

    assert text.endswith(f"UV_TOOL_DIR=/opt/tools UV_TOOL_BIN_DIR=/usr/local/bin uv tool install --quiet {package}\n\n")
    assert CA in text
    assert "type=bind" not in text


def test_a_project_that_is_a_package() -> None:
    """Uv installs it once its code is there, and checks the lock then; it removes nothing that was added."""
    found = replace(LOCK[Installer.UV], later=True)

    assert f"    uv sync --locked --inexact {UV} --extra live\n" in installation.later(
        found, settings({"dependencies": {"extras": "live"}}).dependencies
    )
    assert installation.later(LOCK[Installer.UV], settings().dependencies) == ""


def test_credentials_are_mounts_of_steps_that_download() -> None:
    """They are a secret of the build for the tool that fetches the project's packages, and nothing else has them."""
    said = settings({"dependencies": {"netrc": True}}).dependencies
    mount = "--mount=type=secret,id=netrc,target=/root/.netrc"

    assert mount in installation.dependencies(BASE, said, settings().web)
    assert mount in installation.later(replace(LOCK[Installer.UV], later=True), said)
    assert mount not in installation.tool(LOCK[Installer.POETRY])
    assert mount not in installation.dependencies(BASE, settings().dependencies, settings().web)


def test_the_agent_is_a_mount_of_steps_that_download() -> None:
    """So are the hosts that it is used for; git asks those alone, and nobody types a password."""
    said = settings({"dependencies": {"ssh_hosts": HOST}}).dependencies
    mounts = (
        "    --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts \\\n"
        "    --mount=type=ssh,id=default,required=true \\\n"
    )
    ssh = (
        "    export GIT_SSH_COMMAND='ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=yes "
        "-o UserKnownHostsFile=/dev/null'; \\\n"
    )
    for text, command in (
        (installation.dependencies(BASE, said, settings().web), "    uv venv --quiet"),
        (installation.later(replace(LOCK[Installer.UV], later=True), said), "    uv sync --locked"),
    ):
        assert mounts in text
        assert text.index(mounts) < text.index(f"{ssh}{command}")
        assert HOST.split()[2] not in text
    for text in (
        installation.tool(LOCK[Installer.POETRY]),
        installation.dependencies(BASE, settings().dependencies, settings().web),
        installation.later(replace(LOCK[Installer.UV], later=True), settings().dependencies),
    ):
        assert "ssh" not in text.replace("/etc/ssl", "").lower()


@pytest.mark.parametrize(
    ("web", "expected"),
    [
        (
            {"server": "uvicorn"},
            ["{ [ -e /opt/venv/bin/uvicorn ] || uv pip install 'uvicorn[standard]==0.54.0'; }"],
        ),
        (
            {"server": "gunicorn_asgi"},
            [
                "{ [ -e /opt/venv/bin/gunicorn ] || uv pip install gunicorn==27.0.1; }",
                "{ [ -e /opt/venv/bin/uvicorn ] || uv pip install 'uvicorn[standard]==0.54.0'; }",
                "{ [ -e /opt/venv/lib/python3*/site-packages/uvicorn_worker ] || uv pip install uvicorn-worker==0.4.0; }",
            ],
        ),
        (
            {"server": "gunicorn_asgi", "worker_class": "shop.Worker"},
            ["{ [ -e /opt/venv/bin/gunicorn ] || uv pip install gunicorn==27.0.1; }"],
        ),
        ({"server": "daphne"}, ["{ [ -e /opt/venv/bin/daphne ] || uv pip install daphne==4.2.3; }"]),
        ({"command": "granian shop"}, []),
    ],
)
def test_the_server_is_installed_where_the_project_does_not(web: dict[str, str], expected: list[str]) -> None:
    """Whatever the project brings itself is kept, and a command of the stack's own brings nothing."""
    text = installation.dependencies(BASE, settings().dependencies, settings({"web": web}).web)
    added = [line.strip(" \\").removeprefix("&& ") for line in text.splitlines() if "[ -e /opt/venv/" in line]

    assert added == expected
