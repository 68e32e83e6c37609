"""Counts visits in the cache. A cache that does not answer costs the number, not the page."""

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

KEY = "visits"

logger = logging.getLogger(__name__)


def count_visit() -> int | None:
    """Add one visit and return how many there were, or None when the cache does not answer."""
    try:
        cache.add(KEY, 0, timeout=None)
        return cache.incr(KEY)
    except (RedisError, OSError, ValueError) as error:  # ValueError: the key went between the two calls
        logger.warning("the cache did not count a visit: %s", error)
        return None
