"""The service's limiter: counts in Redis, in the workers' shared memory, or in this process."""

import time

import structlog

from chassis.limits.memory import MemoryBuckets
from chassis.limits.rate import Rates
from chassis.limits.redis import RedisBuckets
from chassis.limits.verdict import Buckets, Verdict

log = structlog.get_logger(__name__)
RETRY_SECONDS = 1.0
NO_REDIS = "Redis is unavailable: each machine counts separately."
NO_MEMORY = "A stopped worker holds a lock: this worker counts separately."


class Limiter:
    """Counts in Redis if that is configured; otherwise, or while it is down, in memory.

    The memory is that of this process, or that which several workers share.
    """

    def __init__(self) -> None:
        self._redis: _Shared | None = None
        self._machine: _Shared | None = None
        self.configure("")

    def configure(self, redis_url: str) -> None:
        """Discard the counts of this process, and use Redis from now on if there is a URL; does not connect yet."""
        self._here = MemoryBuckets()
        self._redis = _Shared(RedisBuckets(redis_url), NO_REDIS) if redis_url else None
        self._order()

    def share(self, buckets: Buckets) -> None:
        """Count in memory that the workers of this machine share, rather than in that of this process."""
        self._machine = _Shared(buckets, NO_MEMORY)
        self._order()

    @property
    def shares(self) -> bool:
        """Whether other processes count too."""
        return bool(self._shared)

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False, late_seconds: float = 0) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks.

        A caller that was told to wait and woke up late passes `late_seconds`: that time counts as waited.
        """
        for shared in self._shared:
            found = shared.take(key, rates, cost, look, late_seconds)
            if found is not None:
                return found
        return self._here.take(key, rates, cost, look=look, late_seconds=late_seconds)

    def hold(self, key: str, rates: Rates, seconds: float) -> None:
        """Grant nothing for `seconds`, wherever the key is counted."""
        for shared in self._shared:
            shared.hold(key, rates, seconds)
        self._here.hold(key, rates, seconds)

    def _order(self) -> None:
        self._shared = [shared for shared in (self._redis, self._machine) if shared]


class _Shared:
    """Buckets that may fail; after a failure one caller per second tries them, and the others do not wait."""

    def __init__(self, buckets: Buckets, hint: str) -> None:
        self._buckets, self._hint = buckets, hint
        self._away, self._retry_at = False, 0.0

    def take(self, key: str, rates: Rates, cost: float, look: bool, late_seconds: float) -> Verdict | None:
        """Return the verdict, or None while they fail."""
        if not self._may_try():
            return None
        try:
            found = self._buckets.take(key, rates, cost, look=look, late_seconds=late_seconds)
        except Exception as error:
            self._tell(away=True, reason=str(error))
            return None
        self._tell(away=False)
        return found

    def hold(self, key: str, rates: Rates, seconds: float) -> None:
        """Pass a pause on, unless they fail."""
        if self._may_try():
            try:
                self._buckets.hold(key, rates, seconds)
            except Exception as error:
                self._tell(away=True, reason=str(error))

    def _may_try(self) -> bool:
        now = time.monotonic()
        if self._away and now < self._retry_at:
            return False
        self._retry_at = now + RETRY_SECONDS
        return True

    def _tell(self, *, away: bool, reason: str = "") -> None:
        """Log once that they fail, or that they work again."""
        if away and not self._away:
            log.warning("limits_not_shared", reason=reason, hint=self._hint)
        elif self._away and not away:
            log.info("limits_shared_again", hint="All processes count together.")
        self._away = away
