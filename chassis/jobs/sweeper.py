"""Sends the ids of ready jobs again when their messages were lost: by a crash after the commit, or by the broker."""

import random

from sqlalchemy import ColumnElement, Connection, func, select

from chassis.db import clock, db
from chassis.db.ticker import DatabaseTicker
from chassis.jobs import broker, places, registry
from chassis.jobs.model import QUEUED
from chassis.jobs.sender import Sender
from chassis.jobs.tables import jobs
from chassis.security import maintenance
from chassis.settings import Settings

EVERY_SECONDS = 2.0
SETTLED_SECONDS = 1.0  # a job that became ready before this should have its message
AT_ONCE = 500


class Sweeper(DatabaseTicker):
    """Sends as many messages to each queue as it has fewer than ready jobs; all processes may do this at once."""

    def __init__(self, sender: Sender, settings: Settings, every_seconds: float = EVERY_SECONDS) -> None:
        super().__init__("job_sweeper", every_seconds * random.uniform(0.75, 1.25))
        self._sender, self._settings = sender, settings

    def tick(self) -> None:
        """Check all queues once."""
        if maintenance.reason() is not None:
            return
        for queue in broker.queue_names(self._settings):
            kinds = broker.kinds_of(queue, registry.names(cpu_bound=True), self._settings)
            missing = db.read(lambda conn, kinds=kinds: self._missing(conn, kinds))  # type: ignore[misc]
            if (missing > 0 or self._sender.problem()) and not self._send(queue, kinds, missing):
                return

    def _missing(self, conn: Connection, kinds: list[str]) -> int:
        """Return how many jobs of the kinds may be started now, at most AT_ONCE."""
        ready = conn.execute(select(func.count()).select_from(jobs).where(*_ready(kinds))).scalar_one()
        most = self._settings.jobs_max_concurrency
        return min(ready, AT_ONCE, most - places.running(conn)) if most else min(ready, AT_ONCE)

    def _send(self, queue: str, kinds: list[str], number: int) -> bool:
        """Send up to `number` messages, less those that wait; return False if the broker is away."""
        try:
            with self._sender.app.connection_or_acquire() as connection:
                number -= broker.waiting(connection, queue)
        except Exception as error:
            self._sender.failed(error)
            return False
        if number > 0:
            return self._sender.send(db.read(lambda conn: _oldest(conn, kinds, number)))
        self._sender.worked()
        return True


def _oldest(conn: Connection, kinds: list[str], number: int) -> list[tuple[str, str]]:
    query = select(jobs.c.id, jobs.c.kind).where(*_ready(kinds)).order_by(jobs.c.queued_at).limit(number)
    return [(job_id, kind) for job_id, kind in conn.execute(query)]


def _ready(kinds: list[str]) -> tuple[ColumnElement[bool], ...]:
    settled = clock.now() - SETTLED_SECONDS
    return jobs.c.state == QUEUED, jobs.c.kind.in_(kinds), jobs.c.not_before <= settled, jobs.c.queued_at <= settled
