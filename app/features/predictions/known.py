"""All SQL of the cache of answers, by a key of the model and the prompt."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from app.features.predictions.tables import cache

FRESH = select(cache.c.output).where(cache.c.key == bindparam("wanted"), cache.c.created_at >= bindparam("since"))


def find(conn: Connection, key: str, since: float) -> str | None:
    """Return a stored answer made at or after `since`, or None."""
    found = conn.execute(FRESH, {"wanted": key, "since": since}).scalar()
    return None if found is None else str(found)


def remember(conn: Connection, answers: Mapping[str, str], now: float) -> None:
    """Store answers by their keys for reuse, in the order of the keys, so that two batches cannot block each other."""
    if not answers:
        return
    new = _insert(conn)
    newer = new.on_conflict_do_update(
        index_elements=[cache.c.key], set_={"output": new.excluded.output, "created_at": new.excluded.created_at}
    )
    conn.execute(newer, [{"key": key, "output": answers[key], "created_at": now} for key in sorted(answers)])


def _insert(conn: Connection) -> Any:
    """Return an insert of the connection's database; importing the other one's would only slow down a start."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(cache)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(cache)


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` answers stored before a time; return their number."""
    old = select(cache.c.key).where(cache.c.created_at < before).order_by(cache.c.created_at).limit(limit)
    return conn.execute(delete(cache).where(cache.c.key.in_(old))).rowcount
