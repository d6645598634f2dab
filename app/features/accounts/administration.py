"""What admins and the operator do with accounts."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from app.db import db
from app.errors import BadRequest, Conflict, NotFound
from app.features.accounts import emails, factor_store, lockout, store
from app.security import audit
from app.security.store import bump

Change = Callable[[Connection], object]


def listing(*, page: int = 1, per_page: int = 100) -> tuple[list[Row[Any]], int]:
    """Return a page of accounts by their e-mail, and how many there are."""
    return db.read(lambda conn: store.page_of_users(conn, limit=per_page, offset=(page - 1) * per_page))


def get(user_id: str) -> Row[Any]:
    """Return an account; raise NotFound."""
    return _there(db.read(lambda conn: store.user(conn, user_id)))


def find(email: str) -> Row[Any]:
    """Return the account of an e-mail; raise NotFound."""
    return _there(db.read(lambda conn: store.user_by_email(conn, emails.normal(email))))


def sessions_of(user: Row[Any]) -> list[Row[Any]]:
    """Return an account's sessions."""
    return db.read(lambda conn: store.sessions_of(conn, user.id))


def disable(user: Row[Any]) -> None:
    """Let an account's owner in no more, and end all he has open; raise Conflict when no admin would be left."""

    def change(conn: Connection) -> None:
        store.change_user(conn, user.id, disabled_at=time.time())
        store.end_sessions(conn, user.id)
        store.cancel_links(conn, user.email)
        _check_admins(conn, user)

    _carry_out("account.disable", user.email, change)


def enable(user: Row[Any]) -> None:
    """Let an account's owner sign in again."""
    _carry_out("account.enable", user.email, lambda conn: store.change_user(conn, user.id, disabled_at=None))


def set_role(user: Row[Any], role: str) -> None:
    """Give an account another role; raise Conflict when no admin would be left."""
    if role not in store.ROLES:
        raise BadRequest(f"A role is one of {', '.join(store.ROLES)}.", code="invalid_role")

    def change(conn: Connection) -> None:
        store.change_user(conn, user.id, role=role)
        _check_admins(conn, user)

    _carry_out("account.role", f"{user.email} ({role})", change)


def sign_out(user: Row[Any]) -> None:
    """End all sessions of an account."""
    _carry_out("account.sign_out_everywhere", user.email, lambda conn: store.end_sessions(conn, user.id))


def unlock(user: Row[Any]) -> None:
    """Let an account's owner try passwords again at once."""
    _carry_out("account.unlock", user.email, lambda conn: lockout.unlock(conn, user.email))


def reset_factor(user: Row[Any]) -> None:
    """Remove an account's second factors and recovery codes, and end its sessions, as when the devices are lost."""

    def change(conn: Connection) -> None:
        factor_store.remove_all(conn, user.id)
        store.end_sessions(conn, user.id)

    _carry_out("account.reset_factor", user.email, change)


def _carry_out(action: str, target: str, change: Change) -> None:
    line = audit.entry(action, target)

    def write(conn: Connection) -> None:
        bump(conn)  # first: it lets one change at a time pass, also on PostgreSQL, so that admins are counted right
        change(conn)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)


def _check_admins(conn: Connection, before: Row[Any]) -> None:
    was_admin = before.role == store.ADMIN and before.disabled_at is None
    if was_admin and not store.admins(conn):
        raise Conflict("That would leave nobody who is an admin.", code="last_admin")


def _there(user: Row[Any] | None) -> Row[Any]:
    if user is None:
        raise NotFound("There is no such account.")
    return user
