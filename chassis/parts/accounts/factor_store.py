"""All SQL of second factors, recovery codes and challenges."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from chassis.parts.accounts.factor_tables import challenges, factors, recovery_codes

TOTP, PASSKEY = "totp", "passkey"


def of_user(conn: Connection, user_id: str) -> list[Row[Any]]:
    """Return an account's factors, oldest first."""
    return list(conn.execute(select(factors).where(factors.c.user_id == user_id).order_by(factors.c.created_at)))


def of_kind(conn: Connection, kind: str) -> list[Row[Any]]:
    """Return all accounts' factors of a kind."""
    return list(conn.execute(select(factors).where(factors.c.kind == kind)))


def by_credential(conn: Connection, credential: str) -> Row[Any] | None:
    """Return the passkey with a credential id, or None."""
    return conn.execute(select(factors).where(factors.c.credential == credential)).first()


def has_any(conn: Connection, user_id: str) -> bool:
    """Return whether an account has a second factor."""
    return conn.execute(select(factors.c.id).where(factors.c.user_id == user_id).limit(1)).first() is not None


def insert(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new factor; an account has at most one authenticator app, so a new one replaces the earlier one."""
    if values["kind"] == TOTP:
        conn.execute(delete(factors).where(factors.c.user_id == values["user_id"], factors.c.kind == TOTP))
    conn.execute(factors.insert().values(last_used_at=None, **{"credential": None, **values}))


def use(conn: Connection, known: Row[Any], counter: int, now: float, **values: Any) -> bool:
    """Record a use of a factor; return False when another request has used it since it was read."""
    same = (factors.c.id == known.id, factors.c.counter == known.counter)
    changes = {"counter": counter, "last_used_at": now, **values}
    return conn.execute(update(factors).where(*same).values(**changes)).rowcount == 1


def reseal(conn: Connection, known: Row[Any], secret: str) -> bool:
    """Store a newly sealed secret, unless the factor has changed since it was read."""
    same = (factors.c.id == known.id, factors.c.secret == known.secret)
    return conn.execute(update(factors).where(*same).values(secret=secret)).rowcount == 1


def rename(conn: Connection, user_id: str, factor_id: str, name: str) -> bool:
    """Rename a factor; return False when the account has no such factor."""
    mine = (factors.c.user_id == user_id, factors.c.id == factor_id)
    return conn.execute(update(factors).where(*mine).values(name=name)).rowcount == 1


def remove(conn: Connection, user_id: str, factor_id: str) -> bool:
    """Remove a factor; return False when the account has no such factor."""
    mine = (factors.c.user_id == user_id, factors.c.id == factor_id)
    return conn.execute(delete(factors).where(*mine)).rowcount == 1


def remove_all(conn: Connection, user_id: str) -> int:
    """Remove all factors and recovery codes of an account; return the number of factors."""
    set_codes(conn, user_id, ())
    return conn.execute(delete(factors).where(factors.c.user_id == user_id)).rowcount


def set_codes(conn: Connection, user_id: str, hashes: Iterable[str]) -> None:
    """Replace an account's recovery codes."""
    conn.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    for hashed in hashes:
        conn.execute(recovery_codes.insert().values(hash=hashed, user_id=user_id))


def count_codes(conn: Connection, user_id: str) -> int:
    """Return the number of remaining recovery codes."""
    mine = recovery_codes.c.user_id == user_id
    return conn.execute(select(func.count()).select_from(recovery_codes).where(mine)).scalar_one()


def has_code(conn: Connection, user_id: str, hashed: str) -> bool:
    """Return whether a recovery code is valid."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.hash == hashed)
    return conn.execute(select(recovery_codes.c.hash).where(*mine)).first() is not None


def use_code(conn: Connection, user_id: str, hashed: str) -> bool:
    """Use a recovery code up; return False when it is not valid, or was used before."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.hash == hashed)
    return conn.execute(delete(recovery_codes).where(*mine)).rowcount == 1


def put_challenge(conn: Connection, values: Mapping[str, Any], now: float) -> None:
    """Store a session's challenge; it replaces the earlier one, and expired challenges are deleted."""
    same = (challenges.c.session_id == values["session_id"]) & (challenges.c.purpose == values["purpose"])
    conn.execute(delete(challenges).where(same | (challenges.c.expires_at < now)))
    conn.execute(challenges.insert().values(**values))


def note_used(conn: Connection, values: Mapping[str, Any], now: float, seconds: float) -> None:
    """Record the use of a one-time value for as long as it is valid; raise IntegrityError for a second use."""
    conn.execute(delete(challenges).where(challenges.c.expires_at < now))
    conn.execute(challenges.insert().values(expires_at=now + seconds * 2, **values))


def challenge(conn: Connection, session_id: str, purpose: str, now: float) -> str | None:
    """Return a session's challenge, unless it has expired."""
    same = (challenges.c.session_id == session_id, challenges.c.purpose == purpose, challenges.c.expires_at > now)
    return conn.execute(select(challenges.c.value).where(*same)).scalar()


def end_challenge(conn: Connection, session_id: str, purpose: str) -> bool:
    """Delete a session's challenge; return False when another request has done so."""
    same = (challenges.c.session_id == session_id, challenges.c.purpose == purpose)
    return conn.execute(delete(challenges).where(*same)).rowcount == 1
