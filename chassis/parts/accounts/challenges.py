"""Challenges: what a session's browser has to answer within a time limit."""

from collections.abc import Callable

from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.parts.accounts import factor_store
from chassis.security.identity import Identity

Use = Callable[[Connection], bool]
"""Uses up what a person has shown, in the transaction of what it opens; False when another request was faster."""


def put(who: Identity, purpose: str, value: str, seconds: float) -> None:
    """Store a session's challenge; it replaces the earlier one for the same purpose."""
    now = clock.now()
    values = {"session_id": who.session, "purpose": purpose, "value": value, "expires_at": now + seconds}
    db.write(lambda conn: factor_store.put_challenge(conn, values, now))


def get(who: Identity, purpose: str) -> str | None:
    """Return a session's challenge, or None when it has expired."""
    return db.read(lambda conn: factor_store.challenge(conn, who.session, purpose, clock.now()))


def end(who: Identity, purpose: str) -> bool:
    """Delete a challenge; return False when another request has already answered it."""
    return db.write(lambda conn: factor_store.end_challenge(conn, who.session, purpose))
