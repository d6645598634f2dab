"""A person's second factors and their changes, each of which ends the account's other sessions."""

import base64
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from chassis.db import clock, db
from chassis.errors import Conflict, NotFound
from chassis.parts.accounts import factor_store, gates, passkeys, sessions, store
from chassis.security import audit, guard
from chassis.security.identity import READ, Identity
from chassis.security.keys import digest

CODES, CODE_BYTES = 10, 10  # 80 bits: a plain hash is safe, as for keys


class Owned(NamedTuple):
    """The second factors of an account."""

    all: list[Row[Any]]
    app: Row[Any] | None
    passkeys: list[Row[Any]]
    codes_left: int


class Changed(NamedTuple):
    """The cookie of the continued session, and new recovery codes, which are shown once."""

    cookie: str
    codes: list[str]


def owned(user_id: str) -> Owned:
    """Return an account's second factors."""
    rows, left = db.read(lambda conn: (factor_store.of_user(conn, user_id), factor_store.count_codes(conn, user_id)))
    app = next((row for row in rows if row.kind == factor_store.TOTP), None)
    return Owned(rows, app, [row for row in rows if row.kind == factor_store.PASSKEY], left)


def add(who: Identity, values: dict[str, Any]) -> Changed:
    """Store a new factor; the first one comes with recovery codes. Raises Conflict for a passkey already in use."""
    values = {"id": secrets.token_hex(8), "user_id": who.id, "created_at": clock.now(), **values}
    codes = _new_codes()

    def change(conn: Connection) -> list[str]:
        first = not factor_store.has_any(conn, who.id)
        if who.gate and not first:  # another session has added one, which this session has not shown
            raise guard.refusal(who, READ)
        factor_store.insert(conn, values)
        if first:
            factor_store.set_codes(conn, who.id, map(_hash, codes))
        return codes if first else []

    try:
        return _change(who, "account.factor_add", values["name"], change)
    except IntegrityError:
        raise Conflict("This passkey is already registered.", code="passkey_known") from None


def remove(who: Identity, factor_id: str) -> Changed:
    """Remove a factor, with the recovery codes if it is the last one; raise Conflict when the account needs it."""
    factor, user = _mine(who, factor_id), db.read(lambda conn: store.user(conn, who.id))
    needed = user is not None and gates.required(user.role)

    def change(conn: Connection) -> list[str]:
        factor_store.remove(conn, who.id, factor_id)
        if not factor_store.has_any(conn, who.id):
            if needed:
                raise Conflict("Your account needs a second factor: set up another one first.", code="factor_required")
            factor_store.remove_all(conn, who.id)
        return []

    return _change(who, "account.factor_remove", factor.name, change)


def rename(who: Identity, factor_id: str, name: str) -> None:
    """Rename a passkey; raise NotFound when it is not the person's."""
    name, before = passkeys.checked_name(name), _mine(who, factor_id)
    line = audit.entry("account.factor_rename", f"{who.name} ({before.name} -> {name})")

    def write(conn: Connection) -> None:
        factor_store.rename(conn, who.id, factor_id, name)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)


def renew_codes(who: Identity) -> Changed:
    """Create new recovery codes and invalidate the earlier ones; raise Conflict without a second factor."""
    codes = _new_codes()

    def change(conn: Connection) -> list[str]:
        if not factor_store.has_any(conn, who.id):
            raise Conflict("Recovery codes need a second factor: set one up first.", code="no_factor")
        factor_store.set_codes(conn, who.id, map(_hash, codes))
        return codes

    return _change(who, "account.recovery_codes", "", change)


def check_code(who: Identity, typed: str) -> Callable[[Connection], bool] | None:
    """Return a function that uses a recovery code up, or None when the code is not valid."""
    hashed = _hash(typed[:100])
    good = db.read(lambda conn: factor_store.has_code(conn, who.id, hashed))
    return (lambda conn: factor_store.use_code(conn, who.id, hashed)) if good else None


def _change(who: Identity, action: str, target: str, change: Callable[[Connection], list[str]]) -> Changed:
    session = sessions.new(who.id, factor_at=clock.now(), proved_at=who.proved_at)
    line = audit.entry(action, f"{who.name} ({target})" if target else who.name)

    def write(conn: Connection) -> list[str]:
        codes = change(conn)
        store.end_sessions(conn, who.id)
        sessions.begin(conn, session)
        audit.write(conn, line)
        return codes

    codes = db.write(write)
    audit.tell(line)
    return Changed(session.cookie, codes)


def _mine(who: Identity, factor_id: str) -> Row[Any]:
    found = next((row for row in owned(who.id).all if row.id == factor_id), None)
    if found is None:
        raise NotFound("There is no such second factor.")
    return found


def _new_codes() -> list[str]:
    texts = (base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES))
    return ["-".join(text[at : at + 4] for at in range(0, len(text), 4)) for text in texts]


def _hash(code: str) -> str:
    return digest("".join(letter for letter in code.lower() if letter.isalnum()))
