"""What the datastores' images agree on with us: users, folders, variables and how to ask whether they are well. Pure.

The same on every target. How much memory they get and what they make of it is in ``tuning.py``.
"""

from collections.abc import Mapping

USER = 999
"""The numeric user of PostgreSQL and of Redis, and his group, in the official images."""

POSTGRES_DATA = "/var/lib/postgresql/data"
"""Where the database's data is mounted."""

POSTGRES_SOCKET = "/var/run/postgresql"
"""Where the database keeps its socket."""

POSTGRES_STARTUP_SECONDS = 120
"""How long the database may take to start, with a log to go through after a crash."""

POSTGRES_GRACE_SECONDS = 120
"""How long the database may take to write everything down before it is killed."""

REDIS_DATA = "/data"
"""Where the cache keeps its append-only file."""

REDIS_STARTUP_SECONDS = 60
REDIS_GRACE_SECONDS = 30

# PING needs no password to be answered: a refusal is an answer, and the only one that a check without secrets gets.
REDIS_HEALTH = ("sh", "-c", "redis-cli -h 127.0.0.1 ping 2>&1 | grep -Eq 'PONG|NOAUTH'")
"""The command that exits 0 when the cache answers."""


def postgres_environment(database: str, secrets: str) -> Mapping[str, str]:
    """Give what a new database is made of; ``secrets`` is the folder with its password."""
    return {
        "POSTGRES_DB": database,
        "POSTGRES_USER": database,
        "POSTGRES_PASSWORD_FILE": f"{secrets}/postgres_password",
        "POSTGRES_INITDB_ARGS": "--data-checksums",
    }


def postgres_health(database: str) -> list[str]:
    """Give the command that exits 0 when the database takes connections.

    The script that sets up a new database answers on the socket alone, so the network is asked.
    """
    return ["pg_isready", "--host=127.0.0.1", f"--username={database}", f"--dbname={database}"]
