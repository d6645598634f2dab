"""How the last start went, step by step, for those that serve."""

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, inspect, select

from chassis.db.tables import boot_outcomes

SNAPSHOT_STEP = "fetch the snapshot"
REFUSED = "refused"  # of a snapshot, with the reason behind a colon: what was there is served
Outcome = tuple[str, str, float]
"""A step's name, a few words on what came of it, and seconds."""


def keep(conn: Connection, outcomes: Iterable[Outcome]) -> None:
    """Keep them in place of those of the start before; for `db.write`."""
    names = ("step", "outcome", "duration_seconds")
    rows = [dict(zip(names, outcome, strict=True)) | {"finished_at": time.time()} for outcome in outcomes]
    conn.execute(boot_outcomes.delete())
    conn.execute(boot_outcomes.insert(), rows)


def last_at(conn: Connection) -> float:
    """Return when the last start was done, in seconds since 1970; 0.0 when there was none."""
    if not inspect(conn).has_table(boot_outcomes.name):
        return 0.0
    return conn.execute(select(func.max(boot_outcomes.c.finished_at))).scalar() or 0.0


def of(conn: Connection, step: str) -> Row[Any] | None:
    """Return what came of a step, or None."""
    return conn.execute(boot_outcomes.select().filter_by(step=step)).first()
