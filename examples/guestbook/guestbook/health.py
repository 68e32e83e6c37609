"""Says whether the project can serve: whether its database and its cache answer."""

import logging
import secrets
from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def database() -> None:
    """Ask the database for something."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def cache_round_trip() -> None:
    """Write to the cache and read it back."""
    token = secrets.token_hex(8)
    cache.set(f"health:{token}", token, timeout=10)
    if cache.get(f"health:{token}") != token:
        raise OSError("the cache lost what it was given")


PARTS: dict[str, Callable[[], None]] = {"database": database, "cache": cache_round_trip}


def failed_parts() -> list[str]:
    """Return the names of the parts that do not answer. The reason goes to the log, not to the visitor."""
    failed = []
    for name, check in PARTS.items():
        try:
            check()
        except (DatabaseError, RedisError, OSError) as error:  # asked every few seconds: one line, no traceback
            logger.warning("health: the %s does not answer: %s", name, error)
            failed.append(name)
    return failed
