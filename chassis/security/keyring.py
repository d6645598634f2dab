"""The valid keys, in memory: checking any key costs one hash and one dictionary look-up."""

import hashlib
import math
import threading
import time
from collections.abc import Iterator

from flask import Flask
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from chassis.db import clock, db
from chassis.errors import Unauthorized
from chassis.security import guessing, identity, store
from chassis.security.identity import ADMIN, SUBMIT, Credentials, Environ, Identity, Kind
from chassis.security.keys import digest
from chassis.settings import Settings
from chassis.wiring import wiring_of

KEY = "key"
LOOK_AGAIN_SECONDS = 0.05  # a revocation by another process applies after this; one by this process at once


class Keyring:
    """The valid keys by their hash, read again when the version of everybody's rights has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.configure({})

    def configure(self, own: dict[str, Identity]) -> None:
        """Set the keys of the environment, and discard those that were read."""
        self._own = own
        self._hold({})
        self._version, self._looked_at = -1, -math.inf
        self._uses: dict[str, tuple[int, float]] = {}

    def look_up(self, credentials: Credentials) -> Identity | None:
        """Return the key's identity, or None without a key.

        Raises Unauthorized for a wrong key, even when there is a valid session, and TooManyRequests for an address that
        guesses.
        """
        if not credentials.key:
            return None
        hashed = digest(credentials.key)
        self.refresh()
        found = self._own.get(hashed) or self._stored.get(hashed)
        if found is not None and not _in_time(found):
            found = None
        guessing.judge(credentials.environ.get("REMOTE_ADDR") or "", found.principal if found else "")
        if found is None:
            raise Unauthorized("The API key is not valid.", code="invalid_key")
        self._count(found)
        return found

    def without_limits(self, environ: Environ) -> bool:
        """Return whether a request's headers contain a valid key without limits.

        It is called before a socket's handshake is counted, and counts neither a use nor a wrong key: that happens when
        the socket joins. Returns False while the database is unavailable.
        """
        key = identity.shown_key(environ)
        if not key:
            return False
        try:
            self.refresh()
        except SQLAlchemyError:
            return False
        found = self._stored.get(digest(key))
        return found is not None and found.without_limits and _in_time(found)

    def still_good(self, found: Identity) -> bool:
        """Return whether a key is still valid, with the same rights."""
        self.refresh()
        known = self._by_id.get(found.id)
        return known is not None and _in_time(known) and (known.scopes, known.owner) == (found.scopes, found.owner)

    def ends_at(self, found: Identity) -> float | None:
        """Return when a key expires; this may have changed since it was presented."""
        return self._by_id.get(found.id, found).expires_at

    def refresh(self) -> None:
        """Read the keys again if they have changed."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return
        version = db.read(store.version)
        if version != self._version:
            rows = db.read(lambda conn: store.good_keys(conn, clock.now()))
            self._hold({row.hash: _identity(row) for row in rows})
            self._version = version
        self._looked_at = time.monotonic()

    def forget(self) -> None:
        """Read the keys again at the next look-up: this process has changed them."""
        self._looked_at = -math.inf

    def flush(self) -> None:
        """Store the number of each key's uses since the last call."""
        with self._lock:
            uses, self._uses = self._uses, {}
        if uses:
            db.write(lambda conn: store.add_uses(conn, uses))

    def _hold(self, stored: dict[str, Identity]) -> None:
        self._stored = stored
        self._by_id = {known.id: known for known in (*self._own.values(), *stored.values())}

    def _count(self, found: Identity) -> None:
        with self._lock:
            self._uses[found.id] = (self._uses.get(found.id, (0, 0.0))[0] + 1, clock.now())


def install(app: Flask, settings: Settings) -> None:
    """Register keys as a kind of identity."""
    keyring.configure(dict(_of_environment(settings)))
    wiring_of(app).identities[KEY] = Kind(keyring.look_up, keyring.still_good, keyring.ends_at)


def _of_environment(settings: Settings) -> Iterator[tuple[str, Identity]]:
    admin = settings.admin_api_key.get_secret_value()
    for number, key in enumerate((k.get_secret_value() for k in settings.client_keys), 1):
        yield digest(key), _bootstrap(key, f"CLIENT_API_KEYS, number {number}", SUBMIT)
    if admin:
        yield digest(admin), _bootstrap(admin, "ADMIN_API_KEY", ADMIN)


def _bootstrap(key: str, name: str, scope: str) -> Identity:
    """Return the identity of a key from the environment; its id is derived from the key and does not reveal it."""
    key_id = "env-" + hashlib.sha256(b"id:" + digest(key).encode()).hexdigest()[:8]
    return Identity(KEY, key_id, name, identity.scopes(scope), owner=f"{KEY}:{key_id}")


def _identity(row: Row[object]) -> Identity:
    owner = row.owner or f"{KEY}:{row.id}"
    allowed = identity.scopes(*row.scopes)
    limits = {"per_second": row.per_second, "without_limits": row.without_limits}
    return Identity(KEY, row.id, row.name, allowed, owner=owner, expires_at=row.expires_at, **limits)


def _in_time(found: Identity) -> bool:
    return found.expires_at is None or found.expires_at > clock.now()


keyring = Keyring()
