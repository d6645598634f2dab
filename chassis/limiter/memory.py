"""Who took how much, in the memory of this process."""

import time
from collections.abc import Callable, Sequence

from chassis.base.concurrency import original
from chassis.limiter.verdict import Rates, Verdict, verdict

MAX_KEYS = 10_000
KEPT_SHARE = 0.9


class Buckets:
    """Token buckets, each kept as the time at which it will be full again (GCRA, ITU-T I.371 Annex A).

    Whose buckets are full again is as a stranger, and forgotten. Where too many are left, those go that are nearest to
    it: who took much cannot be made forgotten by a crowd that takes little.
    """

    def __init__(self, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_keys, self._clock = max_keys, clock
        self._full_at: dict[str, Sequence[float]] = {}
        self._lock = original("threading", "Lock")()  # nothing inside gives way, so a real one will do

    def take(self, key: str, rates: Rates, *, look: bool = False) -> Verdict:
        """Take one from every bucket of a key, or, where one is empty, from none; only look when told so."""
        with self._lock:
            now = self._clock()
            full_at = self._full_at.get(key, ())
            if len(full_at) != len(rates):  # a key that got other rates meanwhile, or a new one
                full_at = [now] * len(rates)
            after = [max(at, now) + rate.seconds / rate.amount for at, rate in zip(full_at, rates, strict=True)]
            found = verdict(rates, [at - now for at in after])
            if found.granted and not look:
                if len(self._full_at) >= self._max_keys and key not in self._full_at:
                    self._forget(now)
                self._full_at[key] = after
            return found

    def __len__(self) -> int:
        return len(self._full_at)

    def _forget(self, now: float) -> None:
        used = [(max(full_at), key) for key, full_at in self._full_at.items() if max(full_at) > now]
        kept = sorted(used)[-int(self._max_keys * KEPT_SHARE) :]
        self._full_at = {key: self._full_at[key] for _, key in kept}
