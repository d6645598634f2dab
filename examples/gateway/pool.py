"""The backends as this worker knows them: which one a request goes to."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from app.features.gateway.settings import GatewaySettings
from chassis.limits import Rate, limiter
from chassis.upstream import Breaker, Wire

WIRED = ("base_url", "key")  # a change of these needs new connections


@dataclass
class Member:
    """A backend: its row, and what this worker knows of it."""

    row: Any
    wire: Wire
    breaker: Breaker
    share: int  # of max_concurrency, for this worker
    in_flight: int = 0
    elsewhere: int = 0  # in flight in other workers, a second ago
    used_at: float = 0.0

    @property
    def models(self) -> list[str]:
        """Return the models that it has: those that were declared, or otherwise those that it lists."""
        return list(self.row.models or self.row.found_models)

    @property
    def rates(self) -> tuple[Rate, ...]:
        """Return its limit of pace, or none."""
        return (Rate.over_time(self.row.per_second),) if self.row.per_second else ()

    def load(self) -> float:
        """Return how busy it would be with one request more, for its weight."""
        return (self.in_flight + self.elsewhere + 1) / float(self.row.weight)


class Pool:
    """All backends of the registry."""

    def __init__(self, settings: GatewaySettings, workers: int) -> None:
        self._settings, self._workers = settings, workers
        self.members: dict[str, Member] = {}

    def update(self, rows: Iterable[tuple[Any, str]], elsewhere: dict[str, int]) -> None:
        """Take the registry over: rows with their keys, and the calls in flight in other workers by id."""
        found = {row.id: self._member(row, key) for row, key in rows}
        gone = [self.members[one] for one in self.members.keys() - found.keys()]
        self.members = found
        for member in found.values():
            member.elsewhere = elsewhere.get(member.row.id, 0)
        for member in gone:
            member.wire.close()

    def models(self) -> list[str]:
        """Return the names of all models that a backend in use has."""
        return sorted({model for member in self.members.values() if member.row.enabled for model in member.models})

    def having(self, model: str) -> list[Member]:
        """Return the backends in use with a model."""
        return [member for member in self.members.values() if member.row.enabled and model in member.models]

    def choose(self, model: str, tried: Collection[str]) -> Member | None:
        """Return the least busy backend with room that has the model and was not tried; count a call to it."""
        able = [one for one in self.able(model, tried) if one.in_flight < one.share]
        for member in sorted(able, key=lambda one: (one.load(), one.used_at)):
            if not member.rates or limiter.take(f"gateway:{member.row.id}", member.rates).granted:
                member.in_flight += 1
                member.used_at = time.monotonic()
                member.breaker.begin()
                return member
        return None

    def able(self, model: str, tried: Collection[str]) -> list[Member]:
        """Return the healthy backends with a model that were not tried, busy or not."""
        return [one for one in self.having(model) if one.row.id not in tried and one.breaker.allows()]

    def wait_seconds(self, members: Collection[Member]) -> float:
        """Return when the first of them may be asked again: its breaker is half open, or the health check was good."""
        seconds = min(member.breaker.open_until for member in members) - time.time()
        return min(seconds, self._settings.health_check_interval_seconds)

    def _member(self, row: Any, key: str) -> Member:
        share = max(1, row.max_concurrency // self._workers)
        known = self.members.get(row.id)
        if known is None or any(getattr(known.row, name) != getattr(row, name) for name in WIRED):
            breaker = Breaker(self._settings.max_consecutive_failures, self._settings.gateway_cooldown_seconds)
            known = Member(row, Wire(row.base_url, key, self._settings.gateway_allowed_networks), breaker, share)
        known.row, known.share = row, share
        known.breaker.open_until, known.breaker.trips = row.open_until, row.trips
        return known
