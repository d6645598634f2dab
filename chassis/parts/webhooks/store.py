"""All SQL of the webhooks."""

from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from chassis.parts.webhooks.tables import webhooks


def insert(conn: Connection, values: dict[str, Any]) -> None:
    """Store a new webhook."""
    conn.execute(webhooks.insert().values(**values, disabled_reason="", last_outcome=""))


def get(conn: Connection, webhook_id: str) -> Row[Any] | None:
    """Return a webhook, or None."""
    return conn.execute(select(webhooks).where(webhooks.c.id == webhook_id)).first()


def of_owner(conn: Connection, owner: str | None) -> list[Row[Any]]:
    """Return an owner's webhooks, or everybody's for None, oldest first."""
    query = select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)
    return list(conn.execute(query if owner is None else query.where(webhooks.c.owner == owner)))


def enabled_ids(conn: Connection, owner: str) -> list[str]:
    """Return the ids of an owner's webhooks that are not disabled."""
    mine = (webhooks.c.owner == owner, webhooks.c.disabled_at.is_(None))
    return list(conn.execute(select(webhooks.c.id).where(*mine).order_by(webhooks.c.id)).scalars())


def count(conn: Connection, owner: str) -> int:
    """Return the number of an owner's webhooks."""
    return conn.execute(select(func.count()).select_from(webhooks).where(webhooks.c.owner == owner)).scalar_one()


def remove(conn: Connection, webhook_id: str) -> bool:
    """Delete a webhook; return False when it does not exist."""
    return conn.execute(delete(webhooks).where(webhooks.c.id == webhook_id)).rowcount == 1


def enable(conn: Connection, webhook_id: str) -> bool:
    """Enable a webhook again; return False when it does not exist."""
    values = {"disabled_at": None, "disabled_reason": "", "failing_since": None}
    return conn.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**values)).rowcount == 1


def succeeded(conn: Connection, webhook_id: str, outcome: str, now: float) -> None:
    """Record a successful call."""
    values = {"failing_since": None, "last_at": now, "last_outcome": outcome}
    conn.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**values))


def failed(conn: Connection, webhook_id: str, outcome: str, now: float) -> None:
    """Record a failed call."""
    values = {"failing_since": func.coalesce(webhooks.c.failing_since, now), "last_at": now, "last_outcome": outcome}
    conn.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**values))


def disable(conn: Connection, webhook_id: str, reason: str, now: float) -> bool:
    """Disable a webhook; return False when another process was first."""
    good = (webhooks.c.id == webhook_id, webhooks.c.disabled_at.is_(None))
    return conn.execute(update(webhooks).where(*good).values(disabled_at=now, disabled_reason=reason)).rowcount == 1
