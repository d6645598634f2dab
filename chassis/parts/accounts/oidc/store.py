"""All SQL of identities at the provider, and of returned states."""

from typing import Any

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.exc import IntegrityError

from chassis.parts.accounts.tables import identities, used_states, users


def user_of(conn: Connection, issuer: str, subject: str) -> Row[Any] | None:
    """Return the account of an identity, or None."""
    mine = (identities.c.issuer == issuer, identities.c.subject == subject)
    return conn.execute(select(users).join(identities).where(*mine)).first()


def has_identity(conn: Connection, user_id: str, issuer: str) -> bool:
    """Return whether an account is linked to an identity at the provider."""
    mine = (identities.c.user_id == user_id, identities.c.issuer == issuer)
    return conn.execute(select(identities.c.subject).where(*mine)).first() is not None


def insert_identity(conn: Connection, issuer: str, subject: str, user_id: str, now: float) -> None:
    """Link an identity to an account; raise IntegrityError when the identity already has one."""
    conn.execute(identities.insert().values(issuer=issuer, subject=subject, user_id=user_id, created_at=now))


def use_state(conn: Connection, hashed: str, now: float, keep_seconds: float) -> bool:
    """Record that a state has returned, and delete expired ones; return False when it has returned before."""
    conn.execute(delete(used_states).where(used_states.c.used_at < now - keep_seconds))
    try:
        with conn.begin_nested():
            conn.execute(used_states.insert().values(hash=hashed, used_at=now))
    except IntegrityError:
        return False
    return True
