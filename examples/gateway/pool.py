"""The backends as this worker knows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.features.gateway.settings import GatewaySettings
from chassis.limits import Rate
from chassis.upstream import Breaker, Member, Wire


@dataclass(eq=False)
class Backend(Member):
    """A backend with its row."""

    row: Any = None

    @property
    def models(self) -> list[str]:
        """Return the models that it has: those that were declared, or otherwise those that it lists."""
        return list(self.row.models or self.row.found_models)


class Pool:
    """All backends of the registry."""

    def __init__(self, settings: GatewaySettings, workers: int) -> None:
        self._settings, self._workers = settings, workers
        self.backends: dict[str, Backend] = {}

    def update(self, rows: Iterable[tuple[Any, str]], elsewhere: dict[str, int]) -> None:
        """Take the registry over: rows with their keys, and the calls in flight in other workers by id."""
        before, self.backends = self.backends, {row.id: self._backend(row, key) for row, key in rows}
        for backend in self.backends.values():
            backend.elsewhere = elsewhere.get(backend.id, 0)
        for backend in set(before.values()) - set(self.backends.values()):
            backend.wire.close()

    def models(self) -> list[str]:
        """Return the names of all models that a backend in use has."""
        return sorted({model for one in self.backends.values() if one.row.enabled for model in one.models})

    def having(self, model: str) -> list[Backend]:
        """Return the backends in use with a model."""
        return [one for one in self.backends.values() if one.row.enabled and model in one.models]

    def _backend(self, row: Any, key: str) -> Backend:
        found = self.backends.get(row.id)
        if found is None or (found.row.base_url, found.row.key) != (row.base_url, row.key):
            breaker = Breaker(self._settings.max_consecutive_failures, self._settings.gateway_cooldown_seconds)
            wire = Wire(row.base_url, key, self._settings.gateway_allowed_networks)
            found = Backend(row.id, row.name, wire, breaker)
        found.row, found.weight, found.detail = row, row.weight, row.check_detail
        found.most = max(1, row.max_concurrency // self._workers)
        found.rates = (Rate.over_time(row.per_second),) if row.per_second else ()
        found.breaker.open_until, found.breaker.trips = row.open_until, row.trips
        return found
