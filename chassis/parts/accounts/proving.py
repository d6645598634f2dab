"""A person proves who they are: in the second step of signing in, and again before the most dangerous actions.

Wrong passwords and wrong codes count towards the same lock-out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import request
from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.errors import BadRequest, Unauthorized
from chassis.parts.accounts import factors, lockout, passkeys, passwords, sessions, store, totp
from chassis.parts.accounts.challenges import Use
from chassis.security import audit
from chassis.security.identity import Identity


@dataclass(frozen=True)
class Shown:
    """The proof that a person sends; one of these."""

    password: str = ""
    code: str = ""
    recovery: str = ""
    passkey: str = ""


def show_factor(who: Identity, shown: Shown) -> str:
    """Return the cookie of a session that has passed the second factor; raise Unauthorized when the proof is wrong."""
    session = sessions.new(who.id, factor_at=clock.now())
    _shown(who, replace(shown, password=""), "account.second_factor", lambda conn: sessions.begin(conn, session))
    return session.cookie


def prove(who: Identity, shown: Shown) -> None:
    """Record that the current session's person gave proof now; raise Unauthorized when it is wrong."""
    now = clock.now()
    _shown(who, shown, "account.proof", lambda conn: store.prove_session(conn, who.session, now))


def _shown(who: Identity, shown: Shown, action: str, opens: Callable[[Connection], None]) -> None:
    """Check the proof, then in one transaction use it up and run `opens`."""
    counted = lockout.subjects(who.name, request.remote_addr or "")
    _count(who, action, counted)
    use = _use_of(who, shown)
    line = audit.entry(action, who.name)

    def write(conn: Connection) -> bool:
        if use is None or not use(conn):
            return False
        opens(conn)
        lockout.take_back(conn, *counted)
        audit.write(conn, line)
        return True

    if use is None or not db.write(write):
        audit.record(action, who.name, result="refused")
        raise Unauthorized("Incorrect, or already used.", code="proof_refused")
    audit.tell(line)


def _use_of(who: Identity, shown: Shown) -> Use | None:
    if shown.password:
        return _password(who, shown.password)
    if shown.recovery:
        return factors.check_code(who, shown.recovery)
    known = factors.owned(who.id).all
    if shown.passkey:
        return passkeys.check(who, known, shown.passkey)
    if shown.code:
        return totp.check(known, shown.code)
    raise BadRequest("Nothing was entered.", code="nothing_shown")


def _password(who: Identity, password: str) -> Use | None:
    user = db.read(lambda conn: store.user(conn, who.id))
    right = passwords.is_right(password, user.password_hash if user else None)
    return (lambda _: True) if right else None


def _count(who: Identity, action: str, counted: list[lockout.Subject]) -> None:
    try:
        lockout.count(*counted)
    except lockout.TooManyAttempts:
        audit.tell(audit.entry(action, who.name, result="locked"))  # not stored, as in people.sign_in
        raise
