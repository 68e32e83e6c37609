"""What runs inside the processes of a stack: the commands that read and write its data. Pure.

Everything goes through the program's own input and output, so nothing is mounted, published or copied. An input has a
length that is known before, since not every platform can tell a program that its input is over. Passwords stay where
they are: in a file of the container, and from there in the environment of one process.
"""

import re
from pathlib import PurePosixPath

_CONNECT = """\
set -eu
if [ -r /run/secrets/postgres_password ]; then
    PGPASSWORD=$(cat /run/secrets/postgres_password)
    export PGPASSWORD
fi
export PGUSER="${POSTGRES_USER:-postgres}" PGDATABASE="${POSTGRES_DB:-${POSTGRES_USER:-postgres}}" PGCONNECT_TIMEOUT=10
export PGOPTIONS='-c client_min_messages=warning'
"""

_DUMP = "exec pg_dump --format=custom --lock-wait-timeout=60s"

_VERSION = "exec psql -XAtq -v ON_ERROR_STOP=1 -c 'show server_version'"

_TABLES = """\
exec psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'
select format('select %L where exists (select from %I.%I)', relname, nspname, relname)
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where relkind = 'r' and nspname !~ '^pg_' and nspname <> 'information_schema'
    and relname not in ('django_migrations', 'django_content_type', 'auth_permission', 'django_site')
    and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
order by 1
\\gexec
SQL
"""
"""Names the tables with rows, but those that Django itself fills when it makes a database."""

_APPLIED = """\
head -c SIZE | pg_restore --data-only --table=django_migrations --file=-
"""

RESTORED = "slipway-restored"
"""What the restore says when, and only when, the new content is there for good."""

_EMPTY = """\
begin;
set local lock_timeout = '15s';
select count(lo_unlink(oid)) from pg_largeobject_metadata;
do $$
declare found record;
begin
    for found in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
        execute format('drop schema %I cascade', found.nspname);
    end loop;
    create schema public;
    if current_setting('server_version_num')::int >= 150000 then
        alter schema public owner to pg_database_owner;
    end if;
    grant usage on schema public to public;
    comment on schema public is 'standard public schema';
end $$;
"""

_FULL = f"""\
commit;
\\echo {RESTORED}
\\set ON_ERROR_STOP off
analyze;
"""

# The script has its end only if pg_restore came to its own: without a commit, everything is as it was.
_RESTORE = f"""\
head -c SIZE | {{
    cat <<'SQL'
{_EMPTY}SQL
    pg_restore --no-owner --no-privileges --exit-on-error --file=- && cat <<'SQL'
{_FULL}SQL
}} | psql -XAtq -v ON_ERROR_STOP=1
"""

_COPY = re.compile(r"COPY (?:\S+\.)?django_migrations \((.+)\) FROM stdin;")
_END = "\\."

STAGE = ".slipway-restore"
"""Where uploads wait until the database is there, inside the folder of the uploads: the same disk, so moving is quick."""

_SKIPPED = (STAGE, "lost+found")

_PACK = f"""\
import os, sys, tarfile
root = sys.argv[1]
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT, dereference=True, bufsize=1 << 20)
files = other = 0
def fail(error):
    raise error
for folder, folders, names in os.walk(root, onerror=fail):
    folders[:] = sorted(name for name in folders if name not in {_SKIPPED!r})
    for name in sorted(names) + folders:
        path = os.path.join(folder, name)
        if os.path.islink(path) or not (os.path.isfile(path) or os.path.isdir(path)):
            other += os.path.lexists(path)
            continue
        info = tarfile.TarInfo(os.path.relpath(path, root))
        if name in folders:
            info.type, info.mode = tarfile.DIRTYPE, os.stat(path).st_mode & 0o777
            out.addfile(info)
            continue
        try:
            file = open(path, "rb")
        except FileNotFoundError:
            continue
        with file:
            now = os.fstat(file.fileno())
            info.size, info.mode, info.mtime = now.st_size, now.st_mode & 0o777, now.st_mtime
            out.addfile(info, file)
        files += 1
out.close()
print("files", files, "other", other, file=sys.stderr)
"""

