"""Token buckets in the memory of this process."""

import time
from collections.abc import Callable, Hashable, Sequence

from chassis.base.concurrency import original
from chassis.limits.rate import Rates
from chassis.limits.verdict import Verdict, verdict

MAX_KEYS = 10_000
KEPT_SHARE = 0.9


class MemoryBuckets:
    """Token buckets, each stored as the time at which it will be full again (GCRA, ITU-T I.371 Annex A).

    Full buckets are discarded. If too many keys are left, those nearest to full are discarded first, so that many
    clients that take little cannot displace one that took much.
    """

    __slots__ = ("_clock", "_full_at", "_lock", "_max_keys")

    def __init__(self, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_keys, self._clock = max_keys, clock
        self._full_at: dict[Hashable, Sequence[float]] = {}
        self._lock = original("threading", "Lock")()  # no code inside it yields, so a real lock is safe

    def take(
        self, key: Hashable, rates: Rates, cost: float = 1, *, look: bool = False, late_seconds: float = 0
    ) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks.

        A caller that was told to wait and woke up late passes `late_seconds`: that time counts as waited.
        """
        with self._lock:
            now = self._clock()
            full_at = self._full_at.get(key, ())
            if len(full_at) != len(rates):  # a new key, or one whose rates have changed
                full_at = [now] * len(rates)
            since = now - late_seconds
            after, full_in = [], []
            for at, rate in zip(full_at, rates, strict=True):
                then = (at if at > since else since) + cost * rate.seconds / rate.amount
                after.append(then)
                full_in.append(then - now)
            found = verdict(rates, full_in)
            if found.granted and not look:
                self._keep(key, after, now)
            return found

    def hold(self, key: Hashable, rates: Rates, seconds: float) -> None:
        """Grant nothing for `seconds`, then one token first: no tokens are saved up meanwhile."""
        with self._lock:
            now = self._clock()
            full_at = self._full_at.get(key) or [now] * len(rates)
            first = [now + seconds + rate.seconds - rate.seconds / rate.amount for rate in rates]
            self._keep(key, [max(pair) for pair in zip(full_at, first, strict=True)], now)

    def __len__(self) -> int:
        return len(self._full_at)

    def _keep(self, key: Hashable, full_at: Sequence[float], now: float) -> None:
        if len(self._full_at) >= self._max_keys and key not in self._full_at:
            self._discard(now)
        self._full_at[key] = full_at

    def _discard(self, now: float) -> None:
        used = [key for key, full_at in self._full_at.items() if max(full_at) > now]
        used.sort(key=lambda key: max(self._full_at[key]))
        self._full_at = {key: self._full_at[key] for key in used[-int(self._max_keys * KEPT_SHARE) :]}
