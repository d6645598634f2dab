"""Sessions: a random cookie in the browser, its hash in the table, and who it is."""

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

from chassis.db import db
from chassis.parts.accounts import devices, gates, store
from chassis.parts.accounts.settings import AccountSettings
from chassis.security import identity
from chassis.security.identity import Credentials, Environ, Identity
from chassis.security.keys import digest
from chassis.wiring import current_settings

log = structlog.get_logger(__name__)
KIND, COOKIE, SECURE_COOKIE = "account", "account", "__Host-account"
SCOPES = {store.ADMIN: identity.scopes(identity.ADMIN), store.USER: identity.scopes(identity.SUBMIT)}
SEEN_EVERY_SECONDS = 60  # a request more often does not write
READ_AGAIN_SECONDS = 0.05


class New(NamedTuple):
    """A session that is yet to be stored: what the browser gets, and the row."""

    cookie: str
    values: dict[str, Any]
    replaces: str  # the hash of the cookie that was shown, whoever's session it is


def new(user_id: str, *, factor_at: float | None = None, proved_at: float | None = None) -> New:
    """Return a new session for whoever sends the request at hand, and has shown a password or the like just now.

    `factor_at` is when the person showed a second factor. Where an account has one, its session may do nothing without.
    """
    cookie, now, shown = secrets.token_urlsafe(32), time.time(), cookie_of(request.environ)
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
    """Store a new session in the place of the one at hand: nobody keeps a cookie through a sign-in."""
    if session.replaces:
        store.end_session_by_hash(conn, session.replaces)
    store.insert_session(conn, session.values)


def look_up(credentials: Credentials) -> Identity | None:
    """Return whose cookie it is; a cookie that is wrong or too old is none, and beside a key none counts."""
    cookie, now = cookie_of(credentials.environ), time.time()
    if not cookie or credentials.key:
        return None
    row = db.read(lambda conn: store.session_by_hash(conn, digest(cookie)))
    if row is None or not _in_time(row, now):
        return None
    if now - row.last_seen_at > _unseen_seconds():
        _see(row.id, now)
    return _identity(row)


class Known:
    """All sessions that are good, for a look at many sockets at once; a request reads its own row instead."""

    def __init__(self) -> None:
        self._sessions: dict[str, Row[Any]] = {}
        self._read_at = -math.inf

    def forget(self) -> None:
        """Read the sessions again at the next look: some were ended here."""
        self._read_at = -math.inf

    def still_good(self, found: Identity) -> bool:
        """Return whether a session is still there, in time, and with the same rights."""
        if time.monotonic() - self._read_at > READ_AGAIN_SECONDS:
            rows = db.read(lambda conn: store.sessions_in_time(conn, time.time()), unbounded=True)
            self._sessions, self._read_at = {row.id: row for row in rows}, time.monotonic()
        row = self._sessions.get(found.session)
        return row is not None and _in_time(row, time.time()) and _identity(row) == found

    def ends_at(self, found: Identity) -> float | None:
        """Return when a session ends unless it is used before; of one that is not known yet, the earliest time."""
        row, idle_seconds = self._sessions.get(found.session), _own().session_idle_seconds
        seen_at = row.last_seen_at if row is not None else time.time() - _unseen_seconds()
        return min(found.expires_at or math.inf, float(seen_at + idle_seconds))


def cookie_of(environ: Environ) -> str:
    """Return the session's cookie, or ""; under TLS only the one that no other host of the domain can set."""
    name, header = SECURE_COOKIE if _is_secure(environ) else COOKIE, environ.get("HTTP_COOKIE", "")
    return parse_cookie(header).get(name, "") if name in header else ""


def give(response: Response, cookie: str) -> Response:
    """Let the browser keep a session, and that it is one of the account's devices.

    It is none as long as a second factor was not shown: each device has guesses of its own.
    """
    response.set_cookie(named(COOKIE), cookie, _own().session_max_seconds, **cookie_options())
    begun = db.read(lambda conn: store.session_by_hash(conn, digest(cookie)))
    if begun and gates.of(begun) != gates.SHOW:
        devices.remember(response, begun.email, **cookie_options())
    return response


def take(response: Response) -> Response:
    """Let the browser forget its session."""
    response.delete_cookie(named(COOKIE), **cookie_options())
    return response


def named(cookie: str) -> str:
    """Return a cookie's name for the request at hand; under TLS one that no other host of the domain can set."""
    return f"__Host-{cookie}" if _is_secure(request.environ) else cookie


def cookie_options() -> dict[str, Any]:
    """Return how a cookie of this feature is kept: out of reach for scripts and for other sites' forms."""
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
    """Return for how long a session that is in use is not written."""
    return min(SEEN_EVERY_SECONDS, _own().session_idle_seconds / 4)


def _see(session_id: str, now: float) -> None:
    try:
        db.write(lambda conn: store.see_session(conn, session_id, now))
    except SQLAlchemyError as error:  # reading goes on while nothing can be written
        log.warning("session_not_seen", reason=type(error).__name__)


def _is_secure(environ: Environ) -> bool:
    return current_settings().production or environ.get("wsgi.url_scheme") == "https"


def _own() -> AccountSettings:
    return current_settings().section(AccountSettings)


known = Known()
