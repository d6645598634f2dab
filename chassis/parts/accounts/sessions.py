"""Sessions: a random cookie in the browser, its hash in the table, and its identity."""

import math
import secrets
import time
from typing import Any, NamedTuple

import structlog
from flask import request
from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from chassis.db import clock, db
from chassis.parts.accounts import devices, gates, store
from chassis.parts.accounts.settings import AccountSettings
from chassis.security import identity
from chassis.security.identity import Credentials, Environ, Identity
from chassis.security.keys import digest
from chassis.wiring import current_settings

log = structlog.get_logger(__name__)
KIND, COOKIE, SECURE_COOKIE = "account", "account", "__Host-account"
SCOPES = {store.ADMIN: identity.scopes(identity.ADMIN), store.USER: identity.scopes(identity.SUBMIT)}
SEEN_EVERY_SECONDS = 60  # more frequent requests do not write
READ_AGAIN_SECONDS = 0.05


class New(NamedTuple):
    """A session that is not stored yet: the browser's cookie, and the row."""

    cookie: str
    values: dict[str, Any]
    replaces: str  # the hash of the cookie in the request, whichever session it belongs to


def new(user_id: str, *, factor_at: float | None = None, proved_at: float | None = None) -> New:
    """Return a new session for the current request's sender, who has just shown a password or another proof.

    `factor_at` is when the person showed a second factor. If the account has one, the session needs it for any action.
    """
    cookie, now, shown = secrets.token_urlsafe(32), clock.now(), cookie_of(request.environ)
    values = {
        "id": secrets.token_hex(8),
        "hash": digest(cookie),
        "user_id": user_id,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + _own().session_max_seconds,
        "address": (request.remote_addr or "")[:64],
        "user_agent": request.headers.get("User-Agent", "")[:200],
        "factor_at": factor_at,
        "proved_at": now if proved_at is None else proved_at,
    }
    return New(cookie, values, digest(shown) if shown else "")


def begin(conn: Connection, session: New) -> None:
    """Store a new session in place of the current one: no cookie survives a sign-in."""
    if session.replaces:
        store.end_session_by_hash(conn, session.replaces)
    store.insert_session(conn, session.values)


def look_up(credentials: Credentials) -> Identity | None:
    """Return a cookie's identity; an invalid or expired cookie counts as none, as does any cookie next to a key."""
    cookie, now = cookie_of(credentials.environ), clock.now()
    if not cookie or credentials.key:
        return None
    row = db.read(lambda conn: store.session_by_hash(conn, digest(cookie)))
    if row is None or not _in_time(row, now):
        return None
    if now - row.last_seen_at > _unseen_seconds():
        _see(row.id, now)
    return _identity(row)


class Known:
    """All valid sessions, for checking many sockets at once; a request reads its own row instead."""

    def __init__(self) -> None:
        self._sessions: dict[str, Row[Any]] = {}
        self._read_at = -math.inf

    def forget(self) -> None:
        """Read the sessions again at the next check: this process has ended some."""
        self._read_at = -math.inf

    def still_good(self, found: Identity) -> bool:
        """Return whether a session still exists, has not expired, and has the same rights."""
        if time.monotonic() - self._read_at > READ_AGAIN_SECONDS:
            rows = db.read(lambda conn: store.sessions_in_time(conn, clock.now()), unbounded=True)
            self._sessions, self._read_at = {row.id: row for row in rows}, time.monotonic()
        row = self._sessions.get(found.session)
        return row is not None and _in_time(row, clock.now()) and _identity(row) == found

    def ends_at(self, found: Identity) -> float | None:
        """Return when a session ends unless it is used before; for an unknown one, the earliest possible time."""
        row, idle_seconds = self._sessions.get(found.session), _own().session_idle_seconds
        seen_at = row.last_seen_at if row is not None else clock.now() - _unseen_seconds()
        return min(found.expires_at or math.inf, float(seen_at + idle_seconds))


def cookie_of(environ: Environ) -> str:
    """Return the session's cookie, or ""; under TLS the one that other hosts of the domain cannot set."""
    name, header = SECURE_COOKIE if _is_secure(environ) else COOKIE, environ.get("HTTP_COOKIE", "")
    return parse_cookie(header).get(name, "") if name in header else ""


def give(response: Response, cookie: str) -> Response:
    """Set the session's cookie, and mark the browser as one of the account's devices.

    It is not marked until the second factor is shown, since each device has its own guesses.
    """
    response.set_cookie(named(COOKIE), cookie, _own().session_max_seconds, **cookie_options())
    begun = db.read(lambda conn: store.session_by_hash(conn, digest(cookie)))
    if begun and gates.of(begun) != gates.SHOW:
        devices.remember(response, begun.email, **cookie_options())
    return response


def take(response: Response) -> Response:
    """Delete the session's cookie."""
    response.delete_cookie(named(COOKIE), **cookie_options())
    return response


def named(cookie: str) -> str:
    """Return a cookie's name for the current request; under TLS one that other hosts of the domain cannot set."""
    return f"__Host-{cookie}" if _is_secure(request.environ) else cookie


def cookie_options() -> dict[str, Any]:
    """Return the options of this feature's cookies, which keep scripts and other sites' forms from using them."""
    return {"secure": _is_secure(request.environ), "httponly": True, "samesite": "Lax", "path": "/"}


def _identity(row: Row[Any]) -> Identity:
    gate = gates.of(row)
    scopes = frozenset() if gate else SCOPES.get(row.role, frozenset())
    proved_at = row.created_at if row.proved_at is None else row.proved_at
    more = {"session": row.id, "expires_at": row.expires_at, "gate": gate, "proved_at": proved_at}
    return Identity(KIND, row.user_id, row.email, scopes, owner=row.email, **more)


def _in_time(row: Row[Any], now: float) -> bool:
    in_time = row.expires_at > now and row.last_seen_at + _own().session_idle_seconds > now
    return bool(in_time and (now - row.created_at < gates.MAX_SECONDS or not gates.of(row)))


def _unseen_seconds() -> float:
    """Return how long an active session is not written."""
    return min(SEEN_EVERY_SECONDS, _own().session_idle_seconds / 4)


def _see(session_id: str, now: float) -> None:
    try:
        db.write(lambda conn: store.see_session(conn, session_id, now))
    except SQLAlchemyError as error:  # reading continues while the database cannot be written
        log.warning("session_not_seen", reason=type(error).__name__)


def _is_secure(environ: Environ) -> bool:
    return current_settings().production or environ.get("wsgi.url_scheme") == "https"


def _own() -> AccountSettings:
    return current_settings().section(AccountSettings)


known = Known()
