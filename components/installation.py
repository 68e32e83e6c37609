"""The steps of a build that install what a project depends on, as text of a Dockerfile.

This module owns them; which files they read is found in ``components/dependencies.py``. uv installs everything, into
the environment ``/opt/venv``. Poetry and Pipenv only say what is in their locks, with its hashes; they stay in the stage
of the build, as uv does.
"""

import posixpath
import shlex
from collections.abc import Mapping, Sequence

from components.dependencies import Found, Installer
from components.model import Dependencies, Server, Web

UV_VERSION = "0.13.8"
"""The installer of dependencies."""

POETRY_VERSION, EXPORT_VERSION, PIPENV_VERSION = "2.5.1", "1.10.1", "2026.10.3"
"""What reads the locks of Poetry and Pipenv."""

_GUNICORN = {"bin/gunicorn": "gunicorn==27.0.1"}
_UVICORN = {"bin/uvicorn": "uvicorn[standard]==0.54.0"}
_WORKER = {"lib/python3*/site-packages/uvicorn_worker": "uvicorn-worker==0.4.0"}

SERVERS: Mapping[Server, Mapping[str, str]] = {
    Server.GUNICORN: _GUNICORN,
    Server.GUNICORN_ASGI: {**_GUNICORN, **_UVICORN, **_WORKER},
    Server.UVICORN: _UVICORN,
    Server.DAPHNE: {"bin/daphne": "daphne==4.2.3"},
}
"""What projects get that do not ask for their server themselves: packages, by what is there if they do."""

CA_SECRET = "ca_bundle"  # noqa: S105 - the name of a mount
"""Id of the build secret that holds a CA bundle. The build works without it too."""

NETRC_SECRET = "netrc"  # noqa: S105 - the name of a mount
"""Id of the build secret that holds the credentials of what a build downloads from."""

KNOWN_HOSTS_SECRET = "known_hosts"  # noqa: S105 - the name of a mount
"""Id of the build secret that holds the hosts that may be reached by SSH, with their keys."""

SSH_ID = "default"
"""Id of the SSH agent that a build may ask."""

SSH_PACKAGES = ("git", "openssh-client")
"""What a build needs of the system to fetch a repository by SSH."""

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where the steps of a build find the CA bundle."""

_EXPORTED = "/tmp/requirements.txt"  # noqa: S108 - a path in the stage of the build

_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"

_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/dev/null"

_TOOLS = {
    Installer.POETRY: ("poetry.lock", f"--with poetry-plugin-export=={EXPORT_VERSION} poetry=={POETRY_VERSION}"),
    Installer.PIPENV: ("Pipfile.lock", f"pipenv=={PIPENV_VERSION}"),
}

_TOOL = """\
# What reads {lock}.
RUN --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=secret,id={ca},target={bundle} \\
    if [ -s {bundle} ]; then export SSL_CERT_FILE={bundle}; fi; \\
    UV_TOOL_DIR=/opt/tools UV_TOOL_BIN_DIR=/usr/local/bin uv tool install --quiet {packages}

"""

_DEPENDENCIES = """\
# Dependencies: a layer that only the requirements change. Sources of translations (.po) are not read when running.
RUN --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=secret,id={ca},target={bundle} \\
{mounts}\
    if [ -s {bundle} ]; then export SSL_CERT_FILE={bundle}; fi; \\
{ssh}\
    uv venv --quiet --python "$(command -v python3)" /opt/venv \\
{steps}\
{server}    && find /opt/venv -name '*.po' -delete

"""

_LATER = """\
# The parts of the project that are packages.
RUN --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=secret,id={ca},target={bundle} \\
{mounts}\
    if [ -s {bundle} ]; then export SSL_CERT_FILE={bundle}; fi; \\
{ssh}\
    {step}
"""


def tool(found: Found) -> str:
    """Give the step that installs what reads a lock; nothing where uv itself does."""
    if found.installer not in _TOOLS:
        return ""
    lock, packages = _TOOLS[found.installer]
    return _TOOL.format(lock=lock, packages=packages, ca=CA_SECRET, bundle=BUNDLE)


def dependencies(found: Found, said: Dependencies, web: Web) -> str:
    """Give the step that installs everything but the project's own code."""
    mounts = _mounts(said)
    for name in found.read:
        folder = name in found.folders
        # What builds a package writes into its folder; nothing of that is kept.
        mounts.append(
            f"--mount=type=bind,source={name},target={posixpath.normpath(f'/app/{name}')}{',rw' if folder else ''}"
        )
    return _DEPENDENCIES.format(
        ca=CA_SECRET,
        bundle=BUNDLE,
        mounts=_lines(mounts),
        ssh=_ssh(said),
        steps="".join(f"    && {step} \\\n" for step in _steps(found, said)),
        server="".join(f"    && {step} \\\n" for step in _server(web)),
    )


