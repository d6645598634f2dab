"""Token buckets in Redis, shared by all processes that use it."""

from typing import Any

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
    """Token buckets that all processes share; connects with the first `take`."""

    def __init__(self, url: str) -> None:
        client = _client(url)
        self._take, self._hold = client.register_script(SCRIPT), client.register_script(HOLD)

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False, late_seconds: float = 0) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks.

        Raises the library's errors while Redis is down.
        """
        args = [int(look), cost, round(late_seconds * 1e6), *_numbers(rates)]
        full_in = self._take(keys=_keys(key, rates), args=args)
        return verdict(rates, [microseconds / 1e6 for microseconds in full_in])

    def hold(self, key: str, rates: Rates, seconds: float) -> None:
        """Grant nothing for `seconds`, then one token first; raise the library's errors while Redis is down."""
        self._hold(keys=_keys(key, rates), args=[round(seconds * 1e6), *_numbers(rates)])


def _keys(key: str, rates: Rates) -> list[str]:
    return [f"{PREFIX}{{{key}}}:{number}" for number in range(len(rates))]


def _numbers(rates: Rates) -> list[float]:
    return [number for rate in rates for number in (rate.amount, rate.seconds)]


def _client(url: str) -> Any:
    import redis  # an extra, see pyproject.toml
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis(connection_pool=pool)
