"""A person's actions on the own account: sign in and out, change the password, end sessions."""

from typing import Any

from flask import request
from sqlalchemy import Connection, Row

from chassis.db import clock, db
from chassis.errors import BadRequest, NotFound, Unauthorized
from chassis.parts.accounts import emails, factor_store, lockout, passwords, sessions, store, tries
from chassis.security import audit
from chassis.security.identity import Identity


def sign_in(email: str, password: str) -> str:
    """Return the cookie of a new session; raise Unauthorized with the same message for every reason."""
    passwords.check_in_use()
    email = emails.normal(email)
    counted = lockout.subjects(email, request.remote_addr or "")
    locks = _count(email, *counted)
    user = db.read(lambda conn: store.user_by_email(conn, email)) if emails.plausible(email) else None
    right = passwords.is_right(password, user.password_hash if user else None)
    if user is None or not right or user.disabled_at is not None:
        raise _refused(email, locks=locks)
    newer = {"password_hash": passwords.hashed(password)} if passwords.is_outdated(user.password_hash) else {}
    session = sessions.new(user.id)
    line = audit.entry("account.sign_in", email, actor=email)

    def write(conn: Connection) -> bool:
        if not store.change_good_user(conn, user, last_sign_in_at=clock.now(), **newer):
            return False
        sessions.begin(conn, session)
        if factor_store.has_any(conn, user.id):  # the password alone must not allow more guesses at the second factor
            lockout.take_one_back(conn, *counted)
        else:
            lockout.take_back(conn, *counted)
        audit.write(conn, line)
        return True

    if not db.write(write):
        raise _refused(email)
    audit.tell(line)
    return session.cookie


def sign_out(who: Identity) -> None:
    """End the current session."""
    end_session(who, who.session, "account.sign_out")


def end_session(who: Identity, session_id: str, action: str = "account.end_session") -> None:
    """End one of the person's own sessions; raise NotFound for any other."""
    line = audit.entry(action, who.name)

    def write(conn: Connection) -> int:
        ended = store.end_sessions(conn, who.id, session_id)
        audit.write(conn, line)
        return ended

    if not db.write(write):
        raise NotFound("There is no such session.")
    audit.tell(line)


def sign_out_everywhere(who: Identity) -> None:
    """End all sessions of an account."""
    line = audit.entry("account.sign_out_everywhere", who.name)

    def write(conn: Connection) -> None:
        store.end_sessions(conn, who.id)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)


def change_password(who: Identity, current: str, new: str) -> str:
    """Set a new password, end all sessions, and return the cookie of a new one.

    Raises BadRequest when the current password is wrong or the new one weak, TooManyAttempts when it is being guessed.
    """
    passwords.check_in_use()
    user = db.read(lambda conn: store.user(conn, who.id))
    passwords.check(new, who.name, user.name if user else "")
    locks = _count(who.name, lockout.subjects(who.name, request.remote_addr or "")[0])
    if not passwords.is_right(current, user.password_hash if user else None) or user is None:
        audit.record("account.password", who.name, result="refused")
        _tell_of_lock(who.name, locks)
        raise BadRequest("Incorrect current password.", code="wrong_password")
    session = sessions.new(user.id, factor_at=clock.now())  # the current session has passed the second factor
    hashed, line = passwords.hashed(new), audit.entry("account.password", who.name)

    def write(conn: Connection) -> bool:
        if not store.change_good_user(conn, user, password_hash=hashed):
            return False
        set_anew(conn, user)
        sessions.begin(conn, session)
        audit.write(conn, line)
        return True

    if not db.write(write):
        raise Unauthorized("The account was changed in the meantime: sign in again.")
    audit.tell(line)
    return session.cookie


def repeated(password: str, again: str) -> str:
    """Return a new password typed twice; raise BadRequest when the two differ."""
    if password != again:
        raise BadRequest("The two passwords do not match.", code="passwords_differ")
    return password


def set_anew(conn: Connection, user: Row[Any]) -> None:
    """End what the earlier password gave access to: sessions and links; and unlock the account."""
    store.end_sessions(conn, user.id)
    store.cancel_links(conn, user.email)
    lockout.unlock(conn, user.email)


def has_password(who: Identity) -> bool:
    """Return whether an account has a password; accounts created through the provider have none."""
    user = db.read(lambda conn: store.user(conn, who.id))
    return user is not None and bool(user.password_hash)


def own_sessions(who: Identity) -> list[Row[Any]]:
    """Return the sessions of an account."""
    return db.read(lambda conn: store.sessions_of(conn, who.id))


def _count(email: str, *subjects: lockout.Subject) -> bool:
    try:
        return lockout.count(*subjects)
    except lockout.TooManyAttempts:
        # Logged but not stored: a flood of attempts must not cause a flood of writes.
        audit.tell(audit.entry("account.sign_in", _shown(email), result="locked", actor=_shown(email)))
        raise


def _refused(email: str, *, locks: bool = False) -> Unauthorized:
    audit.record("account.sign_in", _shown(email), result="refused", actor=_shown(email))
    _tell_of_lock(email, locks)
    return Unauthorized("Incorrect email or password.", code="sign_in_refused")


def _tell_of_lock(email: str, locks: bool) -> None:
    if locks:
        audit.record(tries.LOCK, _shown(email), result="locked", actor=_shown(email))


def _shown(email: str) -> str:
    """Return the text for the audit log: a password typed into the wrong field is not a plausible address."""
    return email if emails.plausible(email) else "(no e-mail address)"
