"""What becomes of one that asks for its share."""

from collections.abc import Sequence
from typing import NamedTuple

from chassis.limiter.rate import Rate

Rates = tuple[Rate, ...]
TOLERANCE_SECONDS, PLACES = 1e-6, 6  # of the sums of fractions


class Verdict(NamedTuple):
    """Whether it is granted, and how it stands with the bucket that has least left."""

    granted: bool
    rate: Rate
    remaining: int
    full_in_seconds: float
    wait_seconds: float  # until one would be granted; 0 when it was


def verdict(rates: Rates, full_in: Sequence[float]) -> Verdict:
    """Return it from when the buckets would be full again after this one, in seconds from now."""
    wait, tightest, least, until = 0.0, rates[0], float("inf"), 0.0
    for rate, seconds in zip(rates, full_in, strict=True):
        over = seconds - rate.seconds
        if over > TOLERANCE_SECONDS and over > wait:
            wait = over
        left = -over * rate.amount / rate.seconds
        if left < least:
            least, tightest, until = left, rate, seconds
    remaining = int(least + TOLERANCE_SECONDS) if least > 0 else 0
    return Verdict(wait == 0, tightest, remaining, round(min(until, tightest.seconds), PLACES), round(wait, PLACES))
