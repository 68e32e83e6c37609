"""What is tried in the image: steps with their commands, and an environment that is like the real one but for secrets. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from components import environment, template, webserver
from components.model import Settings

SECONDS = 120
"""How long one step may take."""

DUMMY = "made-up-for-the-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH"
"""Stands for every secret: long enough for what Django wants of a key."""

_SETTINGS = """\
import os
if os.environ.get("DJANGO_CONFIGURATION"):
    import configurations
    configurations.setup()
import django
from django.conf import settings
settings.INSTALLED_APPS
django.setup()
"""

_APPLICATION = """\
import importlib, sys
module, name = sys.argv[1].split(":")
found = getattr(importlib.import_module(module), name, None)
if not callable(found):
    sys.exit(f"{module} has no {name}")
"""

_PROGRAM = """\
import importlib.util, os, re, shutil, sys
command = sys.argv[1:]
while command and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", command[0]):
    command = command[1:]
program = command[0]
if shutil.which(program) is None:
    sys.exit(f"no program {program}")
rest = command[1:]
if os.path.basename(program).startswith("python") and rest:
    if rest[0] == "-m" and len(rest) > 1 and importlib.util.find_spec(rest[1]) is None:
        sys.exit(f"no module {rest[1]}")
    if not rest[0].startswith("-") and not os.path.exists(rest[0]):
        sys.exit(f"no file {rest[0]}")
    if os.path.basename(rest[0]) == "manage.py" and len(rest) > 1:
        if os.environ.get("DJANGO_CONFIGURATION"):
            import configurations
            configurations.setup()
        import django
        from django.core.management import get_commands
        django.setup()
        if rest[1] not in get_commands():
            sys.exit(f"no command {rest[1]} of manage.py; there is " + ", ".join(sorted(get_commands())))
if os.path.basename(program) == "celery":
    for index, word in enumerate(rest):
        name = rest[index + 1] if word in {"-A", "--app"} and index + 1 < len(rest) else word[6:] if word.startswith("--app=") else None
        if name:
            from celery.app.utils import find_app
            sys.path.insert(0, os.getcwd())
            try:
                find_app(name).connection_for_read().transport  # loads what speaks to the broker; asks nobody
            except ImportError:
                raise
            except Exception:
                pass
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is tried."""

    name: str
    """What it is, for people."""
    kind: str
    """What judges it: settings, deploy, migrations, application, process."""
    command: tuple[str, ...]
    """What is run where ``manage.py`` is."""
    gates: bool = False
    """Whether nothing after it makes sense if it fails."""
    about: str = ""
    """The setting that it is about."""


def steps(settings: Settings) -> list[Step]:
    """Give what is tried, in order."""
    app = settings.app
    manage = ("python", "manage.py")
    key = f"{webserver.kind(settings.web)}_module"
    served = [] if settings.web.command else [(key, webserver.application(app, settings.web))]
    own = [("web", "slipway:web.command", settings.web.command)] if settings.web.command else []
    processes = [
        (name, f"slipway:processes.{name}.command", each.command) for name, each in sorted(settings.processes.items())
    ]
    return [
        Step(
            name=f"settings {app.settings_module}",
            kind="settings",
            command=("python", "-c", _SETTINGS),
            gates=True,
            about="slipway:app.settings_module",
        ),
        Step(name="manage.py check --deploy", kind="deploy", command=(*manage, "check", "--deploy", "--no-color")),
        Step(
            name="manage.py makemigrations --check",
            kind="migrations",
            command=(*manage, "makemigrations", "--check", "--dry-run", "--skip-checks", "--no-input", "--no-color"),
        ),
        *(
            Step(
                name=f"application {name}",
                kind="application",
                command=("python", "-c", _APPLICATION, name),
                about=f"slipway:app.{key}",
            )
            for key, name in served
        ),
        *(
            Step(
                name=f"process {name}",
                kind="process",
                command=("python", "-c", _PROGRAM, *command),
                about=about,
            )
            for name, about, command in [*own, *processes]
        ),
    ]


def known(settings: Settings, release: str, database_url: str | None = None) -> environment.Known:
    """Give what templates stand for: what the stack knows, and nothing that is secret.

    Args:
        settings: the stack.
        release: identity of the release.
        database_url: address of a database that is there for this alone; None where there is none.
    """
    built = environment.building(settings.app, settings.services)
    plain = {**environment.plain(settings, release), **_services(settings)}
    found = replace(built, plain=plain, secrets=dict.fromkeys(built.secrets, DUMMY))
    return found if database_url is None else replace(found, database_url=database_url)


def _services(settings: Settings) -> Mapping[str, str]:
    """Give what everybody may see of services beside the app. None of them runs."""
    return environment.service_names(settings.services, lambda _: "127.0.0.1")


def variables(settings: Settings, release: str, database_url: str | None = None) -> dict[str, str]:
    """Give the environment of every step."""
    value = known(settings, release, database_url).value
    secret = {name: template.fill(settings.app.environment[name], value) for name in environment.exported(settings.app)}
    return {
        **environment.app(settings, release, _services(settings)),
        **secret,
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def files(settings: Settings, release: str, database_url: str | None = None) -> Mapping[str, str]:
    """Give the files of secrets, by their paths, with contents that are none."""
    what = known(settings, release, database_url)
    contents = {
        environment.SECRET_KEY: DUMMY,
        environment.DATABASE_URL: what.database_url,
        environment.REDIS_URL: what.redis_url,
        **environment.contents(settings.app, what),
    }
    return {f"{environment.SECRETS_DIR}/{name}": text for name, text in contents.items()}


def uploads(settings: Settings) -> str:
    """Give the folder of the uploads, which the project may write to."""
    return settings.media.root


def text(settings: Settings, release: str) -> str:
    """Give the plan as the program in the image reads it."""
    return json.dumps(
        {
            "seconds": SECONDS,
            "files": dict(files(settings, release)),
            "steps": [{"name": each.name, "command": each.command, "gates": each.gates} for each in steps(settings)],
        }
    )
