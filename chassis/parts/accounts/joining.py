"""Creates accounts: by invitation, by registration, or by the operator."""

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from chassis.db import clock, db
from chassis.errors import BadRequest
from chassis.parts.accounts import emails, links, passwords, sessions, store
from chassis.security import audit
from chassis.security.keys import digest, listing

MAX_NAME = 200


def accept_invitation(secret: str, name: str, password: str) -> str:
    """Create the account that a link is for, and return the cookie of its first session."""
    passwords.check_in_use()
    link = links.read(secret, links.INVITATION)
    return _make(link.email, name, link.role, password, spent=secret)


def register(email: str, name: str, password: str) -> str:
    """Create an account by registration, and return the cookie of its first session."""
    passwords.check_in_use()
    email = emails.checked(email)
    if any(key["owner"].lower() == email for key in listing()):
        raise links.taken(email)  # the new account would own these keys' work
    return _make(email, name, store.USER, password)


def create(email: str, role: str, password: str) -> None:
    """Store an account created by the operator; raise Conflict when the e-mail already has one."""
    values = _row(emails.checked(email), "", role, password)
    line = audit.entry("account.create", f"{values['email']} ({role})", makes_admin=role == store.ADMIN)

    def write(conn: Connection) -> None:
        store.insert_user(conn, values)
        audit.write(conn, line)

    _insert(write, values["email"])
    audit.tell(line)


def _make(email: str, name: str, role: str, password: str, *, spent: str = "") -> str:
    """Store an account with its first session, and use a link up; raise Conflict when the e-mail already has one."""
    values = _row(email, name, role, password)
    session, makes_admin = sessions.new(values["id"]), role == store.ADMIN
    line = audit.entry("account.create", f"{email} ({role})", actor=email, makes_admin=makes_admin)

    def write(conn: Connection) -> None:
        if spent and not store.use_link(conn, digest(spent), links.INVITATION, clock.now()):
            raise links.spent()
        store.insert_user(conn, {**values, "last_sign_in_at": clock.now()})
        sessions.begin(conn, session)
        audit.write(conn, line)

    _insert(write, email)
    audit.tell(line)
    return session.cookie


def _row(email: str, name: str, role: str, password: str) -> dict[str, Any]:
    """Return a new account's row; raise BadRequest when a value is invalid."""
    name = " ".join(name.split())
    if len(name) > MAX_NAME or not name.isprintable():
        raise BadRequest(f"A name may have at most {MAX_NAME} characters.", code="invalid_name")
    passwords.check(password, email, name)
    values = {"id": secrets.token_hex(8), "email": email, "name": name, "role": role, "created_at": clock.now()}
    return values | {"password_hash": passwords.hashed(password)}


def _insert(write: Callable[[Connection], None], email: str) -> None:
    try:
        db.write(write)
    except IntegrityError:
        raise links.taken(email) from None
