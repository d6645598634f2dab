"""The gateway of a worker: its pool of backends, and the work that keeps it current."""

import os
import socket
import threading
import time
from typing import Any

import structlog
from prometheus_client import Gauge

from app.features.gateway import calls, live, registry, store
from app.features.gateway.health import check
from app.features.gateway.pool import Member, Pool
from app.features.gateway.settings import GatewaySettings
from chassis.db import db
from chassis.errors import AppError
from chassis.hooks import Hooks
from chassis.limits import FairQueue
from chassis.upstream import RetryBudget
from chassis.wiring import kept

log = structlog.get_logger(__name__)
SYNC_SECONDS = 1.0
IN_FLIGHT = Gauge("gateway_in_flight", "Calls to a backend under way.", ["backend"], multiprocess_mode="livesum")
UP = Gauge(
    "gateway_backend_up",
    "Whether a backend gets calls (1) or its breaker is open.",
    ["backend"],
    multiprocess_mode="livemin",
)


class Gateway:
    """The backends as this worker knows them; the registry in the database is shared by all workers."""

    def __init__(self, settings: GatewaySettings, workers: int) -> None:
        self.settings, self.pool = settings, Pool(settings, workers)
        queue = {"per_key": settings.gateway_queue_per_key, "most": settings.gateway_queue_size}
        self.queue: FairQueue[Member] = FairQueue(seconds=settings.gateway_queue_seconds, **queue)
        self.retries = RetryBudget(settings.gateway_retry_share)
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
        now = time.time()
        rows = db.read(store.every)
        told = db.read(lambda conn: store.in_flight(conn, now - store.LOST_SECONDS))
        elsewhere: dict[str, int] = {}
        for row in told:
            if row.worker != self.worker:
                elsewhere[row.backend_id] = elsewhere.get(row.backend_id, 0) + row.in_flight
        self.queue.freed(lambda: self.pool.update([(row, self._key(row)) for row in rows], elsewhere))
        self._synced = True

    def tick(self) -> None:
        """Tell and learn the state, store the log, and check the backends that are due; once a second."""
        self._store_calls()
        self.ready()
        now = time.time()
        if any(row.lease_until and row.lease_until < now for row in db.read(store.every)):
            db.write(lambda conn: store.remove_lapsed(conn, now))
        self._tell(now)
        self.sync()
        for member in list(self.pool.members.values()):
            self._check(member, now)
        live.tell(self)

    def ended(self, member: Member, *, failed: bool | None) -> None:
        """Take a backend back after a call, which may have opened or closed its breaker; None says nothing about it."""
        self.queue.freed(lambda: _back(member))
        breaker = member.breaker
        if failed is None:
            breaker.ended()
        elif not failed:
            self.good(member)
        elif breaker.failed():
            self.store_breaker(member)

    def good(self, member: Member) -> None:
        """Take note that a backend answers, which closes its breaker."""
        if member.breaker.succeeded():
            self.store_breaker(member)

    def store_breaker(self, member: Member, **values: Any) -> None:
        """Store the state of a backend's breaker, for all workers."""
        breaker = member.breaker
        log.warning("gateway_breaker", backend=member.row.name, state=breaker.state, trips=breaker.trips)
        state = {"open_until": breaker.open_until, "trips": breaker.trips} | values
        db.write(lambda conn: store.change(conn, member.row.id, state))

    def _check(self, member: Member, now: float) -> None:
        """Check a backend if that is due and no other worker does so."""
        before = now - self.settings.health_check_interval_seconds
        due = member.row.enabled and member.row.checked_at < before
        if due and db.write(lambda conn: store.claim_check(conn, member.row.id, before, now)):
            threading.Thread(target=check, args=(self, member), name="gateway-check", daemon=True).start()

    def _key(self, row: Any) -> str:
        try:
            return registry.key_of(row)
        except AppError as error:
            log.error("gateway_key_unreadable", backend=row.name, reason=error.message)
            return ""

    def _tell(self, now: float) -> None:
        """Store this worker's calls in flight, if there are several workers or there is something to tell."""
        members = self.pool.members.values()
        told = {member.row.id: member.in_flight for member in members if member.in_flight}
        for member in members:
            IN_FLIGHT.labels(member.row.name).set(member.in_flight)
            UP.labels(member.row.name).set(member.breaker.state != "open")
        if told or self._told:
            db.write(lambda conn: store.put_loads(conn, self.worker, told, now))
        self._told = told

    def _store_calls(self) -> None:
        rows = [calls.waiting.popleft() for _ in range(len(calls.waiting))]
        try:
            if rows:
                db.write(lambda conn: store.add_calls(conn, rows))
        except Exception:
            calls.waiting.extendleft(reversed(rows))  # for the next time
            raise


def _back(member: Member) -> None:
    member.in_flight -= 1


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
