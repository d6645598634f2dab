"""Finds people for admins: pending invitations and accounts."""

from flask import url_for
from sqlalchemy import Connection, or_, select

from chassis.db import clock, db
from chassis.parts.accounts.links import INVITATION
from chassis.parts.accounts.tables import links, users
from chassis.wiring import Person


def find(text: str, limit: int) -> list[Person]:
    """Return the pending invitations and then the accounts whose e-mail or name contains a text."""
    return db.read(lambda conn: [*_invited(conn, text, limit), *_accounts(conn, text, limit)])[:limit]


def _invited(conn: Connection, text: str, limit: int) -> list[Person]:
    pending = (links.c.purpose == INVITATION, links.c.used_at.is_(None), links.c.expires_at > clock.now())
    query = select(links).where(*pending, links.c.email.icontains(text, autoescape=True))
    found = conn.execute(query.order_by(links.c.created_at.desc()).limit(limit))
    return [Person(row.email, "", row.role, "invited", row.expires_at) for row in found]


def _accounts(conn: Connection, text: str, limit: int) -> list[Person]:
    named = or_(*(column.icontains(text, autoescape=True) for column in (users.c.email, users.c.name)))
    return [
        Person(
            row.email,
            row.name,
            row.role,
            "disabled" if row.disabled_at else "active",
            row.last_sign_in_at,
            url_for("admin_accounts.show", user_id=row.id),
        )
        for row in conn.execute(select(users).where(named).order_by(users.c.email).limit(limit))
    ]
