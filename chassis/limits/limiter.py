"""The service's limiter: counts in Redis for all processes, or in this one if Redis is down or not used."""

import time

import structlog

from chassis.limits.memory import MemoryBuckets
from chassis.limits.rate import Rates
from chassis.limits.redis import RedisBuckets
from chassis.limits.verdict import Buckets, Verdict

log = structlog.get_logger(__name__)
RETRY_SECONDS = 1.0


class Limiter:
    """Counts in this process, or in Redis if that is configured."""

    def __init__(self) -> None:
        self.configure("")

    def configure(self, redis_url: str) -> None:
        """Discard all counts, and use Redis from now on, or memory without a URL; does not connect yet."""
        self._here: Buckets = MemoryBuckets()
        self._shared: Buckets | None = RedisBuckets(redis_url) if redis_url else None
        self._away, self._retry_at = False, 0.0

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks."""
        shared = self._ask(self._shared, key, rates, cost, look) if self._shared is not None else None
        return shared or self._here.take(key, rates, cost, look=look)

    def _ask(self, shared: Buckets, key: str, rates: Rates, cost: float, look: bool) -> Verdict | None:
        """Return the shared buckets' verdict, or None while Redis is down."""
        now = time.monotonic()
        if self._away and now < self._retry_at:
            return None
        self._retry_at = now + RETRY_SECONDS  # while Redis is down, one caller tries it and the others do not wait
        try:
            found = shared.take(key, rates, cost, look=look)
        except Exception as error:
            self._tell(away=True, reason=str(error))
            return None
        self._tell(away=False)
        return found

    def _tell(self, *, away: bool, reason: str = "") -> None:
        """Log once that Redis went down or came back."""
        if away and not self._away:
            log.warning(
                "limits_not_shared", reason=reason, hint="Redis is unavailable: each process counts separately."
            )
        elif self._away and not away:
            log.info("limits_shared_again", hint="Redis is available: all processes count together.")
        self._away = away
