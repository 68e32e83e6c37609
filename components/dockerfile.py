"""The Dockerfile and the .dockerignore of a Django project, from the settings.

This module owns both texts; the steps that install dependencies are in ``components/installation.py``. The same settings
and the same names of the files of dependencies give the same text. What differs between stacks that could share an image (domain, replicas, limits, time-outs, the CA bundle of a machine) is not in it.
It reads no file and builds nothing.
"""

import json
from collections.abc import Sequence

from components import assets, environment, health, installation, storage, template, webserver
from components.app import PORT
from components.assets import Frontend
from components.dependencies import Found
from components.installation import BUNDLE, CA_SECRET, UV_VERSION
from components.model import App, CollectStatic, ServeStatic, Settings

UID = 10001
"""The user and the group that the app runs as, by number, so that nothing has to look a name up."""

ALWAYS_IGNORED = (
    # version control and editors
    "**/.git",
    "**/.gitignore",
    "**/.gitattributes",
    "**/.hg",
    "**/.svn",
    "**/.idea",
    "**/.vscode",
    "**/.DS_Store",
    "**/*.swp",
    # environments, caches, what tests and builds leave
    "**/.venv",
    "**/venv",
    "**/node_modules",
    "**/__pycache__",
    "**/*.py[co]",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "**/.tox",
    "**/.nox",
    "**/.coverage",
    "**/.coverage.*",
    "**/htmlcov",
    # what belongs to one machine, secrets above all
    "**/.env",
    "**/.env.*",
    "**/.envrc",
    "**/local_settings.py",
    "**/settings_local.py",
    "**/*.sqlite3",
    "**/*.sqlite3-journal",
    "**/*.sqlite3-shm",
    "**/*.sqlite3-wal",
    "**/.slipway",
    "**/.pulumi",
    # what says how to build an image is no part of it
    "**/.dockerignore",
    "**/Dockerfile",
    "**/*.Dockerfile",
    "**/*.dockerignore",
)
"""Left out of every image, whatever the project's own .dockerignore says."""

_COLLECT = """\
import os, shutil
from pathlib import Path

# None of this is in the image; the real values come when a container starts.
os.environ.update({environment})
{files}{commands}
import django
from django.apps import apps
from django.conf import settings

django.setup()
published = Path("/rootfs/srv/static")
published.mkdir(parents=True)
{collect}"""

_COLLECT_STATIC = """\
if apps.is_installed("django.contrib.staticfiles"):
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.files.storage import FileSystemStorage
    from django.core.management import call_command

    settings.STATIC_ROOT = settings.STATIC_ROOT or "/srv/static"
    if isinstance(staticfiles_storage, FileSystemStorage):
        call_command("collectstatic", interactive=False)
        root = Path(staticfiles_storage.location)
        root.mkdir(parents=True, exist_ok=True)
        shutil.copytree(root, published, dirs_exist_ok=True)
        # The files are in the image once; where the project expects them is a link.
        if root != Path("/srv/static"):
            shutil.rmtree(root)
            link = root if root.is_relative_to("/app") else Path(f"/rootfs{root}")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to("/srv/static")
"""

_FILES = """\
for name, content in {files}.items():
    Path("{folder}").mkdir(parents=True, exist_ok=True)
    Path("{folder}", name).write_text(content)
for path, target in {links}.items():
    for link in {{Path(path), Path(path if path.startswith("/app/") else f"/rootfs{{path}}")}}:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
"""

_COMMANDS = """\
import subprocess, sys
for command in {commands}:
    print("+", command, flush=True)
    code = subprocess.run(command, shell=True).returncode
    if code:
        sys.exit(f"the build command failed with exit code {{code}}: {{command}}")
"""

_PACKAGES = """\
# {why}
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\
    --mount=type=secret,id={secret},target={bundle} \\
    if command -v apt-get >/dev/null; then \\
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends {packages} >/dev/null; \\
    else apk add --no-cache {packages}; fi

"""

