"""Who took how much, in Redis for all processes; in memory while that is away."""

import time
from typing import Any

import structlog

from chassis.limiter.memory import Buckets
from chassis.limiter.verdict import Rates, Verdict, verdict

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 0.25  # a request waits no longer for Redis, and then not again until it is back
RETRY_SECONDS = 1.0
MAX_CONNECTIONS = 64
PREFIX = "limits:"

# The same as in memory.py, in one round trip and on Redis' own clock. KEYS: a bucket each. ARGV: 1 for a look alone,
# then amount and seconds of each. Returns when each would be full again, in microseconds from now.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local after, from_now, granted = {}, {}, true
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) * 1000000
  after[i] = math.max(tonumber(redis.call('GET', key) or 0), now) + window / amount
  from_now[i] = math.floor(after[i] - now)
  granted = granted and from_now[i] <= window + 1
end
if granted and ARGV[1] == '0' then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', after[i]), 'PX', math.ceil(from_now[i] / 1000) + 1)
  end
end
return from_now
"""


class Limiter:
    """Counts in this process, or, once connected, in Redis."""

    def __init__(self) -> None:
        self.configure("")

    def configure(self, redis_url: str) -> None:
        """Forget everything and count in Redis from now on, or here without a URL; connects to nothing yet."""
        self._here = Buckets()
        self._script: Any = _script(redis_url) if redis_url else None
        self._away, self._retry_at = False, 0.0

    def take(self, key: str, rates: Rates, *, look: bool = False) -> Verdict:
        """Take one from every bucket of a key, or, where one is empty, from none; only look when told so."""
        shared = self._ask_redis(key, rates, look) if self._script is not None else None
        return shared or self._here.take(key, rates, look=look)

    def _ask_redis(self, key: str, rates: Rates, look: bool) -> Verdict | None:
        """Return what Redis says, or None while it is away."""
        now = time.monotonic()
        if self._away and now < self._retry_at:
            return None
        self._retry_at = now + RETRY_SECONDS  # while it is away one asks, and the others do not wait
        keys = [f"{PREFIX}{{{key}}}:{number}" for number in range(len(rates))]
        numbers = [number for rate in rates for number in (rate.amount, rate.seconds)]
        try:
            full_in = self._script(keys=keys, args=[int(look), *numbers])
        except Exception as error:
            self._tell(away=True, reason=str(error))
            return None
        self._tell(away=False)
        return verdict(rates, [microseconds / 1e6 for microseconds in full_in])

    def _tell(self, *, away: bool, reason: str = "") -> None:
        """Log that Redis went away or came back, once."""
        if away and not self._away:
            log.warning("limits_not_shared", reason=reason, hint="Redis is away: each process counts for itself.")
        elif self._away and not away:
            log.info("limits_shared_again", hint="Redis answers: all processes count together.")
        self._away = away


def _script(redis_url: str) -> Any:
    import redis  # an extra, see pyproject.toml
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = redis.BlockingConnectionPool.from_url(
        redis_url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis(connection_pool=pool).register_script(SCRIPT)
