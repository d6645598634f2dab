"""The level of the logs of all running processes, changed without a restart, and back by itself after a time."""

import logging
import time
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis.db import db, state
from chassis.security import audit

log = structlog.get_logger(__name__)
NAME = "log_level"


def change(level: str | None, seconds: float | None = None) -> None:
    """Set the level of all processes, for good or for some seconds; None is what LOG_LEVEL says."""
    until = None if seconds is None else time.time() + seconds
    value = None if level is None else {"level": level, "until": until}
    line = audit.entry("logs.level", level or "LOG_LEVEL")

    def write(conn: Connection) -> None:
        state.put(conn, NAME, value)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)


def current(default: str) -> tuple[str, float | None]:
    """Return the level that is in force, and when it ends, in seconds since 1970."""
    kept = db.read(lambda conn: state.get(conn, NAME))
    return (kept["level"], kept["until"]) if _holds(kept) else (default, None)


def apply(kept: Any, default: str) -> None:
    """Let this process log as it is kept, or as the setting says."""
    root, wanted = logging.getLogger(), kept["level"] if _holds(kept) else default
    if root.level != logging.getLevelName(wanted):
        root.setLevel(wanted)
        log.warning("log_level_changed", level_now=wanted)


def _holds(kept: Any) -> bool:
    """Return whether what is kept is a level, and in force; other words in the database change nothing."""
    known = bool(kept) and kept["level"] in list(logging.getLevelNamesMapping())
    return known and (kept["until"] is None or kept["until"] > time.time())