_STRIP = """\
import glob, os, shutil, site, stat, sysconfig

folders = {{*site.getsitepackages(), sysconfig.get_path("stdlib"), "/usr/lib/python3/dist-packages"}}
names = ["pip", "pip-*", "ensurepip", "setuptools", "setuptools-*", "pkg_resources", "_distutils_hack",
         "distutils-precedence.pth", "wheel", "wheel-*"]
programs = ["pip", "pip[0-9]*", "wheel"]
for folder, patterns in [*((each, names) for each in folders), *((each, programs) for each in os.get_exec_path())]:
    for path in (path for pattern in patterns for path in glob.glob(os.path.join(folder, pattern))):
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
for program in os.scandir("/usr/bin"):
    mode = program.stat().st_mode
    if program.is_file(follow_symlinks=False) and mode & (stat.S_ISUID | stat.S_ISGID):
        os.chmod(program.path, mode & 0o777)
for folder in {folders}:
    os.makedirs(folder, exist_ok=True)
    os.chown(folder, {uid}, {uid})
"""

_SHELL = """\
# A step that fails stays for a second: the docker-build plugin loses what a build says in its last moment.
SHELL ["/bin/sh", "-c", "sh -c \\"$0\\" || { code=$?; sleep 1; exit $code; }"]
"""

_INSTALLER = """\
ENV PATH=/opt/venv/bin:$PATH \\
    VIRTUAL_ENV=/opt/venv \\
    PYTHONDONTWRITEBYTECODE=1 \\
    PIP_BREAK_SYSTEM_PACKAGES=1 \\
    PIP_DISABLE_PIP_VERSION_CHECK=1 \\
    PIP_ROOT_USER_ACTION=ignore \\
    UV_COMPILE_BYTECODE=1 \\
    UV_LINK_MODE=copy \\
    UV_HTTP_TIMEOUT=120 \\
    UV_NO_PROGRESS=1 \\
    UV_PYTHON_DOWNLOADS=never
WORKDIR /app
{shell}
{packages}# The installer.
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=secret,id={secret},target={bundle} \\
    if [ -s {bundle} ]; then export SSL_CERT_FILE={bundle} PIP_CERT={bundle}; fi; \\
    pip install --quiet uv=={uv}

"""
"""What a stage begins with that installs anything; the same text twice is built once."""

_TEMPLATE = """\
# Written by Slipway from the settings; the next `pulumi up` writes it again.
{assets}FROM {base} AS build
{installer}{tool}{dependencies}# The code, readable for the app's user whatever the umask was where it comes from.
COPY . .
{made}{place}{later}RUN chmod -R u=rwX,go=rX /app \\
    && {{ python -m compileall -q /app || echo 'Some files cannot be compiled; the build goes on.'; }} \\
    && python - <<'EOF'
{collect}EOF

FROM {base} AS runtime
{shell}{runtime_packages}# No installer in what runs, and nothing that changes the user. Uploads belong to the app's user; a new volume takes
# the owner over.
RUN python3 -B - <<'EOF'
{strip}EOF

ENV PATH=/opt/venv/bin:$PATH \\
    PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONUNBUFFERED=1 \\
    DJANGO_SETTINGS_MODULE={settings_module} \\
{python_path}    HOME={home}
WORKDIR {workdir}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /rootfs/ /
COPY --from=build /app /app
USER {uid}:{uid}
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout={health_timeout}s --start-period=60s --retries=3 CMD {health}
CMD {command}
"""


def text(settings: Settings, found: Found, frontend: Frontend | None = None) -> str:
    """Give the text of the Dockerfile.

    Args:
        settings: of them, what says how the project is built: ``app`` and ``build``, but for the CA bundle.
        found: what the project's files say about its dependencies.
        frontend: what they say about its assets; None for a project without.
    """
    app, build = settings.app, settings.build
    workdir = "/".join(part for part in ("/app", app.directory) if part)
    base = build.base_image or f"python:{app.python}-slim"
    installer = _INSTALLER.format(
        shell=_SHELL,
        packages=_packages("What the build needs of the system.", _needed(settings)),
        secret=CA_SECRET,
        bundle=BUNDLE,
        uv=UV_VERSION,
    )
    return _TEMPLATE.format(
        shell=_SHELL,
        installer=installer,
        assets=_assets(settings, frontend, base, installer),
        made=assets.copied(settings.assets) if frontend else "",
        runtime_packages=_packages("What the project needs of the system.", build.runtime_packages),
        place=(f"WORKDIR {workdir}\n" if app.directory else "")
        + (f"ENV PYTHONPATH={_python_path(app)}\n" if app.python_path else ""),
        workdir=workdir,
        python_path=f"    PYTHONPATH={_python_path(app)} \\\n" if app.python_path else "",
        base=base,
        tool=installation.tool(found),
        dependencies=installation.dependencies(found, settings.dependencies, settings.web),
        later=installation.later(found, settings.dependencies),
        collect=_COLLECT.format(
            environment=json.dumps(_build_environment(settings), indent=4, sort_keys=True),
            files=_build_files(settings),
            collect=_COLLECT_STATIC if _collects(settings) else "",
            commands=_COMMANDS.format(commands=json.dumps(build.commands, indent=4)) if build.commands else "",
        ),
        strip=_STRIP.format(folders=json.dumps(storage.folders(settings)), uid=UID),
        settings_module=app.settings_module,
        home=webserver.ENVIRONMENT["HOME"],
        uid=UID,
        port=PORT,
        health_timeout=health.TIMEOUT_SECONDS + 1,
        health=json.dumps(health.command(health.of_image(app, settings.health))),
        command=json.dumps(webserver.default_command(app, settings.web)),
    )


