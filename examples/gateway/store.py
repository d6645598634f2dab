"""All SQL of the gateway."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, delete, func, select, update

from app.features.gateway.tables import backends, calls
from chassis.base import iso

SELF = "self"
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


def change(conn: Connection, backend_id: str, values: dict[str, Any], *, base_url: str | None = None) -> bool:
    """Store other values of a backend, if its address is still a known one; return whether that was done."""
    mine = backends.c.id == backend_id
    same = mine if base_url is None else mine & (backends.c.base_url == base_url)
    return conn.execute(update(backends).where(same).values(**values)).rowcount == 1


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


def add_calls(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Add calls to the log."""
    conn.execute(calls.insert(), rows)


def logged() -> Select[Any]:
    """Return the query of the log, newest first."""
    return select(calls).order_by(calls.c.at.desc(), calls.c.id)


def shown_call(row: RowMapping) -> dict[str, Any]:
    """Return a call as the API shows it."""
    return {**row, "at": iso(row["at"])}


def recent(conn: Connection, backend: str, since: float) -> tuple[int, Sequence[Any]]:
    """Return how many calls a backend had since a time, and the last of them."""
    own = (calls.c.backend == backend, calls.c.at >= since)
    count = conn.execute(select(func.count()).select_from(calls).where(*own)).scalar_one()
    columns = (calls.c.at, calls.c.seconds, calls.c.outcome, calls.c.output_tokens)
    return count, conn.execute(select(*columns).where(*own).order_by(calls.c.at.desc()).limit(MOST_RECENT)).all()
