"""Token buckets in memory that the workers of one machine share."""

import time
from collections.abc import Callable, Sequence
from struct import Struct

from chassis.limits.rate import Rates
from chassis.limits.verdict import Verdict, verdict
from chassis.limits.zone import Zone

WAYS = 16  # buckets in a set
MOST_RATES = WAYS // 2
NAMES, TIMES = Struct(f"{WAYS}Q"), Struct(f"{WAYS}d")
NAME, TIME = Struct("Q"), Struct("d")
SET_BYTES = NAMES.size + TIMES.size
NUMBER = 2**64 - 1


class SharedBuckets:
    """Token buckets as in memory.py, in a table of fixed size.

    A key's hash selects a set of 16 buckets. If the set is full, the bucket that is nearest to full makes room. Hashes
    are Python's: the workers are forked from one process, so they have its random seed.
    """

    def __init__(self, zone: Zone, start: int, sets: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._zone, self._start, self._sets, self._clock = zone, start, sets, clock

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False, late_seconds: float = 0) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks.

        A caller that was told to wait and woke up late passes `late_seconds`: that time counts as waited. Raises
        TimeoutError while a stopped worker holds the set's lock, and ValueError for more than MOST_RATES rates.
        """
        place, names = self._place(key), _names(key, rates)
        with self._zone.locked(place):
            now = self._clock()
            since = now - late_seconds
            after = [
                max(at, since) + cost * rate.seconds / rate.amount
                for at, rate in zip(self._full_at(place, names, now), rates, strict=True)
            ]
            found = verdict(rates, [at - now for at in after])
            if found.granted and not look:
                self._keep(place, names, after)
        return found

    def hold(self, key: str, rates: Rates, seconds: float) -> None:
        """Grant nothing for `seconds`, then one token first: no tokens are saved up meanwhile."""
        place, names = self._place(key), _names(key, rates)
        with self._zone.locked(place):
            now = self._clock()
            first = [now + seconds + rate.seconds - rate.seconds / rate.amount for rate in rates]
            full_at = self._full_at(place, names, now)
            self._keep(place, names, [max(pair) for pair in zip(full_at, first, strict=True)])

    def _place(self, key: str) -> int:
        return self._start + hash(key) % self._sets * SET_BYTES

    def _full_at(self, place: int, names: Sequence[int], now: float) -> list[float]:
        """Return when each bucket is full again: now, for one that is not in the set."""
        kept = NAMES.unpack_from(self._zone.memory, place)
        times = TIMES.unpack_from(self._zone.memory, place + NAMES.size)
        return [times[kept.index(name)] if name in kept else now for name in names]

    def _keep(self, place: int, names: Sequence[int], full_at: Sequence[float]) -> None:
        """Store buckets; a worker that is killed between the two steps leaves a bucket that is nearly full."""
        memory = self._zone.memory
        for name, at in zip(names, full_at, strict=True):
            kept = NAMES.unpack_from(memory, place)
            where = kept.index(name) if name in kept else self._least(place, kept, names)
            NAME.pack_into(memory, place + where * NAME.size, name)
            TIME.pack_into(memory, place + NAMES.size + where * TIME.size, at)

    def _least(self, place: int, kept: Sequence[int], needed: Sequence[int]) -> int:
        times = TIMES.unpack_from(self._zone.memory, place + NAMES.size)
        return min((where for where in range(WAYS) if kept[where] not in needed), key=times.__getitem__)


def _names(key: str, rates: Rates) -> list[int]:
    """Return the names of a key's buckets; a changed rate begins a new bucket, since its times would not fit."""
    if len(rates) > MOST_RATES:
        raise ValueError(f"At most {MOST_RATES} rates can hold at once over several workers, not {len(rates)}.")
    return [hash((key, rate.amount, rate.seconds)) & NUMBER or 1 for rate in rates]
