"""All SQL of the gateway."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from app.features.gateway.tables import backends, calls, loads

SELF = "self"
LOST_SECONDS = 10.0  # a worker that told nothing for so long has ended
MOST_RECENT = 250  # calls of a backend that its figures are made of


def every(conn: Connection) -> Sequence[Row[Any]]:
    """Return all backends, by name."""
    return conn.execute(select(backends).order_by(backends.c.name)).all()


def find(conn: Connection, **known: str) -> Row[Any] | None:
    """Return the backend of an id or a name."""
    return conn.execute(select(backends).filter_by(**known)).one_or_none()


def insert(conn: Connection, row: dict[str, Any]) -> None:
    """Store a backend; raise IntegrityError when the name is taken."""
    conn.execute(backends.insert().values(**row))


def change(conn: Connection, backend_id: str, values: dict[str, Any]) -> None:
    """Store other values of a backend."""
    conn.execute(update(backends).where(backends.c.id == backend_id).values(**values))


def remove(conn: Connection, backend_id: str) -> None:
    """Delete a backend."""
    conn.execute(delete(backends).where(backends.c.id == backend_id))


def remove_lapsed(conn: Connection, now: float) -> None:
    """Delete the backends whose lease has ended."""
    conn.execute(delete(backends).where(backends.c.lease_until < now))


def remove_failing(conn: Connection, backend_id: str, most: int) -> bool:
    """Delete a backend that registered itself and failed that many checks; return whether it did."""
    failing = (backends.c.id == backend_id, backends.c.source == SELF, backends.c.failed_checks >= most)
    return conn.execute(delete(backends).where(*failing)).rowcount == 1


def claim_check(conn: Connection, backend_id: str, before: float, now: float) -> bool:
    """Claim the check of a backend that was last checked before a time; return whether this worker makes it."""
    due = (backends.c.id == backend_id, backends.c.checked_at < before)
    return conn.execute(update(backends).where(*due).values(checked_at=now)).rowcount == 1


def put_loads(conn: Connection, worker: str, in_flight: dict[str, int], at: float) -> None:
    """Store a worker's calls in flight by backend; forget those of workers that have not done so for long."""
    conn.execute(delete(loads).where((loads.c.worker == worker) | (loads.c.at < at - LOST_SECONDS)))
    rows = [{"worker": worker, "backend_id": one, "in_flight": number, "at": at} for one, number in in_flight.items()]
    if rows:
        conn.execute(loads.insert(), rows)


def elsewhere(conn: Connection, worker: str, since: float) -> Sequence[Row[Any]]:
    """Return the calls in flight of the other workers, as told since a time."""
    return conn.execute(select(loads).where(loads.c.worker != worker, loads.c.at >= since)).all()


def add_calls(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Add calls to the log."""
    conn.execute(calls.insert(), rows)


def logged(conn: Connection, owner: str | None, limit: int, offset: int) -> tuple[Sequence[Row[Any]], int]:
    """Return a page of the log and its length: an owner's calls, or everybody's for None, newest first."""
    own = [] if owner is None else [calls.c.owner == owner]
    total = conn.execute(select(func.count()).select_from(calls).where(*own)).scalar_one()
    query = select(calls).where(*own).order_by(calls.c.at.desc(), calls.c.id).limit(limit).offset(offset)
    return conn.execute(query).all(), total


def recent(conn: Connection, backend: str, since: float) -> tuple[int, Sequence[Any]]:
    """Return how many calls a backend had since a time, and the last of them."""
    own = (calls.c.backend == backend, calls.c.at >= since)
    count = conn.execute(select(func.count()).select_from(calls).where(*own)).scalar_one()
    columns = (calls.c.at, calls.c.seconds, calls.c.outcome, calls.c.output_tokens)
    return count, conn.execute(select(*columns).where(*own).order_by(calls.c.at.desc()).limit(MOST_RECENT)).all()


def delete_calls(conn: Connection, before: float, limit: int) -> int:
    """Delete calls that are older than a time; return how many."""
    old = select(calls.c.id).where(calls.c.at < before).limit(limit)
    return conn.execute(delete(calls).where(calls.c.id.in_(old.scalar_subquery()))).rowcount
