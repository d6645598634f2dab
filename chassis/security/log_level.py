"""Changes the log level of all running processes without a restart, permanently or for a limited time."""

import logging
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis.db import clock, db, state
from chassis.security import audit

log = structlog.get_logger(__name__)
NAME = "log_level"


def change(level: str | None, seconds: float | None = None) -> None:
    """Set the level of all processes, permanently or for some seconds; None restores LOG_LEVEL."""
    until = None if seconds is None else clock.now() + seconds
    value = None if level is None else {"level": level, "until": until}
    line = audit.entry("logs.level", level or "LOG_LEVEL")

    def write(conn: Connection) -> None:
        state.put(conn, NAME, value)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)


def current(default: str) -> tuple[str, float | None]:
    """Return the level in force, and when it ends, in seconds since 1970."""
    kept = db.read(lambda conn: state.get(conn, NAME))
    return (kept["level"], kept["until"]) if _holds(kept) else (default, None)


def apply(kept: Any, default: str) -> None:
    """Apply the stored level to this process, or the setting's level without one."""
    root, wanted = logging.getLogger(), kept["level"] if _holds(kept) else default
    if root.level != logging.getLevelName(wanted):
        root.setLevel(wanted)
        log.warning("log_level_changed", level_now=wanted)


def _holds(kept: Any) -> bool:
    """Return whether the stored value is a level in force; any other text in the database is ignored."""
    known = bool(kept) and kept["level"] in list(logging.getLevelNamesMapping())
    return known and (kept["until"] is None or kept["until"] > clock.now())
