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
# cost, then amount and seconds of each bucket. Returns when each would be full again, in microseconds from now.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local after, from_now, granted = {}, {}, true
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2]) * 1000000
  after[i] = math.max(tonumber(redis.call('GET', key) or 0), now) + ARGV[2] * window / amount
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


class RedisBuckets:
    """Token buckets that all processes of this service share; connects with the first `take`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._script: Any = None
        self._prefix = f"{current().slug}:{PREFIX}"

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks.

        Raises the library's errors while Redis is down.
        """
        keys = [f"{self._prefix}{{{key}}}:{number}" for number in range(len(rates))]
        numbers = [number for rate in rates for number in (rate.amount, rate.seconds)]
        if self._script is None:
            found = redis_client.client(self._url, seconds=TIMEOUT_SECONDS, max_connections=MAX_CONNECTIONS)
            self._script = found.register_script(SCRIPT)
        full_in = self._script(keys=keys, args=[int(look), cost, *numbers])
        return verdict(rates, [microseconds / 1e6 for microseconds in full_in])
