"""All SQL of conversations. One answer of a conversation is written at a time, under a lease that its writer renews."""

from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, or_, select, true, update

from app.features.chat.tables import conversations, messages
from chassis.base import iso

USER, ASSISTANT = "user", "assistant"
STREAMING, DONE, STOPPED, CUT, FAILED, INTERRUPTED = "streaming", "done", "stopped", "cut", "failed", "interrupted"
LOST = "The answer was interrupted before its end: try again."


def insert(conn: Connection, row: dict[str, Any]) -> None:
    """Store a new conversation."""
    conn.execute(conversations.insert().values(answering_until=0, **row))


def get(conn: Connection, conversation_id: str) -> RowMapping | None:
    """Return a conversation, or None."""
    return conn.execute(select(conversations).where(conversations.c.id == conversation_id)).mappings().first()


def listing(conn: Connection, owner: str | None, *, limit: int, offset: int) -> tuple[list[RowMapping], int]:
    """Return a page of an owner's conversations (None for all), the last changed first, and their number."""
    mine = true() if owner is None else conversations.c.owner == owner
    query = select(conversations).where(mine).order_by(conversations.c.changed_at.desc(), conversations.c.id)
    total = conn.execute(select(func.count()).select_from(conversations).where(mine)).scalar_one()
    return list(conn.execute(query.limit(limit).offset(offset)).mappings()), total


def thread(conn: Connection, conversation_id: str) -> list[RowMapping]:
    """Return the messages of a conversation in order."""
    query = select(messages).where(messages.c.conversation_id == conversation_id).order_by(messages.c.position)
    return list(conn.execute(query).mappings())


def begin(conn: Connection, conversation_id: str, message_id: str, now: float, until: float) -> bool:
    """Take the lease for a new answer; return False while another one is being written.

    A message whose writer has died is marked as interrupted.
    """
    free = or_(conversations.c.answering.is_(None), conversations.c.answering_until < now)
    lease = update(conversations).where(conversations.c.id == conversation_id, free)
    values = {"answering": message_id, "answering_until": until, "changed_at": now}
    if not conn.execute(lease.values(values)).rowcount:
        return False
    left = and_(messages.c.conversation_id == conversation_id, messages.c.status == STREAMING)
    conn.execute(update(messages).where(left).values(status=INTERRUPTED, error=LOST))
    return True


def title(conn: Connection, conversation_id: str, words: str) -> None:
    """Name a conversation."""
    conn.execute(update(conversations).where(conversations.c.id == conversation_id).values(title=words))


def drop_from(conn: Connection, conversation_id: str, position: int) -> None:
    """Delete a message and those after it."""
    mine = (messages.c.conversation_id == conversation_id, messages.c.position >= position)
    conn.execute(delete(messages).where(*mine))


def add(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Store new messages."""
    conn.execute(messages.insert(), [{"error": None, "model": None, "sources": [], **row} for row in rows])


def keep(conn: Connection, conversation_id: str, message_id: str, until: float, **values: Any) -> bool:
    """Store an answer so far and renew its lease; return False if it is no longer wanted."""
    mine = (conversations.c.id == conversation_id, conversations.c.answering == message_id)
    if not conn.execute(update(conversations).where(*mine).values(answering_until=until)).rowcount:
        return False
    written = update(messages).where(messages.c.id == message_id, messages.c.status == STREAMING)
    return conn.execute(written.values(**values)).rowcount == 1


def end(conn: Connection, conversation_id: str, message_id: str, now: float, **values: Any) -> None:
    """Store how an answer ended, and give its lease back."""
    if keep(conn, conversation_id, message_id, 0, **values):
        mine = conversations.c.id == conversation_id
        conn.execute(update(conversations).where(mine).values(answering=None, changed_at=now))


def remove(conn: Connection, ids: list[str]) -> int:
    """Delete conversations with their messages; return their number."""
    conn.execute(delete(messages).where(messages.c.conversation_id.in_(ids)))
    return conn.execute(delete(conversations).where(conversations.c.id.in_(ids))).rowcount


def of_owner(conn: Connection, owner: str) -> list[str]:
    """Return the ids of an owner's conversations."""
    return list(conn.execute(select(conversations.c.id).where(conversations.c.owner == owner)).scalars())


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` conversations that have not changed since a time; return their number."""
    old = select(conversations.c.id).where(conversations.c.changed_at < before).limit(limit)
    return remove(conn, list(conn.execute(old).scalars()))


def shown(row: RowMapping) -> dict[str, Any]:
    """Return a conversation as the API shows it."""
    times = {name: iso(row[name]) for name in ("created_at", "changed_at")}
    return {"id": row["id"], "title": row["title"], **times}


def shown_message(row: RowMapping, conversation: RowMapping, now: float) -> dict[str, Any]:
    """Return a message as the API shows it: one whose writer has died is interrupted."""
    names = ("id", "role", "text", "status", "error", "model", "sources")
    message = {name: row[name] for name in names} | {"created_at": iso(row["created_at"])}
    alive = conversation["answering"] == row["id"] and conversation["answering_until"] >= now
    if row["status"] == STREAMING and not alive:
        message |= {"status": INTERRUPTED, "error": LOST}
    return message
