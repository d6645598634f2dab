"""The audit log: who did what to whom, from where, and with which result; never a secret."""

import time
from typing import Any

import structlog
from flask import has_request_context, request
from sqlalchemy import Connection

from app.db import db
from app.security import identity, store

log = structlog.get_logger(__name__)
MAX_CHARACTERS = 300


def entry(action: str, target: str, *, result: str = "ok", actor: str | None = None) -> dict[str, Any]:
    """Return a line of the log about what the caller does; made outside of a transaction, which may run elsewhere."""
    who = identity.current()
    return {
        "at": time.time(),
        "actor": (who.name or who.principal if actor is None else actor)[:MAX_CHARACTERS],
        "action": action,
        "target": target[:MAX_CHARACTERS],
        "address": (request.remote_addr or "")[:64] if has_request_context() else "",
        "result": result,
    }


def record(action: str, target: str, *, result: str = "ok", actor: str | None = None) -> None:
    """Write a line of what has no transaction of its own, such as a refused sign-in."""
    line = entry(action, target, result=result, actor=actor)
    db.write(lambda conn: store.insert_entry(conn, line))
    tell(line)


def write(conn: Connection, line: dict[str, Any]) -> None:
    """Write a line in the transaction of what it tells."""
    store.insert_entry(conn, line)


def tell(line: dict[str, Any]) -> None:
    """Log the line too, after its transaction; a command prints its own."""
    if not has_request_context():
        return
    log.info("audit", **{name: value for name, value in line.items() if name != "at"})


def listing(*, limit: int = 100, before: int | None = None) -> list[dict[str, Any]]:
    """Return lines, newest first; `before` is the id of the last one that was seen."""
    return [dict(row._mapping) for row in db.read(lambda conn: store.entries(conn, limit=limit, before=before))]


def about(target: str, action: str, *, since: float, limit: int) -> list[dict[str, Any]]:
    """Return the lines on one action since a time (seconds since 1970), newest first.

    Their target is `target`, or that and more behind a colon.
    """
    found = db.read(lambda conn: store.entries_about(conn, target, action, since=since, limit=limit), unbounded=True)
    return [dict(row._mapping) for row in found]