def later(found: Found, said: Dependencies) -> str:
    """Give the step that installs the project itself, and its parts that are packages, once their code is there."""
    if not found.later:
        return ""
    return _LATER.format(
        ca=CA_SECRET,
        bundle=BUNDLE,
        mounts=_lines(_mounts(said)),
        ssh=_ssh(said),
        step=_in(found.folder, f"uv sync --locked --inexact{_uv_options(said)}"),
    )


def _server(web: Web) -> list[str]:
    """Give the steps that install what serves the app, where the project does not."""
    if web.command is not None:
        return []
    wanted = _GUNICORN if web.worker_class is not None else SERVERS[web.server]
    return [f"{{ [ -e /opt/venv/{path} ] || uv pip install {shlex.quote(spec)}; }}" for path, spec in wanted.items()]


def _mounts(said: Dependencies) -> list[str]:
    """Give what a step that downloads the project's packages has, and nothing keeps."""
    netrc = f"--mount=type=secret,id={NETRC_SECRET},target=/root/.netrc"
    hosts = f"--mount=type=secret,id={KNOWN_HOSTS_SECRET},target={_KNOWN_HOSTS}"
    agent = f"--mount=type=ssh,id={SSH_ID},required=true"
    return [*([netrc] if said.netrc else []), *([hosts, agent] if said.ssh_hosts else [])]


def _lines(mounts: Sequence[str]) -> str:
    return "".join(f"    {mount} \\\n" for mount in mounts)


def _ssh(said: Dependencies) -> str:
    """Give the line that lets git ask the hosts that the settings name, and no others."""
    return f"    export GIT_SSH_COMMAND='{_SSH}'; \\\n" if said.ssh_hosts else ""


def _steps(found: Found, said: Dependencies) -> list[str]:
    pip = f"uv pip install{_pip_options(said)}"
    steps = [
        f"printf '%s\\n' {_quoted(specs)} > {_list_of(name)}"
        for name in ("constraints", "build_constraints")
        if (specs := getattr(said, name))
    ]
    match found.installer:
        case Installer.UV:
            kept = "--frozen --no-install-local" if found.later else "--locked --no-install-project"
            steps.append(_in(found.folder, f"uv sync {kept}{_uv_options(said)}"))
        case Installer.POETRY:
            groups = ",".join(["main", *said.groups])
            extras = f" --extras {shlex.quote(' '.join(said.extras))}" if said.extras else ""
            export = f"poetry export --only {groups}{extras} --output {_EXPORTED}"
            steps += [
                _in(found.folder, export),
                _in(found.folder, f"{pip} --index-strategy unsafe-best-match --requirements {_EXPORTED}"),
            ]
        case Installer.PIPENV:
            categories = f' --categories "{" ".join(["packages", *said.groups])}"' if said.groups else ""
            export = f"pipenv verify && pipenv requirements --hash{categories} > {_EXPORTED}"
            steps += [_in(found.folder, export), _in(found.folder, f"{pip} --requirements {_EXPORTED}")]
        case _:
            options = "".join(f" --extra {each}" for each in said.extras)
            options += "".join(f" --group {each}" for each in said.groups)
            files = "".join(f" --requirements {posixpath.relpath(name, found.folder or '.')}" for name in found.names)
            if options or files:  # else the settings name all that there is
                steps.append(_in(found.folder, f"{pip}{options}{files}"))
    if said.packages:
        steps.append(f"{pip} {_quoted(said.packages)}")
    return steps


def _uv_options(said: Dependencies) -> str:
    # A .python-version of the project is about the machine of who wrote it.
    options = " --active --python /opt/venv/bin/python --no-default-groups"
    options += "".join(f" --extra {each}" for each in said.extras)
    return options + "".join(f" --group {each}" for each in said.groups)


def _pip_options(said: Dependencies) -> str:
    options = f" --exclude-newer {said.exclude_newer}" if said.exclude_newer else ""
    options += f" --index {shlex.quote(said.index)}" if said.index else ""
    options += f" --constraints {_list_of('constraints')}" if said.constraints else ""
    return options + (f" --build-constraints {_list_of('build_constraints')}" if said.build_constraints else "")


def _list_of(name: str) -> str:
    return f"/tmp/{name}.txt"  # noqa: S108 - a path in the stage of the build


def _quoted(specs: Sequence[str]) -> str:
    return " ".join(shlex.quote(spec) for spec in specs)


def _in(folder: str, command: str) -> str:
    """Run a command in a folder of the project, which is not there yet where nothing of it is mounted."""
    if not folder:
        return command
    return f"(mkdir -p /app/{folder} && cd /app/{folder} && {command})"
