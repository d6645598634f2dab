"""Keeps the outcomes of the last start, step by step, for the serving processes."""

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, inspect, select

from chassis.db.tables import boot_outcomes

SNAPSHOT_STEP = "fetch the snapshot"
REFUSED = "refused"  # of a snapshot, followed by a colon and the reason; the existing database is served
Outcome = tuple[str, str, float]
"""A step's name, a short description of its outcome, and its duration in seconds."""


def keep(conn: Connection, outcomes: Iterable[Outcome]) -> None:
    """Replace the stored outcomes by those of this start; for `db.write`."""
    names = ("step", "outcome", "duration_seconds")
    rows = [dict(zip(names, outcome, strict=True)) | {"finished_at": time.time()} for outcome in outcomes]
    conn.execute(boot_outcomes.delete())
    conn.execute(boot_outcomes.insert(), rows)


def last_at(conn: Connection) -> float:
    """Return when the last start finished, in seconds since 1970, or 0.0 if there was none."""
    if not inspect(conn).has_table(boot_outcomes.name):
        return 0.0
    return conn.execute(select(func.max(boot_outcomes.c.finished_at))).scalar() or 0.0


def of(conn: Connection, step: str) -> Row[Any] | None:
    """Return the stored outcome of a step, or None."""
    return conn.execute(boot_outcomes.select().filter_by(step=step)).first()
