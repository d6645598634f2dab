"""Maintenance mode: reading goes on, changes are refused with the reason, and no job is started.

The mode is stored in the database for all processes, and in a file beside it while the database cannot be written.
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from flask import Flask, current_app, request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from chassis.db import clock, db, state
from chassis.errors import InMaintenance
from chassis.security import audit, switches
from chassis.security.guard import READING, needed
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings

__all__ = ["allow", "check", "reason"]

F = TypeVar("F", bound=Callable[..., Any])
log = structlog.get_logger(__name__)
ALLOWED = "allowed_in_maintenance"
ADMIN_API = "/api/admin"


def allow(function: F) -> F:
    """Mark a view that changes something and answers all the same in maintenance mode, such as signing in."""
    setattr(function, ALLOWED, True)
    return function


def install(app: Flask) -> None:
    """Refuse requests that would change something while the mode is on."""
    app.before_request(_refuse)


def reason() -> str | None:
    """Return the reason of the maintenance mode, or None while it is off; all processes know within a second."""
    kept = switches.maintenance()
    return str(kept["reason"]) if kept else None


def check() -> None:
    """Raise InMaintenance while the mode is on."""
    if why := reason():
        raise InMaintenance(f"The service is in maintenance mode and refuses changes: {why}")


def turn_on(why: str) -> bool:
    """Turn the mode on; return False when the database cannot be written, and only this machine's processes know."""
    value, line = {"reason": why, "since": clock.now()}, audit.entry("maintenance.on", why)
    try:
        _store(value, line)
    except SQLAlchemyError:
        file = switches.file_of(current_settings())
        file.write_text(json.dumps(value), encoding="utf-8")
        log.warning("maintenance_is_in_a_file", file=str(file))
        switches.look()
        return False
    switches.look()
    return True


def turn_off() -> None:
    """Turn the mode off; raise SQLAlchemyError when the database stores it and cannot be written."""
    line = audit.entry("maintenance.off", reason() or "")
    switches.file_of(current_settings()).unlink(missing_ok=True)
    try:
        _store(None, line)
    except SQLAlchemyError:
        if db.read(lambda conn: state.get(conn, switches.MAINTENANCE)):
            raise
    switches.look()


def _store(value: dict[str, Any] | None, line: dict[str, Any]) -> None:
    def write(conn: Connection) -> None:
        state.put(conn, switches.MAINTENANCE, value)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)


def _refuse() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    if asked.method in READING or switches.maintenance() is None:
        return
    view = current_app.view_functions.get(asked.endpoint)
    if view is None or getattr(view, ALLOWED, False) or needed(asked) == ADMIN or asked.path.startswith(ADMIN_API):
        return
    check()
