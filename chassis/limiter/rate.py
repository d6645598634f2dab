"""A rate as people write it: `600 per minute`."""

import re
from dataclasses import dataclass
from math import ceil

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
WRITTEN = re.compile(r"([1-9]\d{0,8})\s*(?:per|/)\s*(?:([1-9]\d{0,5})\s*)?(second|minute|hour|day)s?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, which come back evenly in so many seconds."""

    amount: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Return what is written; raise ValueError when it is no rate."""
        found = WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"holds {text!r}, which is not a rate such as '600 per minute' or '5 per 10 seconds'")
        return cls(int(found[1]), int(found[2] or 1) * SECONDS[found[3].lower()])

    @classmethod
    def over_time(cls, per_second: float, at_once: int = 1) -> "Rate":
        """Return a rate per second, of which a second's worth may come at once, or more."""
        amount = max(at_once, ceil(per_second))
        return cls(amount, amount / per_second)

    def __str__(self) -> str:
        for unit, seconds in reversed(SECONDS.items()):
            if self.seconds % seconds == 0:
                many = self.seconds // seconds
                return f"{self.amount} per {unit}" if many == 1 else f"{self.amount} per {many:g} {unit}s"
        return f"{self.amount} per {self.seconds:g} seconds"
