"""The actions of admins and the operator on accounts."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from chassis.db import clock, db
from chassis.errors import BadRequest, Conflict, NotFound
from chassis.parts.accounts import emails, factor_store, lockout, sessions, store
from chassis.security import audit, leaving
from chassis.security.leaving import Departure, Ending
from chassis.security.signals import rights_changed
from chassis.security.store import bump

LEAVING = "account.leaving"  # the action of an audit entry for each part that ended
DISABLING_SECONDS, MOST_PARTS = 60, 20
Change = Callable[[Connection], object]


def listing(*, page: int = 1, per_page: int = 100) -> tuple[list[Row[Any]], int]:
    """Return a page of accounts by e-mail, and their total number."""
    return db.read(lambda conn: store.page_of_users(conn, limit=per_page, offset=(page - 1) * per_page))


def get(user_id: str) -> Row[Any]:
    """Return an account; raise NotFound."""
    return _there(db.read(lambda conn: store.user(conn, user_id)))


def find(email: str) -> Row[Any]:
    """Return the account with an e-mail; raise NotFound."""
    return _there(db.read(lambda conn: store.user_by_email(conn, emails.normal(email))))


def sessions_of(user: Row[Any]) -> list[Row[Any]]:
    """Return an account's sessions."""
    return db.read(lambda conn: store.sessions_of(conn, user.id))


def departure(user: Row[Any], heir: str = "", *, keep_keys: bool = False) -> Departure:
    """Return the departure for `leaving.preview` and `disable`; raise NotFound or Conflict for an unsuitable heir."""
    if heir:
        taking_over = find(heir)
        if taking_over.disabled_at is not None or taking_over.id == user.id:
            raise Conflict(f"{taking_over.email} cannot take over the jobs.", code="invalid_heir")
        heir = taking_over.email
    return Departure(user.email, heir, keep_keys)


def disable(user: Row[Any], heir: str = "", *, keep_keys: bool = False) -> list[Ending]:
    """Disable an account and end everything it holds, in one transaction; return what ended.

    Its jobs pass to the account `heir`, or are cancelled. `keep_keys` keeps the keys that it made for other owners.
    Raises NotFound or Conflict for an unsuitable heir, and Conflict when no admin would be left.
    """
    leaver, parts = departure(user, heir, keep_keys=keep_keys), leaving.parts()
    ended, line = list[Ending](), audit.entry(LEAVING, user.email)

    def change(conn: Connection) -> None:
        ended.extend(leaving.carry_out(conn, parts, leaver))
        store.change_user(conn, user.id, disabled_at=clock.now())
        _check_admins(conn, user)
        for ending in ended:
            audit.write(conn, line | {"target": f"{user.email}: {ending}"[: audit.MAX_CHARACTERS]})

    _carry_out("account.disable", user.email, change)
    return ended


def ended_with(user: Row[Any]) -> list[str]:
    """Return what ended when an account was disabled, from the audit log; empty for an enabled account."""
    if user.disabled_at is None:
        return []
    lines = audit.about(user.email, LEAVING, since=user.disabled_at - DISABLING_SECONDS, limit=MOST_PARTS)
    return [line["target"].removeprefix(f"{user.email}: ") for line in reversed(lines)]


def enable(user: Row[Any]) -> None:
    """Allow an account's owner to sign in again."""
    _carry_out(
        "account.enable",
        user.email,
        lambda conn: store.change_user(conn, user.id, disabled_at=None),
        makes_admin=user.role == store.ADMIN and user.disabled_at is not None,
    )


def set_role(user: Row[Any], role: str) -> None:
    """Change an account's role; raise Conflict when no admin would be left."""
    if role not in store.ROLES:
        raise BadRequest(f"A role is one of {', '.join(store.ROLES)}.", code="invalid_role")

    def change(conn: Connection) -> None:
        store.change_user(conn, user.id, role=role)
        _check_admins(conn, user)

    makes_admin = role == store.ADMIN and user.role != store.ADMIN
    _carry_out("account.role", f"{user.email} ({role})", change, makes_admin=makes_admin)


def sign_out(user: Row[Any]) -> None:
    """End all sessions of an account."""
    _carry_out("account.sign_out_everywhere", user.email, lambda conn: store.end_sessions(conn, user.id))


def unlock(user: Row[Any]) -> None:
    """Allow password attempts for an account again at once."""
    _carry_out("account.unlock", user.email, lambda conn: lockout.unlock(conn, user.email))


def reset_factor(user: Row[Any]) -> None:
    """Remove an account's second factors and recovery codes, and end its sessions, as after a loss of devices."""

    def change(conn: Connection) -> None:
        factor_store.remove_all(conn, user.id)
        store.end_sessions(conn, user.id)

    _carry_out("account.reset_factor", user.email, change)


def _carry_out(action: str, target: str, change: Change, *, makes_admin: bool = False) -> None:
    line = audit.entry(action, target, makes_admin=makes_admin)

    def write(conn: Connection) -> None:
        bump(conn)  # first: it serialises changes, also on PostgreSQL, so that admins are counted correctly
        change(conn)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    sessions.known.forget()
    rights_changed.send()


def _check_admins(conn: Connection, before: Row[Any]) -> None:
    was_admin = before.role == store.ADMIN and before.disabled_at is None
    if was_admin and not store.admins(conn):
        raise Conflict("At least one admin must remain.", code="last_admin")


def _there(user: Row[Any] | None) -> Row[Any]:
    if user is None:
        raise NotFound("There is no such account.")
    return user
