"""All SQL of the audit log and its chain."""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, outerjoin, select, true, update

from chassis.security.audit_chain import CONTENT, Entry, Head, hash_of
from chassis.security.tables import audit_chain, audit_log


def append(conn: Connection, entry: Entry) -> Head:
    """Append an entry to the chain; return its number and hash.

    The chain's row is locked until the end of the transaction, so several processes share one chain. To avoid a
    deadlock, this must be the last statement of a transaction.
    """
    chain = _locked(conn)
    number = chain.number + 1
    hashed = hash_of(number, chain.hash, entry)
    moved = update(audit_chain).where(audit_chain.c.number == chain.number).values(number=number, hash=hashed)
    if conn.execute(moved).rowcount != 1:
        raise RuntimeError("two writers were at the audit log's end at once")
    content = {name: entry[name] for name in CONTENT}
    conn.execute(audit_log.insert().values(**content, number=number, previous=chain.hash, hash=hashed))
    return Head(number, hashed)


def about(conn: Connection, target: str, action: str, *, since: float, limit: int) -> list[Row[Any]]:
    """Return the entries for one action since a time whose target is `target` itself, or starts with `target:`."""
    named = or_(audit_log.c.target == target, audit_log.c.target.startswith(f"{target}: ", autoescape=True))
    mine = (audit_log.c.at > since, named, audit_log.c.action == action)
    return list(conn.execute(select(audit_log).where(*mine).order_by(audit_log.c.id.desc()).limit(limit)))


def delete_entries(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` of the oldest entries written before a time; return their number.

    They are deleted from the beginning of the chain in order, so the rest can still be verified.
    """
    _locked(conn)
    oldest = select(audit_log.c.id, audit_log.c.number, audit_log.c.at).order_by(audit_log.c.id).limit(limit)
    old = list(takewhile(lambda row: row.at < before, conn.execute(oldest)))
    conn.execute(delete(audit_log).where(audit_log.c.id.in_([row.id for row in old])))
    numbers = [row.number for row in old if row.number is not None]
    if numbers:
        conn.execute(update(audit_chain).values(first_number=max(numbers) + 1))
    return len(old)


def entries(conn: Connection, *, limit: int, before: int | None = None) -> list[Row[Any]]:
    """Return entries of the audit log, newest first."""
    query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    return list(conn.execute(query.where(audit_log.c.id < before) if before else query))


def chain(conn: Connection) -> Row[Any] | None:
    """Return the chain's own row, or None when it was deleted."""
    return conn.execute(select(audit_chain)).first()


def stray(conn: Connection) -> int | None:
    """Return the id of the first entry that is newer than the chain and not part of it, or None."""
    inside = audit_log.c.id > audit_chain.c.earlier_id
    query = select(audit_log.c.id).join(audit_chain, true()).where(inside, audit_log.c.number.is_(None))
    return conn.execute(query.order_by(audit_log.c.id).limit(1)).scalar()


def in_order(conn: Connection) -> Iterator[Row[Any]]:
    """Yield the chain's entries, each with the chain's own row (`head_number`, `head_hash`, `first_number`).

    One statement reads both, so they are consistent. An empty chain yields its row alone, with the number None.
    """
    own = (audit_chain.c.number.label("head_number"), audit_chain.c.hash.label("head_hash"), audit_chain.c.first_number)
    both = outerjoin(audit_chain, audit_log, audit_log.c.number.is_not(None))
    query = select(audit_log, *own).select_from(both).order_by(audit_log.c.number)
    yield from conn.execute(query.execution_options(yield_per=1000))


def after(conn: Connection, number: int, since: float, limit: int) -> list[Row[Any]]:
    """Return entries of the chain after a number, written since a time, oldest first."""
    behind = (audit_log.c.number > number, audit_log.c.at >= since)
    return list(conn.execute(select(audit_log).where(*behind).order_by(audit_log.c.number).limit(limit)))


def _locked(conn: Connection) -> Row[Any]:
    """Return the chain's row, locked until this transaction ends; SQLite has a single writer anyway."""
    return conn.execute(select(audit_chain).with_for_update()).one()
