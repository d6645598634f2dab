"""Single-use links: an invitation creates an account, a reset link sets a new password."""

import secrets
from typing import Any

from sqlalchemy import Connection, Row

from chassis.db import clock, db
from chassis.errors import AppError, BadRequest, Conflict, NotFound
from chassis.parts.accounts import emails, passwords, sessions, store
from chassis.parts.accounts.people import set_anew
from chassis.parts.accounts.settings import AccountSettings
from chassis.security import audit, identity
from chassis.security.keys import digest
from chassis.wiring import current_settings

INVITATION, RESET, SIGN_IN = "invitation", "reset", "sign-in-link"
EMERGENCY_SECONDS = 900
PREFIX = "ln"  # known to chassis.observability.redaction, since a link's path appears in the log


def invite(email: str, role: str) -> str:
    """Return the secret of a link that creates an account; raise Conflict when the e-mail already has one."""
    email = emails.checked(email)
    if role not in store.ROLES:
        raise BadRequest(f"A role is one of {', '.join(store.ROLES)}.", code="invalid_role")
    if db.read(lambda conn: store.user_by_email(conn, email)):
        raise taken(email)
    return _made(INVITATION, email, role, _own().invitation_seconds, "account.invite")


def reset(user: Row[Any]) -> str:
    """Return the secret of a link that sets an account's password; raise Conflict when the account is disabled."""
    passwords.check_in_use()
    if user.disabled_at is not None:
        raise Conflict(f"{user.email} is disabled: enable it first.")
    return _made(RESET, user.email, user.role, _own().reset_link_seconds, "account.reset_link")


def emergency(user: Row[Any]) -> str:
    """Return the secret of a link that signs its owner in; raise Conflict when the account is disabled."""
    if user.disabled_at is not None:
        raise Conflict(f"{user.email} is disabled: enable it first.")
    return _made(SIGN_IN, user.email, user.role, EMERGENCY_SECONDS, "account.sign_in_link")


def read(secret: str, purpose: str) -> Row[Any]:
    """Return a valid link; raise NotFound."""
    found = db.read(lambda conn: store.open_link(conn, digest(secret), purpose, clock.now()))
    if found is None:
        raise spent()
    return found


def set_password(secret: str, password: str) -> str:
    """Set a reset link's password, end all sessions, and return the cookie of a new one."""
    passwords.check_in_use()
    link = read(secret, RESET)
    user = db.read(lambda conn: store.user_by_email(conn, link.email))
    if user is None:
        raise spent()
    passwords.check(password, user.email, user.name)
    hashed, session = passwords.hashed(password), sessions.new(user.id)
    line = audit.entry("account.reset", user.email, actor=user.email)

    def write(conn: Connection) -> None:
        used = store.use_link(conn, digest(secret), RESET, clock.now())
        if not used or not store.change_good_user(conn, user, password_hash=hashed, last_sign_in_at=clock.now()):
            raise spent()
        set_anew(conn, user)
        sessions.begin(conn, session)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    return session.cookie


def sign_in(secret: str) -> str:
    """Use a link up, and return the cookie of a session for its account."""
    link = read(secret, SIGN_IN)
    user = db.read(lambda conn: store.user_by_email(conn, link.email))
    if user is None:
        raise spent()
    session, line = sessions.new(user.id), audit.entry("account.sign_in", f"{user.email} (link)", actor=user.email)

    def write(conn: Connection) -> None:
        used = store.use_link(conn, digest(secret), SIGN_IN, clock.now())
        if not used or not store.change_good_user(conn, user, last_sign_in_at=clock.now()):
            raise spent()
        sessions.begin(conn, session)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    return session.cookie


def spent() -> AppError:
    """Return the error for a link that is no longer valid."""
    return NotFound("This link has been used, has expired or is not valid.", code="link_invalid")


def path(purpose: str, secret: str) -> str:
    """Return the path of a link; its page is in entry_pages."""
    return f"/{purpose}/{secret}"


def taken(email: str) -> Conflict:
    """Return the error for an e-mail that already has an account."""
    return Conflict(f"{email} already has an account.", code="email_taken")


def _made(purpose: str, email: str, role: str, seconds: int, action: str) -> str:
    secret, now = f"{PREFIX}_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}", clock.now()
    values = {"hash": digest(secret), "purpose": purpose, "email": email, "role": role}
    values["made_by"], line = identity.current().maker, audit.entry(action, f"{email} ({role})")

    def write(conn: Connection) -> None:
        store.insert_link(conn, values | {"created_at": now, "expires_at": now + seconds})
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    return secret


def _own() -> AccountSettings:
    own: AccountSettings = current_settings().section(AccountSettings)
    return own
