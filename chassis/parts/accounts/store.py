"""All SQL of accounts, their sessions and links. Removing a right increases the version of everybody's rights."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, or_, select, update

from chassis.parts.accounts.factor_tables import factors
from chassis.parts.accounts.tables import links, sessions, users
from chassis.security.store import bump

ADMIN, USER = "admin", "user"
ROLES = (ADMIN, USER)


def insert_user(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new account; its e-mail is unique."""
    conn.execute(users.insert().values({"disabled_at": None, "last_sign_in_at": None, **values}))
    bump(conn)


def user(conn: Connection, user_id: str) -> Row[Any] | None:
    """Return an account, or None."""
    return conn.execute(select(users).where(users.c.id == user_id)).first()


def user_by_email(conn: Connection, email: str) -> Row[Any] | None:
    """Return the account of a normal e-mail, or None."""
    return conn.execute(select(users).where(users.c.email == email)).first()


def page_of_users(conn: Connection, *, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
    """Return accounts by e-mail, and their total number."""
    total = conn.execute(select(func.count()).select_from(users)).scalar_one()
    return list(conn.execute(select(users).order_by(users.c.email).limit(limit).offset(offset))), total


def admins(conn: Connection) -> int:
    """Return the number of admins who may sign in."""
    good = (users.c.role == ADMIN, users.c.disabled_at.is_(None))
    return conn.execute(select(func.count()).select_from(users).where(*good)).scalar_one()


def good_users(conn: Connection) -> int:
    """Return the number of enabled accounts."""
    return conn.execute(select(func.count()).select_from(users).where(users.c.disabled_at.is_(None))).scalar_one()


def change_user(conn: Connection, user_id: str, **values: Any) -> bool:
    """Change an account; return False when there is no such account."""
    return conn.execute(update(users).where(users.c.id == user_id).values(**values)).rowcount == 1


def change_good_user(conn: Connection, known: Row[Any], **values: Any) -> bool:
    """Change an account unless it was disabled, or its password changed, since it was read."""
    same = (users.c.id == known.id, users.c.password_hash == known.password_hash, users.c.disabled_at.is_(None))
    return conn.execute(update(users).where(*same).values(**values)).rowcount == 1


def insert_session(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new session, and delete expired ones."""
    conn.execute(delete(sessions).where(sessions.c.expires_at < values["created_at"]))
    conn.execute(sessions.insert().values(**values))


def session_by_hash(conn: Connection, hashed: str) -> Row[Any] | None:
    """Return a session with its account's e-mail and role, unless the account is disabled."""
    return conn.execute(_sessions().where(sessions.c.hash == hashed)).first()


def sessions_in_time(conn: Connection, now: float) -> list[Row[Any]]:
    """Return the sessions that have not expired, of enabled accounts."""
    return list(conn.execute(_sessions().where(sessions.c.expires_at > now)))


def sessions_of(conn: Connection, user_id: str) -> list[Row[Any]]:
    """Return an account's sessions, most recently used first."""
    mine = select(sessions).where(sessions.c.user_id == user_id)
    return list(conn.execute(mine.order_by(sessions.c.last_seen_at.desc(), sessions.c.id)))


def see_session(conn: Connection, session_id: str, now: float) -> None:
    """Record that a session is in use."""
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(last_seen_at=now))


def prove_session(conn: Connection, session_id: str, now: float) -> None:
    """Record that a session's person has shown a password or a second factor."""
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(proved_at=now))


def end_sessions(conn: Connection, user_id: str, session_id: str | None = None) -> int:
    """End one session of an account, or all; return the number of ended sessions."""
    mine = [sessions.c.user_id == user_id, *([sessions.c.id == session_id] if session_id else [])]
    return _ended(conn, delete(sessions).where(*mine))


def end_session_by_hash(conn: Connection, hashed: str) -> int:
    """End the session of a cookie, whichever account it belongs to."""
    return _ended(conn, delete(sessions).where(sessions.c.hash == hashed))


def insert_link(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a link; it replaces earlier links to the same e-mail."""
    cancel_links(conn, values["email"])
    conn.execute(delete(links).where(links.c.expires_at < values["created_at"]))
    conn.execute(links.insert().values(used_at=None, **values))


def open_link(conn: Connection, hashed: str, purpose: str, now: float) -> Row[Any] | None:
    """Return a valid link, or None."""
    return conn.execute(select(links).where(*_open(hashed, purpose, now))).first()


def use_link(conn: Connection, hashed: str, purpose: str, now: float) -> bool:
    """Use a link up; return False when it is no longer valid."""
    return conn.execute(update(links).where(*_open(hashed, purpose, now)).values(used_at=now)).rowcount == 1


def cancel_links(conn: Connection, email: str) -> None:
    """Delete all links to an e-mail."""
    conn.execute(delete(links).where(links.c.email == email, links.c.used_at.is_(None)))


def links_left_by(conn: Connection, owners: Collection[str], email: str, now: float) -> list[Row[Any]]:
    """Return the valid links created by some owners or for an e-mail."""
    theirs = or_(links.c.made_by.in_(sorted(owners)), links.c.email == email)
    query = select(links).where(theirs, links.c.used_at.is_(None), links.c.expires_at > now)
    return list(conn.execute(query.order_by(links.c.created_at)))


def delete_links(conn: Connection, hashes: Collection[str]) -> None:
    """Delete some links."""
    conn.execute(delete(links).where(links.c.hash.in_(hashes)))


def states_of(conn: Connection, emails: Collection[str]) -> dict[str, str]:
    """Return {e-mail: `good` or `disabled`} for the e-mails that have an account."""
    query = select(users.c.email, users.c.disabled_at).where(users.c.email.in_(sorted(emails)))
    return {email: "good" if disabled_at is None else "disabled" for email, disabled_at in conn.execute(query)}


def _sessions() -> Select[Any]:
    times = (sessions.c.created_at, sessions.c.last_seen_at, sessions.c.expires_at)
    plain = (sessions.c.id, sessions.c.user_id, *times, sessions.c.factor_at, sessions.c.proved_at)
    has_factor = exists().where(factors.c.user_id == sessions.c.user_id).label("has_factor")
    return select(*plain, users.c.email, users.c.role, has_factor).join(users).where(users.c.disabled_at.is_(None))


def _ended(conn: Connection, statement: Any) -> int:
    number: int = conn.execute(statement).rowcount
    if number:
        bump(conn)
    return number


def _open(hashed: str, purpose: str, now: float) -> tuple[Any, ...]:
    return links.c.hash == hashed, links.c.purpose == purpose, links.c.used_at.is_(None), links.c.expires_at > now
