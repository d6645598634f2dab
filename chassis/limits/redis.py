"""Token buckets in Redis, shared by all processes that use it."""

from typing import Any

from chassis.base import redis_client
from chassis.base.service import current
from chassis.limits.rate import Rates
from chassis.limits.verdict import Verdict, verdict

TIMEOUT_SECONDS = 0.25  # the longest that a request waits for Redis
MAX_CONNECTIONS = 64
PREFIX = "limits:"

# The same as in memory.py, in one round trip and on Redis' own clock. KEYS: one per bucket. ARGV: 1 to only look, the
# cost, how late the caller is in microseconds, then amount and seconds of each bucket. Returns when each would be full
# again, in microseconds from now.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local after, from_now, granted = {}, {}, true
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[2 * i + 2]), tonumber(ARGV[2 * i + 3]) * 1000000
  after[i] = math.max(tonumber(redis.call('GET', key) or now), now - ARGV[3]) + ARGV[2] * window / amount
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

# ARGV: the pause in microseconds, then amount and seconds of each bucket.
HOLD = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) * 1000000
  local at = math.max(tonumber(redis.call('GET', key) or 0), now + ARGV[1] + window - window / amount)
  redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1)
end
"""


class RedisBuckets:
    """Token buckets that all processes of this service share; connects with the first `take`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._scripts: tuple[Any, Any] | None = None
        self._prefix = f"{current().slug}:{PREFIX}"

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False, late_seconds: float = 0) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks.

        Raises the library's errors while Redis is down.
        """
        args = [int(look), cost, round(late_seconds * 1e6), *_numbers(rates)]
        full_in = self._connected()[0](keys=self._keys(key, rates), args=args)
        return verdict(rates, [microseconds / 1e6 for microseconds in full_in])

    def hold(self, key: str, rates: Rates, seconds: float) -> None:
        """Grant nothing for `seconds`, then one token first; raise the library's errors while Redis is down."""
        self._connected()[1](keys=self._keys(key, rates), args=[round(seconds * 1e6), *_numbers(rates)])

    def _connected(self) -> tuple[Any, Any]:
        """Return the scripts that take and hold."""
        if self._scripts is None:
            found = redis_client.client(self._url, seconds=TIMEOUT_SECONDS, max_connections=MAX_CONNECTIONS)
            self._scripts = found.register_script(SCRIPT), found.register_script(HOLD)
        return self._scripts

    def _keys(self, key: str, rates: Rates) -> list[str]:
        return [f"{self._prefix}{{{key}}}:{number}" for number in range(len(rates))]


def _numbers(rates: Rates) -> list[float]:
    return [number for rate in rates for number in (rate.amount, rate.seconds)]
