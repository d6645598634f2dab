"""The verdict of a token bucket, and the protocol for buckets in memory, Redis or elsewhere."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, Protocol

from chassis.limits.rate import Rate, Rates

TOLERANCE_SECONDS, PLACES = 1e-6, 6  # for rounding errors in sums of fractions


class Verdict(NamedTuple):
    """Whether tokens were granted, and the state of the bucket with the fewest left."""

    granted: bool
    rate: Rate
    remaining: int
    full_in_seconds: float
    wait_seconds: float  # until the same request could be granted; 0 if it was


class Buckets(Protocol):
    """Token buckets by key, one for each rate of a key.

    An implementation keeps them for one process, or for all processes that count together.
    """

    def take(self, key: str, rates: Rates, cost: float = 1, *, look: bool = False, late_seconds: float = 0) -> Verdict:
        """Take `cost` tokens from every bucket of a key, or none if one holds too few; `look` only checks."""

    def hold(self, key: str, rates: Rates, seconds: float) -> None:
        """Grant nothing for `seconds`, then one token first."""


def verdict(rates: Rates, full_in: Sequence[float]) -> Verdict:
    """Return the verdict on a request after which the buckets would be full in `full_in` seconds each."""
    wait, tightest, least, until = 0.0, rates[0], inf, 0.0
    for rate, seconds in zip(rates, full_in, strict=True):
        over = seconds - rate.seconds
        if over > TOLERANCE_SECONDS and over > wait:
            wait = over
        left = -over * rate.amount / rate.seconds
        if left < least:
            least, tightest, until = left, rate, seconds
    remaining = int(least + TOLERANCE_SECONDS) if least > 0 else 0
    until = round(until if until < tightest.seconds else tightest.seconds, PLACES)
    return Verdict(wait == 0, tightest, remaining, until, round(wait, PLACES) if wait else 0.0)
