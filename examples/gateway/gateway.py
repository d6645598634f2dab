"""The gateway of a worker: its pool of backends, and the work that keeps it current."""

import os
import socket
import threading
import time
from collections import Counter

import structlog
from prometheus_client import Gauge

from app.features.gateway import calls, live, registry, store
from app.features.gateway.health import check
from app.features.gateway.pool import Backend, Pool
from app.features.gateway.settings import GatewaySettings
from chassis.db import db
from chassis.hooks import Hooks
from chassis.limits import FairQueue
from chassis.upstream import Relay, RelayLimits, RetryBudget
from chassis.wiring import kept

log = structlog.get_logger(__name__)
SYNC_SECONDS = 1.0
IN_FLIGHT = Gauge("gateway_in_flight", "Calls to a backend under way.", ["backend"], multiprocess_mode="livesum")
UP = Gauge("gateway_backend_up", "Whether a backend gets calls.", ["backend"], multiprocess_mode="livemin")


class Gateway:
    """The backends as this worker knows them; the registry in the database is shared by all workers."""

    def __init__(self, settings: GatewaySettings, workers: int) -> None:
        self.settings, self.pool = settings, Pool(settings, workers)
        queue = {"per_key": settings.gateway_queue_per_key, "most": settings.gateway_queue_size}
        self.queue: FairQueue[Backend] = FairQueue(seconds=settings.gateway_queue_seconds, **queue)
        limits = RelayLimits(
            settings.request_timeout_seconds,
            settings.gateway_idle_seconds,
            settings.max_retry_attempts,
            settings.health_check_interval_seconds,
        )
        self.relay = Relay(self.queue, RetryBudget(settings.gateway_retry_share), limits, self.store_breaker)
        self.worker = f"{socket.gethostname()}:{os.getpid()}"[-64:]
        self._synced = False
        self._told: dict[str, int] = {}

    def ready(self) -> None:
        """Read the registry, unless that has been done."""
        if not self._synced:
            registry.apply_settings(self.settings)
            self.sync()

    def sync(self) -> None:
        """Take over what the registry says now, and what other workers tell."""
        since = time.time() - store.LOST_SECONDS
        rows, told = db.read(lambda conn: (store.every(conn), store.elsewhere(conn, self.worker, since)))
        elsewhere: Counter[str] = Counter()
        for row in told:
            elsewhere[row.backend_id] += row.in_flight
        found = [(row, registry.key_of(row) or "") for row in rows]
        self.queue.freed(lambda: self.pool.update(found, elsewhere))
        self._synced = True

    def tick(self) -> None:
        """Tell and learn the state, store the log, and check the backends that are due; once a second."""
        calls.waiting.store(db)
        self.ready()
        now, backends = time.time(), list(self.pool.backends.values())
        if any(one.row.lease_until and one.row.lease_until < now for one in backends):
            db.write(lambda conn: store.remove_lapsed(conn, now))
        self._tell(backends, now)
        self.sync()
        for backend in self.pool.backends.values():
            self._check(backend, now)
        live.tell(self)

    def store_breaker(self, backend: Backend) -> None:
        """Store the state of a backend's breaker, for all workers; a request does not fail if that fails."""
        breaker = backend.breaker
        log.warning("gateway_breaker", backend=backend.name, state=breaker.state, trips=breaker.trips)
        values = {"open_until": breaker.open_until, "trips": breaker.trips}
        if self.pool.backends.get(backend.id) is not backend:
            return  # its address has changed meanwhile
        try:
            db.write(lambda conn: store.change(conn, backend.id, values))
        except Exception:  # the database is away, or read-only: the other workers find out by themselves
            log.exception("gateway_breaker_not_stored", backend=backend.name)

    def _check(self, backend: Backend, now: float) -> None:
        """Check a backend if that is due and no other worker does so."""
        before = now - self.settings.health_check_interval_seconds
        due = backend.row.enabled and backend.row.checked_at < before
        if due and db.write(lambda conn: store.claim_check(conn, backend.id, before, now)):
            threading.Thread(target=check, args=(self, backend), name="gateway-check", daemon=True).start()

    def _tell(self, backends: list[Backend], now: float) -> None:
        """Store this worker's calls in flight, if there is something to tell."""
        told = {one.id: one.in_flight for one in backends if one.in_flight}
        for one in backends:
            IN_FLIGHT.labels(one.name).set(one.in_flight)
            UP.labels(one.name).set(one.breaker.state != "open")
        if told or self._told:
            db.write(lambda conn: store.put_loads(conn, self.worker, told, now))
        self._told = told


def current() -> Gateway:
    """Return the gateway of this worker, which has read the registry."""
    found = kept(Gateway)
    found.ready()
    return found


def connect(hooks: Hooks) -> None:
    """Make the gateway of this worker, and keep it current."""
    made = Gateway(hooks.settings.section(GatewaySettings), hooks.settings.gunicorn_workers)
    hooks.keep(made)
    hooks.every(SYNC_SECONDS, "gateway_sync", made.tick)
