"""Tells others that this process runs jobs, and finds the kinds of jobs that no living process runs."""

import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.db.ticker import DatabaseTicker
from chassis.jobs import registry, worker_store
from chassis.jobs.worker_store import Worker

JOIN_SECONDS = 1.0


class Beat(DatabaseTicker):
    """Stores three times a lease that this process is alive, as long as `problem` returns None."""

    def __init__(
        self,
        engine: str,
        kinds: Callable[[], list[str]],
        *,
        slots: int,
        lease_seconds: float,
        problem: Callable[[], str | None],
    ) -> None:
        super().__init__("job_beat", lease_seconds / 3)
        self._engine, self._kinds, self._slots, self._lease = engine, kinds, slots, lease_seconds
        self._problem, self._id, self._started = problem, uuid.uuid4().hex, clock.now()

    def start(self) -> None:
        """Store it now, and from then on."""
        try:
            self.tick()
        except Exception as error:
            self.failed(error)  # the database may be away for a moment
        super().start()

    def stop(self) -> None:
        """Store that this process no longer runs jobs."""
        super().stop()
        self._thread.join(JOIN_SECONDS)  # otherwise it could store it again
        try:
            db.write(lambda conn: worker_store.end(conn, self._id, clock.now()))
        except Exception as error:
            self.failed(error)

    def tick(self) -> None:
        """Store it once."""
        if self._problem() is not None:
            return
        now, name = clock.now(), f"{socket.gethostname()}:{os.getpid()}"
        lease = (now, now + self._lease)
        worker = Worker(self._id, name, self._engine, self._kinds(), self._slots, self._started, *lease)
        db.write(lambda conn: worker_store.beat(conn, worker))


@dataclass(frozen=True)
class Seen:
    """How many living processes run a kind, and how long ago one was last seen; None means never."""

    workers: int
    seconds: float | None


def by_kind(conn: Connection, now: float) -> dict[str, Seen]:
    """Return for each kind that this process knows which workers were seen."""
    known = worker_store.listing(conn)
    return {kind: _seen([one for one in known if kind in one.kinds], now) for kind in registry.names(cpu_bound=True)}


def listing() -> list[Worker]:
    """Return the workers that are alive."""
    now = clock.now()
    return [worker for worker in db.read(worker_store.listing) if worker.expires_at > now]


def without_worker() -> list[str]:
    """Return the kinds that no living process runs."""
    return sorted(kind for kind, seen in db.read(lambda conn: by_kind(conn, clock.now())).items() if not seen.workers)


def problem() -> str | None:
    """Return a sentence that names the kinds that no living process runs, or None."""
    kinds = without_worker()
    return f"no worker for {', '.join(kinds)}" if kinds else None


def _seen(workers: list[Worker], now: float) -> Seen:
    last = max((worker.seen_at for worker in workers), default=None)
    return Seen(sum(worker.expires_at > now for worker in workers), None if last is None else max(0.0, now - last))
