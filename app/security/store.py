"""All SQL of keys, of the version of everybody's rights, and of the audit log."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from app.security.tables import api_keys, audit_log, security_version


def version(conn: Connection) -> int:
    """Return the number that changes with every change of keys, sessions and accounts; 0 before the migration."""
    return conn.execute(select(security_version.c.number)).scalar() or 0


def bump(conn: Connection) -> None:
    """Let every process look again at who may do what; belongs into the transaction of the change."""
    conn.execute(update(security_version).values(number=security_version.c.number + 1))


def insert_key(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new key."""
    conn.execute(api_keys.insert().values(last_used_at=None, use_count=0, revoked_at=None, **values))
    bump(conn)


def keys(conn: Connection) -> list[Row[Any]]:
    """Return all keys, newest first, with those that are revoked or expired."""
    return list(conn.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)))


def good_keys(conn: Connection, now: float) -> list[Row[Any]]:
    """Return the keys that are neither revoked nor expired."""
    good = (api_keys.c.revoked_at.is_(None), func.coalesce(api_keys.c.expires_at, now + 1) > now)
    return list(conn.execute(select(api_keys).where(*good)))


def change_key(conn: Connection, key_id: str, **values: Any) -> bool:
    """Change a key that is not revoked; False when there is none."""
    mine = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    changed = conn.execute(update(api_keys).where(*mine).values(**values)).rowcount == 1
    if changed:
        bump(conn)
    return changed


def add_uses(conn: Connection, uses: Mapping[str, tuple[int, float]]) -> None:
    """Add (number, time of the last) of each key's uses."""
    for key_id, (number, at) in uses.items():
        used = {"use_count": api_keys.c.use_count + number, "last_used_at": at}
        conn.execute(update(api_keys).where(api_keys.c.id == key_id).values(**used))


def insert_entry(conn: Connection, entry: Mapping[str, Any]) -> None:
    """Add a line to the audit log."""
    conn.execute(audit_log.insert().values(**entry))


def delete_entries(conn: Connection, before: float, limit: int) -> int:
    """Delete some lines that were written before a time; return how many."""
    old = select(audit_log.c.id).where(audit_log.c.at < before).order_by(audit_log.c.at).limit(limit)
    return conn.execute(delete(audit_log).where(audit_log.c.id.in_(old))).rowcount


def entries_about(conn: Connection, target: str, action: str, *, since: float, limit: int) -> list[Row[Any]]:
    """Return the lines on one action since a time whose target is `target`, or that and more behind a colon."""
    named = or_(audit_log.c.target == target, audit_log.c.target.startswith(f"{target}: ", autoescape=True))
    mine = (audit_log.c.at > since, named, audit_log.c.action == action)
    return list(conn.execute(select(audit_log).where(*mine).order_by(audit_log.c.id.desc()).limit(limit)))


def entries(conn: Connection, *, limit: int, before: int | None = None) -> list[Row[Any]]:
    """Return lines of the audit log, newest first."""
    query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    return list(conn.execute(query.where(audit_log.c.id < before) if before else query))
