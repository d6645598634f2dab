"""All SQL of presence. Members count while their holder's lease is valid, whichever process reads."""

import secrets
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, select, update

from chassis.realtime.tables import holders, presence

AT_ONCE = 500  # the number of a statement's parameters is limited
HELD = presence.join(holders, holders.c.holder == presence.c.holder)


def renew(conn: Connection, holder: str, now: float, lease_seconds: float) -> bool:
    """Extend a holder's lease; return False when it had none, because it is new or has expired."""
    expires_at = now + lease_seconds
    if conn.execute(update(holders).where(holders.c.holder == holder).values(expires_at=expires_at)).rowcount:
        return True
    conn.execute(holders.insert().values(holder=holder, expires_at=expires_at))
    return False


def enter(conn: Connection, holder: str, there: Iterable[tuple[str, str, str]]) -> None:
    """Store (room, sid, member) for present clients."""
    rows = [
        {"room": room, "sid": sid, "member": member, "holder": holder, "mark": secrets.randbits(31)}
        for room, sid, member in there
    ]
    for row in rows:
        conn.execute(delete(presence).where(presence.c.room == row["room"], presence.c.sid == row["sid"]))
    if rows:
        conn.execute(presence.insert(), rows)


def leave(conn: Connection, room: str, sid: str) -> None:
    """Remove a client from a room."""
    conn.execute(delete(presence).where(presence.c.room == room, presence.c.sid == sid))


def leave_all(conn: Connection, sids: Sequence[str]) -> None:
    """Remove clients from all rooms."""
    for first in range(0, len(sids), AT_ONCE):
        conn.execute(delete(presence).where(presence.c.sid.in_(sids[first : first + AT_ONCE])))


def give_up(conn: Connection, holder: str) -> None:
    """End a holder's lease and remove its members."""
    conn.execute(delete(presence).where(presence.c.holder == holder))
    conn.execute(delete(holders).where(holders.c.holder == holder))


def remove_expired(conn: Connection, now: float) -> None:
    """Remove holders whose lease has expired, and their members; a holder that is alive stores them again."""
    expired = holders.c.expires_at < now
    for holder in conn.execute(select(holders.c.holder).where(expired)).scalars().all():
        if conn.execute(delete(holders).where(holders.c.holder == holder, expired)).rowcount:
            conn.execute(delete(presence).where(presence.c.holder == holder))


def members(conn: Connection, room: str, now: float) -> list[str]:
    """Return a room's members, each once, in alphabetical order."""
    query = select(presence.c.member).distinct().select_from(HELD).where(holders.c.expires_at >= now)
    return list(conn.execute(query.where(presence.c.room == room).order_by(presence.c.member)).scalars())


def fingerprints(conn: Connection, now: float) -> dict[str, tuple[int, int]]:
    """Return for each room a pair that changes whenever a member joins or leaves."""
    query = select(presence.c.room, func.count(), func.sum(presence.c.mark)).select_from(HELD)
    rows = conn.execute(query.where(holders.c.expires_at >= now).group_by(presence.c.room))
    return {room: (count, int(total)) for room, count, total in rows}


def everybody(conn: Connection, now: float, limit: int) -> list[tuple[str, str]]:
    """Return (room, member) of all rooms, each once, in alphabetical order."""
    query = select(presence.c.room, presence.c.member).distinct().select_from(HELD).where(holders.c.expires_at >= now)
    return [tuple(row) for row in conn.execute(query.order_by(presence.c.room, presence.c.member).limit(limit))]