_COUNT = f"""\
import os, sys
count = 0
for folder, folders, names in os.walk(sys.argv[1]):
    folders[:] = [name for name in folders if name not in {_SKIPPED!r}]
    count += len(names)
print(count)
"""

_UNPACK = f"""\
import os, shutil, sys, tarfile
root, left = sys.argv[1], int(sys.argv[2])
stage = os.path.join(root, {STAGE!r})
new = os.path.join(stage, "new")
shutil.rmtree(stage, ignore_errors=True)
os.mkdir(stage, 0o700)
os.mkdir(new)
class Input:
    def read(self, size):
        global left
        piece = sys.stdin.buffer.read(min(size, left))
        left -= len(piece)
        return piece
with tarfile.open(fileobj=Input(), mode="r|", bufsize=1 << 20) as source:
    for info in source:
        parts = info.name.split("/")
        if not (info.isreg() or info.isdir()) or ".." in parts or not all(parts):
            sys.exit("the dump has an upload with a name that is not allowed: " + repr(info.name))
        path = os.path.join(new, *parts)
        if info.isdir():
            os.makedirs(path, exist_ok=True)
            os.chmod(path, info.mode | 0o700)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            shutil.copyfileobj(source.extractfile(info), file, 1 << 20)
        os.chmod(path, info.mode | 0o600)
        os.utime(path, (info.mtime, info.mtime))
while left and sys.stdin.buffer.read(min(1 << 20, left)):
    pass
os.sync()
"""

_PLACE = f"""\
import os, shutil, sys
root = sys.argv[1]
stage = os.path.join(root, {STAGE!r})
new, old = os.path.join(stage, "new"), os.path.join(stage, "old")
os.mkdir(old)
for name in os.listdir(root):
    if name not in {_SKIPPED!r}:
        os.rename(os.path.join(root, name), os.path.join(old, name))
for name in os.listdir(new):
    os.rename(os.path.join(new, name), os.path.join(root, name))
shutil.rmtree(stage)
"""

_DROP = f"""\
import os, shutil, sys
shutil.rmtree(os.path.join(sys.argv[1], {STAGE!r}), ignore_errors=True)
"""


def _shell(script: str) -> list[str]:
    return ["sh", "-c", _CONNECT + script]


def _python(script: str, root: PurePosixPath | str, *arguments: str) -> list[str]:
    return ["python", "-I", "-S", "-c", script, str(root), *arguments]


def version() -> list[str]:
    """Print the version of the database server."""
    return _shell(_VERSION)


def tables() -> list[str]:
    """Print the names of the tables with rows that a new stack would not have."""
    return _shell(_TABLES)


def dump() -> list[str]:
    """Print the whole database, as it is at one instant."""
    return _shell(_DUMP)


def restore(size: int) -> list[str]:
    """Take a dump of this size and put it in the place of the database's content, all of it or nothing."""
    return _shell(_RESTORE.replace("SIZE", str(size), 1))


def applied(size: int) -> list[str]:
    """Take a dump of this size, and print the rows that tell its migrations; the database is not asked."""
    return _shell(_APPLIED.replace("SIZE", str(size), 1))


def migrations(said: str) -> list[str]:
    """Read those rows: ``app.name`` of each migration."""
    lines = iter(said.splitlines())
    for line in lines:
        begin = _COPY.match(line)
        if begin is not None:
            columns = begin[1].split(", ")
            app, name = columns.index("app"), columns.index("name")
            rows = (row.split("\t") for row in iter(lambda: next(lines, _END), _END))
            return [f"{row[app]}.{row[name]}" for row in rows]
    return []


def count(root: str) -> list[str]:
    """Print how many uploads there are."""
    return _python(_COUNT, root)


def pack(root: str) -> list[str]:
    """Print the uploads as a tar, then say on the error output how many files there were."""
    return _python(_PACK, root)


def unpack(root: str, size: int) -> list[str]:
    """Take a tar of this size, and put its files where they wait."""
    return _python(_UNPACK, root, str(size))


def place(root: str) -> list[str]:
    """Put the files that wait in the place of those that are there."""
    return _python(_PLACE, root)


def drop(root: str) -> list[str]:
    """Remove the files that wait."""
    return _python(_DROP, root)
