"""A rate as written in settings: `600 per minute`."""

import re
from dataclasses import dataclass
from math import ceil

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
WRITTEN = re.compile(r"([1-9]\d{0,8})\s*(?:per|/)\s*(?:([1-9]\d{0,5})\s*)?(second|minute|hour|day)s?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """An amount that may be taken at once, and the seconds in which that amount is refilled, evenly."""

    amount: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Return the rate that a text describes; raise ValueError if it is not a rate."""
        found = WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"holds {text!r}, which is not a rate such as '600 per minute' or '5 per 10 seconds'")
        return cls(int(found[1]), int(found[2] or 1) * SECONDS[found[3].lower()])

    @classmethod
    def over_time(cls, per_second: float, burst: int | None = None) -> "Rate":
        """Return a rate per second with bursts of `burst`; by default a second's worth."""
        amount = ceil(per_second) if burst is None else burst
        return cls(amount, amount / per_second)

    def __str__(self) -> str:
        for unit, seconds in reversed(SECONDS.items()):
            if self.seconds % seconds == 0:
                many = self.seconds // seconds
                return f"{self.amount} per {unit}" if many == 1 else f"{self.amount} per {many:g} {unit}s"
        return f"{self.amount} per {self.seconds:g} seconds"


Rates = tuple[Rate, ...]
"""A type: several rates, all of which hold at once."""