def _assets(settings: Settings, frontend: Frontend | None, base: str, installer: str) -> str:
    """Give the stage that makes the assets; nothing for a project without."""
    if frontend is None:
        return ""
    # An image of Node has no need of an installer, and perhaps no Python.
    before = f"{_SHELL}\n" if settings.assets.image else installer
    return assets.stage(settings.assets, frontend, base, before, settings.build.environment) + "\n"


def _packages(why: str, names: Sequence[str]) -> str:
    """Give the step that installs packages of the system; nothing where there are none."""
    if not names:
        return ""
    return _PACKAGES.format(why=why, packages=" ".join(names), secret=CA_SECRET, bundle=BUNDLE)


def _needed(settings: Settings) -> list[str]:
    """Give the packages of the system that the build has, each once."""
    ssh = installation.SSH_PACKAGES if settings.dependencies.ssh_hosts else ()
    return [*dict.fromkeys([*settings.build.packages, *ssh])]


def _collects(settings: Settings) -> bool:
    """Whether static files are collected now. What is on a volume is collected there, at each release."""
    wanted = settings.build.collect_static is CollectStatic.BUILD
    return wanted and settings.static.serve is not ServeStatic.VOLUME


def _python_path(app: App) -> str:
    return ":".join(f"/app/{folder}" for folder in app.python_path)


def _build_environment(settings: Settings) -> dict[str, str]:
    """Give what settings modules want to see before they can be imported; nothing of it is reachable or secret."""
    app = settings.app
    known = environment.building(app, settings.services)
    return {
        "DJANGO_SETTINGS_MODULE": app.settings_module,
        "SECRET_KEY": "only-for-collecting-static-files-while-the-image-is-built",
        **({"DATABASE_URL": "postgresql://app:app@127.0.0.1:5432/app"} if environment.has_database(settings) else {}),
        **({"REDIS_URL": "redis://127.0.0.1:6379/0"} if environment.has_redis(settings) else {}),
        "ALLOWED_HOSTS": "localhost",
        "CSRF_TRUSTED_ORIGINS": "http://localhost",
        **{name: template.fill(text, known.value) for name, text in app.environment.items()},
        **settings.build.environment,
    }


def _build_files(settings: Settings) -> str:
    """Give the lines that put the project's secret files in place, with contents that are none."""
    app = settings.app
    contents = environment.contents(app, environment.building(app, settings.services))
    if not contents:
        return ""
    return _FILES.format(
        files=json.dumps(contents, indent=4, sort_keys=True),
        folder=environment.SECRETS_DIR,
        links=json.dumps(environment.links(app), indent=4, sort_keys=True),
    )


def ignore_text(settings: Settings, own: str | None) -> str:
    """Give the text of the .dockerignore: the project's own rules if it has any, then what is always left out.

    Args:
        settings: uploads and volumes that lie inside the project are left out as well.
        own: text of the project's .dockerignore.
    """
    lines = [own.rstrip("\n"), ""] if own is not None and own.strip() else []
    lines += ["# Always left out, by Slipway.", *ALWAYS_IGNORED]
    lines += [folder.removeprefix("/app") for folder in storage.folders(settings) if folder.startswith("/app/")]
    return "\n".join(lines) + "\n"
