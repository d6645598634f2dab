"""All SQL of the table of job workers, the processes that run jobs."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from chassis.base.times import iso
from chassis.jobs.tables import workers

KEPT_SECONDS = 7 * 86_400.0  # so that the time since a dead worker was last seen is known


@dataclass(frozen=True)
class Worker:
    """A process that runs jobs; times are seconds since 1970. It is alive until `expires_at`."""

    id: str
    name: str
    engine: str
    kinds: list[str]
    slots: int
    started_at: float
    seen_at: float
    expires_at: float

    def as_dict(self) -> dict[str, Any]:
        """Return the worker as pages show it; times are ISO 8601 UTC."""
        return vars(self) | {name: iso(getattr(self, name)) for name in ("started_at", "seen_at", "expires_at")}


def beat(conn: Connection, worker: Worker) -> None:
    """Store that a worker was seen, and delete those that were last seen long ago."""
    values = vars(worker)
    if not conn.execute(update(workers).where(workers.c.id == worker.id).values(**values)).rowcount:
        conn.execute(delete(workers).where(workers.c.seen_at < worker.seen_at - KEPT_SECONDS))
        conn.execute(workers.insert().values(**values))


def end(conn: Connection, worker_id: str, now: float) -> None:
    """Store that a worker stopped; when it was last seen stays known."""
    conn.execute(update(workers).where(workers.c.id == worker_id).values(expires_at=now))


def listing(conn: Connection) -> list[Worker]:
    """Return the known workers, alive or not, in the order of their start."""
    return [Worker(**row._mapping) for row in conn.execute(select(workers).order_by(workers.c.started_at))]
