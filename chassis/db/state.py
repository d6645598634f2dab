"""Small values that all processes share and that survive a restart, each JSON with a name."""

import time
from typing import Any

from sqlalchemy import Connection, select, update

from chassis.db.tables import app_state

FAILED_BOOT = "boot_failed"  # {"step", "at"} of the last start that failed


def get(conn: Connection, name: str) -> Any:
    """Return the value of a name, or None."""
    return conn.execute(select(app_state.c.value).where(app_state.c.name == name)).scalar()


def put(conn: Connection, name: str, value: Any) -> None:
    """Store a JSON value under a name, replacing an earlier one; for `db.write`."""
    kept = {"value": value, "changed_at": time.time()}
    if conn.execute(update(app_state).where(app_state.c.name == name).values(**kept)).rowcount == 0:
        conn.execute(app_state.insert().values(name=name, **kept))
