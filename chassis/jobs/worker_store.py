"""All SQL of the table of job workers, the processes that run jobs; all times are those of the database's clock."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from chassis.base.times import iso
from chassis.db.clock import database_time
from chassis.jobs.tables import workers

KEPT_SECONDS = 7 * 86_400.0  # so that the time since a dead worker was last seen is known


@dataclass(frozen=True)
class Identity:
    """What a process that runs jobs says of itself."""

    id: str
    name: str
    engine: str
    kinds: list[str]
    slots: int


@dataclass(frozen=True)
class Worker(Identity):
    """A process that runs jobs; times are seconds since 1970. It is alive until `expires_at`."""

    started_at: float
    seen_at: float
    expires_at: float

    def as_dict(self) -> dict[str, Any]:
        """Return the worker as pages show it; times are ISO 8601 UTC."""
        return vars(self) | {name: iso(getattr(self, name)) for name in ("started_at", "seen_at", "expires_at")}


def beat(conn: Connection, worker: Identity, *, lease_seconds: float, age_seconds: float = 0.0) -> None:
    """Store that a worker, started so long ago, was seen; the first time delete those that were last seen long ago."""
    values = vars(worker) | {"seen_at": database_time(), "expires_at": database_time() + lease_seconds}
    if not conn.execute(update(workers).where(workers.c.id == worker.id).values(**values)).rowcount:
        conn.execute(delete(workers).where(workers.c.seen_at < database_time() - KEPT_SECONDS))
        conn.execute(workers.insert().values(started_at=database_time() - age_seconds, **values))


def end(conn: Connection, worker_id: str) -> None:
    """Store that a worker stopped; when it was last seen stays known."""
    conn.execute(update(workers).where(workers.c.id == worker_id).values(expires_at=database_time()))


def listing(conn: Connection) -> list[Worker]:
    """Return the known workers, alive or not, in the order of their start."""
    return [Worker(**row._mapping) for row in conn.execute(select(workers).order_by(workers.c.started_at))]
