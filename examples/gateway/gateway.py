"""The gateway of a worker: the backends as it knows them, and how requests are passed on to them."""

import structlog

from app.features.gateway import registry, store
from app.features.gateway.settings import GatewaySettings
from chassis.db import Tally, db
from chassis.upstream import Member, Pool, Relay, RelayLimits
from chassis.wiring import kept

log = structlog.get_logger(__name__)


class Gateway:
    """The pool and the queue of a worker; the registry in the database is shared by all workers."""

    def __init__(self, settings: GatewaySettings, workers: int) -> None:
        self.settings = settings
        self.pool = Pool(
            settings.gateway_allowed_networks,
            most_failures=settings.max_consecutive_failures,
            cooldown_seconds=settings.gateway_cooldown_seconds,
            workers=workers,
        )
        limits = RelayLimits(
            seconds=settings.request_timeout_seconds,
            idle_seconds=settings.gateway_idle_seconds,
            retries=settings.max_retry_attempts,
            retry_share=settings.gateway_retry_share,
            wait_seconds=settings.health_check_interval_seconds,
            queue_seconds=settings.gateway_queue_seconds,
            queue_per_key=settings.gateway_queue_per_key,
            queue_most=settings.gateway_queue_size,
            hedge_seconds=settings.gateway_hedge_seconds,
        )
        self.relay = Relay(limits, self.store_breaker)
        self._calls = Tally("gateway")
        self._synced = False

    def ready(self) -> None:
        """Read the registry, unless that has been done."""
        if not self._synced:
            registry.apply_settings(self.settings)
            self.sync()

    def sync(self) -> None:
        """Take over what the registry says now, and tell and learn how many calls are in flight."""
        elsewhere = self._calls.exchange(db, {backend.id: backend.in_flight for backend in self.pool})
        rows = db.read(store.every)
        self.relay.queue.freed(lambda: self.pool.update(map(registry.spec, rows), elsewhere))
        self._synced = True

    def store_breaker(self, backend: Member) -> None:
        """Store the state of a backend's breaker, for all workers; a request does not fail if that fails."""
        breaker = backend.breaker
        log.warning("gateway_breaker", backend=backend.name, state=breaker.state, trips=breaker.trips)
        values = {"open_until": breaker.open_until, "trips": breaker.trips}
        if backend not in self.pool:
            return  # its address has changed meanwhile
        try:
            db.write(lambda conn: store.change(conn, backend.id, values))
        except Exception:  # the database is away, or read-only: the other workers find out by themselves
            log.exception("gateway_breaker_not_stored", backend=backend.name)


def current() -> Gateway:
    """Return the gateway of this worker, which has read the registry."""
    found = kept(Gateway)
    found.ready()
    return found
