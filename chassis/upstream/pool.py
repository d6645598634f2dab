"""Several APIs that do the same, and which of them a call goes to."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from chassis.limits import Rate, limiter
from chassis.upstream.breaker import Breaker
from chassis.upstream.wire import Wire


@dataclass(eq=False)
class Member:
    """One of several APIs, and what this process knows of it; `detail` is told to clients when none is left."""

    id: str
    name: str
    wire: Wire
    breaker: Breaker
    weight: int = 1
    most: int = 256  # calls at once, of this process
    rates: tuple[Rate, ...] = ()  # of all processes together
    detail: str = ""
    in_flight: int = 0
    elsewhere: int = 0  # calls of other processes
    used_at: float = 0.0

    @property
    def load(self) -> float:
        """Return how busy it would be with one call more, for its weight."""
        return (self.in_flight + self.elsewhere + 1) / self.weight


M = TypeVar("M", bound=Member)


def choose(members: Iterable[M]) -> M | None:
    """Return the least busy member that has room, and count a call to it; None when all are busy."""
    free = [one for one in members if one.in_flight < one.most]
    for member in sorted(free, key=lambda one: (one.load, one.used_at)):
        if not member.rates or limiter.take(f"upstream:{member.id}", member.rates).granted:
            member.in_flight += 1
            member.used_at = time.monotonic()
            member.breaker.begin()
            return member
    return None
