"""The commands of what runs once for a release, the same on every target. Pure."""

from collections.abc import Sequence

MIGRATION_SECONDS = 900
"""How long a migration may take. It is stopped then, which PostgreSQL answers with a rollback."""

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
for name in ("DATABASE_URL_FILE", "REDIS_URL_FILE"):
    try:
        with open(os.environ[name]) as file:
            url = urlsplit(file.read().strip())
        place = url.hostname, url.port or PORTS[url.scheme]
    except (KeyError, OSError, ValueError):
        continue
    while place[0] and time.monotonic() < limit:
        try:
            socket.create_connection(place, 2).close()
            break
        except OSError:
            time.sleep(0.2)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def when_reachable(command: Sequence[str]) -> list[str]:
    """Give a command that waits until the app's datastores can be reached, and then is the given one.

    A network that enforces policies knows a new pod only a moment after it has started (1 to 3 s were measured). What
    cannot be reached in time is for the given command to say.
    """
    return ["python", "-I", "-S", "-c", _WHEN_REACHABLE, *command]


def migrate() -> list[str]:
    """Give the command that brings the database to the release."""
    return [*_limited(MIGRATION_SECONDS), "python", "manage.py", "migrate", "--noinput"]


def collect_static() -> list[str]:
    """Give the command that collects the static files where the project keeps them; files that are there stay."""
    return [*_limited(STATIC_SECONDS), "python", "manage.py", "collectstatic", "--noinput"]


def publish_static() -> list[str]:
    """Give the command that copies the static files of the image to where the edge serves them from."""
    return [*_limited(STATIC_SECONDS), "python", "-I", "-S", "-c", _COPY]


def _limited(seconds: int) -> list[str]:
    """Stop a command that takes too long. It is also what passes signals on, as the first process of a container."""
    return ["timeout", "-k", "10", str(seconds)]
