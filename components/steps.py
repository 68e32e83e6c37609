"""The commands of what runs once for a release, the same on every target. Pure."""

import json
from collections.abc import Sequence

from components.model import Release

STATIC_SECONDS = 300
"""How long publishing the static files may take."""

PUBLISHED = "/srv/published"
"""Where the step that publishes the static files mounts the storage."""

_COLLECTED = "/srv/static"

# Each file appears whole: nginx may be reading the one that it replaces.
_COPY = f"""\
import filecmp, os, pathlib, shutil
os.umask(0o022)
source, target = pathlib.Path("{_COLLECTED}"), pathlib.Path("{PUBLISHED}")
copied = 0
for file in sorted(path for path in source.rglob("*") if path.is_file()):
    to = target / file.relative_to(source)
    if to.is_file() and filecmp.cmp(file, to, shallow=False):
        continue
    to.parent.mkdir(parents=True, exist_ok=True)
    new = to.with_name(f".{{to.name}}.new")
    shutil.copyfile(file, new)
    os.replace(new, to)
    copied += 1
print(copied, "static files published")
"""


REACHABLE_SECONDS = 30
"""How long a new process may be without a way to the datastores."""

_WHEN_REACHABLE = f"""\
import os, socket, sys, time
from urllib.parse import urlsplit
PORTS = {{"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}}
limit = time.monotonic() + {REACHABLE_SECONDS}
places = [(host, int(port)) for host, _, port in (each.rpartition(":") for each in sys.argv[1].split())]
for name in ("DATABASE_URL_FILE", "REDIS_URL_FILE"):
    try:
        with open(os.environ[name]) as file:
            url = urlsplit(file.read().strip())
        places.append((url.hostname, url.port or PORTS[url.scheme]))
    except (KeyError, OSError, ValueError):
        continue
for place in places:
    while place[0] and time.monotonic() < limit:
        try:
            socket.create_connection(place, 2).close()
            break
        except OSError:
            time.sleep(0.2)
os.execvp(sys.argv[2], sys.argv[2:])
"""


PATIENTLY = ("python", "-I", "-S", "-c", _WHEN_REACHABLE)
"""How such a command begins; the servers follow in one word."""


def when_reachable(command: Sequence[str], servers: Sequence[str] = ()) -> list[str]:
    """Give a command that waits until the app's datastores and other servers can be reached, and then is the given one.

    A network that enforces policies knows a new pod only a moment after it has started (1 to 3 s were measured). What
    cannot be reached in time is for the given command to say.
    """
    return [*PATIENTLY, " ".join(servers), *command]


MIGRATE = "python manage.py migrate --noinput"

PATIENT = {"PGOPTIONS": "-c idle_in_transaction_session_timeout=0"}
"""What a migration finds in its environment: one that computes for a minute between two queries is not stuck, and ends in time
by itself. Anything else that holds a transaction and does nothing is cut off by the database."""

DONE_TABLE = "slipway_once"
"""The table of the project's database that remembers what has run once: ``name``, and when it was done, in UTC."""

_RELEASE = f"""\
import datetime, json, signal, subprocess, sys
commands, once, seconds = json.loads(sys.argv[1])

def run(command, key):
    print("+", command, flush=True)
    said = f"the release command was stopped before it ended (slipway:release.timeout_seconds is {{seconds}}): {{command}}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(said))
    code = subprocess.run(command, shell=True).returncode
    if code:
        sys.exit(f"the release command failed with exit code {{code}} ({{key}}): {{command}}")

for key, command in commands:
    run(command, key)
if once:
    import django
    django.setup()
    from django.db import connection
    def ask(query, values=()):
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            rows = cursor.fetchall() if query.startswith("SELECT") else []
        connection.close()  # a command may take longer than the database lets a connection wait
        return rows
    ask("CREATE TABLE IF NOT EXISTS {DONE_TABLE} (name varchar(63) PRIMARY KEY, done varchar(32) NOT NULL)")
    done = {{name for name, in ask("SELECT name FROM {DONE_TABLE}")}}
    for name, command in sorted(once.items()):
        if name in done:
            continue
        run(command, f"slipway:release.once.{{name}}")
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        ask("INSERT INTO {DONE_TABLE} (name, done) VALUES (%s, %s)", [name, now])
"""  # noqa: S608 - the name of a table of our own


def release(said: Release) -> list[str]:
    """Give the command that brings the database to the release: the migration, then what settings name, in order."""
    commands = [("slipway:release.migrate", MIGRATE)] if said.migrate else []
    commands += [("slipway:release.commands", each) for each in said.commands]
    plan = json.dumps([commands, said.once, said.timeout_seconds], sort_keys=True)
    return [*_limited(said.timeout_seconds), "python", "-c", _RELEASE, plan]


def collect_static() -> list[str]:
    """Give the command that collects the static files where the project keeps them; files that are there stay."""
    return [*_limited(STATIC_SECONDS), "python", "manage.py", "collectstatic", "--noinput"]


def publish_static() -> list[str]:
    """Give the command that copies the static files of the image to where the edge serves them from."""
    return [*_limited(STATIC_SECONDS), "python", "-I", "-S", "-c", _COPY]


def _limited(seconds: int) -> list[str]:
    """Stop a command that takes too long. It is also what passes signals on, as the first process of a container."""
    return ["timeout", "-k", "10", str(seconds)]
