"""All SQL of conversations."""

from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from app.features.chat.tables import conversations, messages
from chassis.base import iso
from chassis.realtime import Written

USER, ASSISTANT = "user", "assistant"
NEWEST_FIRST = select(conversations).order_by(conversations.c.changed_at.desc(), conversations.c.id)


def insert(conn: Connection, row: dict[str, Any]) -> None:
    """Store a new conversation."""
    conn.execute(conversations.insert().values(**row))


def get(conn: Connection, conversation_id: str) -> RowMapping | None:
    """Return a conversation, or None."""
    return conn.execute(select(conversations).where(conversations.c.id == conversation_id)).mappings().first()


def thread(conn: Connection, conversation_id: str) -> list[RowMapping]:
    """Return the messages of a conversation in order."""
    query = select(messages).where(messages.c.conversation_id == conversation_id).order_by(messages.c.position)
    return list(conn.execute(query).mappings())


def change(conn: Connection, conversation_id: str, **values: Any) -> bool:
    """Change a conversation, and hold its row until the transaction ends; return False if it is gone."""
    mine = conversations.c.id == conversation_id
    return conn.execute(update(conversations).where(mine).values(**values)).rowcount == 1


def add(conn: Connection, conversation_id: str, rows: list[dict[str, Any]]) -> None:
    """Store messages in place of those from the first one's position on."""
    mine = (messages.c.conversation_id == conversation_id, messages.c.position >= rows[0]["position"])
    conn.execute(delete(messages).where(*mine))
    new: dict[str, Any] = {"conversation_id": conversation_id, "model": None, "sources": []}
    conn.execute(messages.insert(), [{**new, **row} for row in rows])


def note(conn: Connection, message_id: str, **values: Any) -> None:
    """Store what an answer is made from."""
    conn.execute(update(messages).where(messages.c.id == message_id).values(**values))


def remove(conn: Connection, conversation_id: str) -> None:
    """Delete a conversation with its messages."""
    conn.execute(delete(conversations).where(conversations.c.id == conversation_id))


def of_owner(conn: Connection, owner: str) -> list[str]:
    """Return the ids of an owner's conversations."""
    return list(conn.execute(select(conversations.c.id).where(conversations.c.owner == owner)).scalars())


def delete_old(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` conversations that have not changed since a time; return their number."""
    old = select(conversations.c.id).where(conversations.c.changed_at < before).limit(limit)
    return conn.execute(delete(conversations).where(conversations.c.id.in_(old))).rowcount


def shown(row: RowMapping) -> dict[str, Any]:
    """Return a conversation as the API shows it."""
    times = {name: iso(row[name]) for name in ("created_at", "changed_at")}
    return {"id": row["id"], "title": row["title"], **times}


def shown_message(row: RowMapping) -> dict[str, Any]:
    """Return a message as the API shows it."""
    message = {name: row[name] for name in ("id", "role", "model", "sources")}
    return {**message, **Written.shown(row), "created_at": iso(row["created_at"])}
