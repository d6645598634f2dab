"""The audit log: who did what to whom, from where, and with which result. It holds no secrets."""

import itertools
from collections.abc import Iterator
from typing import Any

import structlog
from flask import has_request_context, request
from sqlalchemy import Connection, Row

from chassis.base.texts import storable
from chassis.db import clock, db, state
from chassis.security import audit_chain, audit_store, identity
from chassis.security.audit_chain import ChainBroken, Head

__all__ = ["entry", "record", "tell", "write"]

log = structlog.get_logger(__name__)
MAX_CHARACTERS = 300
AT_ONCE = 500  # entries per read
ADMINS_MADE = "admins_made"  # {"count", "at"}: how often an account or key became an admin


def entry(
    action: str, target: str, *, result: str = "ok", actor: str | None = None, makes_admin: bool = False
) -> dict[str, Any]:
    """Return a line of the log about an action of the caller; make it outside of a transaction.

    `makes_admin` says that somebody gets all rights; a metric counts it, which has an alert.
    """
    who = identity.current()
    return {
        "at": clock.now(),
        "actor": storable(who.name or who.principal if actor is None else actor)[:MAX_CHARACTERS],
        "action": action,
        "target": storable(target)[:MAX_CHARACTERS],
        "address": (request.remote_addr or "")[:64] if has_request_context() else "",
        "result": result,
        "makes_admin": makes_admin,
    }


def record(action: str, target: str, *, result: str = "ok", actor: str | None = None) -> None:
    """Write a line in a transaction of its own, for an action without one, such as a refused sign-in."""
    line = entry(action, target, result=result, actor=actor)
    db.write(lambda conn: write(conn, line))
    tell(line)


def write(conn: Connection, line: dict[str, Any]) -> None:
    """Write a line in the transaction of the action, as its last statement, since it locks the end of the log."""
    line["chain"] = str(audit_store.append(conn, line))
    if line["makes_admin"]:
        made = state.get(conn, ADMINS_MADE) or {"count": 0}
        state.put(conn, ADMINS_MADE, {"count": made["count"] + 1, "at": line["at"]})


def tell(line: dict[str, Any]) -> None:
    """Send the line to the service's log, too; call it after the commit."""
    if not has_request_context():
        return
    shown = {name: value for name, value in line.items() if name not in ("at", "makes_admin")}
    log.info("audit", **shown)
    if line["makes_admin"]:
        log.warning("admin_made", **shown)


def listing(*, limit: int = 100, before: int | None = None) -> list[dict[str, Any]]:
    """Return entries, newest first, which may lag; `before` is the id of the last entry of the previous page."""
    found = db.read(lambda conn: audit_store.entries(conn, limit=limit, before=before), may_lag=True)
    return [dict(row._mapping) for row in found]


def about(target: str, action: str, *, since: float, limit: int) -> list[dict[str, Any]]:
    """Return the entries for one action since a time (seconds since 1970), newest first.

    Their target is `target` itself, or starts with `target:`.
    """
    found = db.read(lambda conn: audit_store.about(conn, target, action, since=since, limit=limit), unbounded=True)
    return [dict(row._mapping) for row in found]


def head() -> Head:
    """Return the last entry of the chain; store it where the database's users cannot write."""
    row = db.read(audit_store.chain)
    if row is None:
        raise _no_end()
    return Head(row.number, row.hash)


def verify(known: Head | None = None) -> Head:
    """Return the chain's head when every entry is unchanged; raise ChainBroken at the first changed one."""
    return db.read(lambda conn: _verified(conn, known), unbounded=True)


def export(since: float = 0.0) -> Iterator[dict[str, Any]]:
    """Yield the chain's entries written since a time, oldest first."""
    last = 0
    while rows := _after(last, since):
        yield from (dict(row._mapping) for row in rows)
        last = rows[-1].number


def _after(number: int, since: float) -> list[Row[Any]]:
    return db.read(lambda conn: audit_store.after(conn, number, since, AT_ONCE), unbounded=True)


def _verified(conn: Connection, known: Head | None) -> Head:
    rows = audit_store.in_order(conn)
    begin = next(rows, None)
    if begin is None:
        raise _no_end()
    end = Head(begin.head_number, begin.head_hash)
    found = itertools.chain([begin], rows) if begin.number is not None else ()
    last = audit_chain.check((row._asdict() for row in found), first=begin.first_number, known=known)
    audit_chain.check_end(last, end, first=begin.first_number)
    stray = audit_store.stray(conn)
    if stray is not None:
        raise ChainBroken(f"The entry with the id {stray} is outside the chain: the application did not write it.")
    return end


def _no_end() -> ChainBroken:
    return ChainBroken("The row of the table audit_chain, which says where the log ends, is missing.")
