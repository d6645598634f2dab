"""Opens a session for a person who returns from the provider, in an existing account or a new one."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from chassis.db import clock, db
from chassis.errors import AppError, Conflict, Forbidden
from chassis.parts.accounts import factor_store, links, sessions
from chassis.parts.accounts import store as accounts
from chassis.parts.accounts.oidc import flow, store
from chassis.parts.accounts.oidc.person import Person
from chassis.parts.accounts.people import set_anew
from chassis.security import audit, leaving
from chassis.security.keys import digest
from chassis.security.store import bump

NO_PASSWORD = ""  # no hash equals it; a link for a new password sets one

ROLE_GIVEN = ("account.create", "account.role")


@dataclass(frozen=True)
class Plan:
    """The account for a person: an existing one (`user`), one to be linked to the person (`links`), or a new one."""

    values: dict[str, Any]
    user: Row[Any] | None = None
    links: bool = False
    spends: str = ""  # the invitation


@dataclass(frozen=True)
class How:
    """How a person comes in: an invitation or "", whether anybody may join, and when they signed in there."""

    invitation: str
    open_to_all: bool
    proved_at: float


def enter(person: Person, how: How) -> str:
    """Return the cookie of a new session; raise AppError when this person has no account and may not create one."""
    plan = _planned(person, how.invitation, how.open_to_all)
    if plan.user is not None and plan.user.disabled_at is not None:
        audit.record("account.sign_in", plan.user.email, result="refused", actor=plan.user.email)
        raise Forbidden("This account is disabled.", code="account_disabled")
    try:
        return _carry_out(plan, person, how.proved_at)
    except IntegrityError:  # another window was faster
        raise Conflict("This account was created just now: sign in again.", code="made_meanwhile") from None


def _planned(person: Person, invitation: str, open_to_all: bool) -> Plan:
    role = {"role": person.role} if person.role else {}
    if user := db.read(lambda conn: store.user_of(conn, person.issuer, person.subject)):
        return Plan(role, user)
    if invitation:
        link = links.read(invitation, links.INVITATION)
        return Plan(_account(link.email, person, person.role or link.role), spends=invitation)
    if not person.email:
        raise Forbidden("The sign-in service has not confirmed your email address.", code="no_email")
    if user := db.read(lambda conn: accounts.user_by_email(conn, person.email)):
        if db.read(lambda conn: store.has_identity(conn, user.id, person.issuer)):
            raise _somebody_elses()
        if db.read(lambda conn: factor_store.has_any(conn, user.id)):
            raise _guarded()
        return Plan({**role, "password_hash": NO_PASSWORD}, user, links=True)
    if not (person.may_join or open_to_all):
        raise Forbidden("You have no account here. Ask for an invitation.", code="no_account")
    return Plan(_account(person.email, person, person.role or accounts.USER))


def _account(email: str, person: Person, role: str) -> dict[str, Any]:
    values = {"id": secrets.token_hex(8), "email": email, "name": person.name, "role": role}
    return values | {"created_at": clock.now(), "password_hash": NO_PASSWORD}


def _carry_out(plan: Plan, person: Person, proved_at: float) -> str:
    user_id = plan.user.id if plan.user else plan.values["id"]
    email = plan.user.email if plan.user else plan.values["email"]
    session, now, take_back = sessions.new(user_id, proved_at=proved_at), clock.now(), flow.arrived()
    parts, becomes_admin = leaving.parts(), plan.values.get("role") == accounts.ADMIN
    lines = [
        audit.entry(action, email, actor=email, makes_admin=becomes_admin and action in ROLE_GIVEN)
        for action in (*_actions(plan), "account.sign_in")
    ]

    def write(conn: Connection) -> None:
        if plan.spends and not accounts.use_link(conn, digest(plan.spends), links.INVITATION, now):
            raise links.spent()
        _store(conn, plan, now, parts)
        if plan.user is None or plan.links:
            store.insert_identity(conn, person.issuer, person.subject, user_id, now)
        sessions.begin(conn, session)
        take_back(conn)
        for line in lines:
            audit.write(conn, line)

    db.write(write)
    for line in lines:
        audit.tell(line)
    return session.cookie


def _store(conn: Connection, plan: Plan, now: float, parts: list[leaving.Part]) -> None:
    """Create or change the account; when it is linked to a person at the provider, everything it held before ends."""
    if plan.user is None:
        accounts.insert_user(conn, {**plan.values, "last_sign_in_at": now})
        return
    if not accounts.change_good_user(conn, plan.user, **plan.values, last_sign_in_at=now):
        raise Conflict("The account was changed in the meantime: sign in again.", code="changed_meanwhile")
    if plan.links:
        if factor_store.has_any(conn, plan.user.id):  # set up after the plan was made
            raise _guarded()
        set_anew(conn, plan.user)
        leaving.hand_over(conn, parts, plan.user.email)
    bump(conn)  # the role may have changed


def _actions(plan: Plan) -> list[str]:
    if plan.user is None:
        return ["account.create"]
    new_role = plan.values.get("role", plan.user.role) != plan.user.role
    return [*(["account.link"] if plan.links else []), *(["account.role"] if new_role else [])]


def _somebody_elses() -> AppError:
    return Conflict(
        "The account with your email address belongs to another person at the sign-in service.", code="taken"
    )


def _guarded() -> AppError:
    """Return the error for an account with a second factor: its owner's must not be lost, nor a thief's kept."""
    sentence = (
        "The account with your email address has a second factor: ask an admin to remove it, or use your password."
    )
    return Conflict(sentence, code="has_second_factor")
