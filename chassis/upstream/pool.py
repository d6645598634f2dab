"""Several APIs that do the same, and which of them a call goes to."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.limits import Rate, limiter
from chassis.security.networks import Network
from chassis.upstream.breaker import OPEN, Breaker
from chassis.upstream.wire import Wire


@dataclass(frozen=True)
class MemberSpec:
    """What is known of one of several APIs, such as its row in a table; `about` is whatever belongs to it.

    `most` calls may be in flight at once, shared by the workers; `per_second` of all processes together, 0 is no limit.
    `detail` is told to clients when no member is left. `open_until` and `trips` are those of its `Breaker`.
    """

    id: str
    name: str
    base_url: str
    key: str = field(default="", repr=False)
    models: tuple[str, ...] = ()
    enabled: bool = True
    weight: int = 1
    most: int = 256
    per_second: float = 0.0
    detail: str = ""
    open_until: float = 0.0
    trips: int = 0
    about: Any = None


@dataclass(eq=False)
class Member:
    """One of several APIs, and what this process knows of it."""

    spec: MemberSpec
    wire: Wire
    breaker: Breaker
    most: int = 256  # calls at once, of this process
    in_flight: int = 0
    elsewhere: int = 0  # calls of other processes
    used_at: float = 0.0

    @property
    def id(self) -> str:
        """Return its id."""
        return self.spec.id

    @property
    def name(self) -> str:
        """Return its name."""
        return self.spec.name

    @property
    def load(self) -> float:
        """Return how busy it would be with one call more, for its weight."""
        return (self.in_flight + self.elsewhere + 1) / self.spec.weight

    def take(self) -> bool:
        """Count a call to it and return True, unless its pace allows none now."""
        pace = self.spec.per_second
        if pace and not limiter.take(f"upstream:{self.id}", (Rate.over_time(pace),)).granted:
            return False
        self.in_flight += 1
        self.used_at = time.monotonic()
        self.breaker.begin()
        return True


def choose(members: Iterable[Member]) -> Member | None:
    """Return the least busy member that has room, and count a call to it; None when all are busy."""
    free = [one for one in members if one.in_flight < one.most]
    return next((one for one in sorted(free, key=lambda one: (one.load, one.used_at)) if one.take()), None)


class Pool:
    """The members that this process knows; a changed address or key makes a new one of it, with new connections.

    `most_failures` in a row open a member's breaker, for `cooldown_seconds` at first.
    """

    def __init__(
        self, networks: tuple[Network, ...], *, most_failures: int, cooldown_seconds: float, workers: int
    ) -> None:
        self._networks, self._workers = networks, workers
        self._most_failures, self._cooldown_seconds = most_failures, cooldown_seconds
        self._members: dict[str, Member] = {}

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def __contains__(self, member: Member) -> bool:
        return self._members.get(member.id) is member

    def update(self, specs: Iterable[MemberSpec], elsewhere: Mapping[str, int]) -> None:
        """Make the members those of the specs; `elsewhere` are the calls in flight in other processes by id."""
        before, self._members = self._members, {spec.id: self._member(spec) for spec in specs}
        for member in self:
            member.elsewhere = elsewhere.get(member.id, 0)
        for member in set(before.values()) - set(self):
            member.wire.close()

    def in_flight(self) -> list[tuple[list[str], float]]:
        """Return ([name], calls in flight in all processes) of each member, for `hooks.gauge`."""
        return [([one.name], one.in_flight + one.elsewhere) for one in self]

    def up(self) -> list[tuple[list[str], float]]:
        """Return ([name], whether it gets calls) of each member, for `hooks.gauge`."""
        return [([one.name], one.spec.enabled and one.breaker.state != OPEN) for one in self]

    def models(self) -> list[str]:
        """Return the names of all models that an enabled member has."""
        return sorted({model for one in self if one.spec.enabled for model in one.spec.models})

    def having(self, model: str) -> list[Member]:
        """Return the enabled members with a model."""
        return [one for one in self if one.spec.enabled and model in one.spec.models]

    def _member(self, spec: MemberSpec) -> Member:
        found = self._members.get(spec.id)
        if found is None or (found.spec.base_url, found.spec.key) != (spec.base_url, spec.key):
            wire = Wire(spec.base_url, spec.key, self._networks)
            found = Member(spec, wire, Breaker(self._most_failures, self._cooldown_seconds))
        found.spec, found.most = spec, max(1, spec.most // self._workers)
        found.breaker.open_until, found.breaker.trips = spec.open_until, spec.trips
        return found
