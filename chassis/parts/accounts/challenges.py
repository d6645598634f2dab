"""What the browser of a session is asked, or shown, and has to answer in time."""

import time
from collections.abc import Callable

from sqlalchemy import Connection

from chassis.db import db
from chassis.parts.accounts import factor_store
from chassis.security.identity import Identity

Use = Callable[[Connection], bool]
"""Uses up what a person has shown, in the transaction of what it opens; False when another request was faster."""


def put(who: Identity, purpose: str, value: str, seconds: float) -> None:
    """Store what a session is asked, in the place of what it was asked for this purpose before."""
    now = time.time()
    values = {"session_id": who.session, "purpose": purpose, "value": value, "expires_at": now + seconds}
    db.write(lambda conn: factor_store.put_challenge(conn, values, now))


def get(who: Identity, purpose: str) -> str | None:
    """Return what a session was asked; None when that is too long ago."""
    return db.read(lambda conn: factor_store.challenge(conn, who.session, purpose, time.time()))


def end(who: Identity, purpose: str) -> bool:
    """Ask no more; False when another request has answered already."""
    return db.write(lambda conn: factor_store.end_challenge(conn, who.session, purpose))
