"""All SQL of keys, of the version of everybody's rights, and of daily quotas."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, tuple_, update

from chassis.security.tables import api_keys, quota_days, security_version


def version(conn: Connection) -> int:
    """Return the number that increases with every change of keys, sessions and accounts; 0 before the migration."""
    return conn.execute(select(security_version.c.number)).scalar() or 0


def bump(conn: Connection) -> None:
    """Make every process read the rights again; call it in the transaction of the change."""
    conn.execute(update(security_version).values(number=security_version.c.number + 1))


def insert_key(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new key."""
    conn.execute(api_keys.insert().values(last_used_at=None, use_count=0, revoked_at=None, **values))
    bump(conn)


def keys(conn: Connection) -> list[Row[Any]]:
    """Return all keys, newest first, including revoked and expired ones."""
    return list(conn.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)))


def good_keys(conn: Connection, now: float) -> list[Row[Any]]:
    """Return the keys that are neither revoked nor expired."""
    good = (api_keys.c.revoked_at.is_(None), func.coalesce(api_keys.c.expires_at, now + 1) > now)
    return list(conn.execute(select(api_keys).where(*good)))


def key(conn: Connection, key_id: str) -> Row[Any] | None:
    """Return a key, or None when there is no such id."""
    return conn.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()


def change_key(conn: Connection, key_id: str, **values: Any) -> bool:
    """Change a key that is not revoked; return False when there is none."""
    mine = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    changed = conn.execute(update(api_keys).where(*mine).values(**values)).rowcount == 1
    if changed:
        bump(conn)
    return changed


def add_uses(conn: Connection, uses: Mapping[str, tuple[int, float]]) -> None:
    """Add each key's (number of uses, time of the last)."""
    for key_id, (number, at) in uses.items():
        used = {"use_count": api_keys.c.use_count + number, "last_used_at": at}
        conn.execute(update(api_keys).where(api_keys.c.id == key_id).values(**used))


def used_on(conn: Connection, day: int, owner: str, name: str) -> int:
    """Return how much of a quota an owner used on a day."""
    return conn.execute(select(quota_days.c.used).where(*_use(day, owner, name))).scalar() or 0


def count_use(conn: Connection, day: int, owner: str, name: str, amount: int) -> None:
    """Add to an owner's use on a day; only one transaction of the owner may do this at a time."""
    more = update(quota_days).where(*_use(day, owner, name)).values(used=quota_days.c.used + amount)
    if conn.execute(more).rowcount == 0:
        conn.execute(quota_days.insert().values(day=day, owner=owner, name=name, used=amount))


def delete_uses(conn: Connection, before: int, limit: int) -> int:
    """Delete up to `limit` counts of earlier days; return their number."""
    place = tuple_(quota_days.c.day, quota_days.c.owner, quota_days.c.name)
    old = select(quota_days.c.day, quota_days.c.owner, quota_days.c.name).where(quota_days.c.day < before).limit(limit)
    return conn.execute(delete(quota_days).where(place.in_(old))).rowcount


def _use(day: int, owner: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return quota_days.c.day == day, quota_days.c.owner == owner, quota_days.c.name == name
