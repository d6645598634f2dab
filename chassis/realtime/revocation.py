"""Closes sockets whose identity has lost its rights: a revoked or expired key, or an ended session."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, request

from chassis.db import clock, db
from chassis.db.ticker import DatabaseTicker, tell_failure
from chassis.extensions import socketio
from chassis.security import identity, maintenance, store, switches
from chassis.security.identity import ANONYMOUS, Identity
from chassis.security.keyring import keyring
from chassis.security.signals import rights_changed

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.4
FLUSH_EVERY = 12  # checks
CHECK_ALL_EVERY = 25  # checks: not every kind of identity announces its changes
Socket = tuple[str, str]  # sid, namespace

_open: dict[Socket, Identity] = {}
_tell_others: list[Callable[[], None]] = []
_lookout: "Lookout | None" = None
_first_end = math.inf  # earliest expiry among these, as far as is known


def watch() -> None:
    """Track the current client until `forget`; anonymous visitors have no rights to lose."""
    global _first_end
    who = identity.current()
    if who.kind != ANONYMOUS:
        _open[_here()] = who
        _first_end = min(_first_end, identity.ends_at(who))


def forget() -> None:
    """Stop tracking the current client."""
    _open.pop(_here(), None)


def connected() -> Counter[Identity]:
    """Return how many open sockets each key and person has in this process."""
    return Counter(_open.copy().values())


def end_unwanted() -> int:
    """Disconnect the sockets whose identity is no longer valid; return their number."""
    global _first_end
    good = {who: identity.still_good(who) for who in _identities()}
    unwanted = [socket for socket, who in list(_open.items()) if not good[who]]
    ended = [socket for socket in unwanted if not _being_let_in(*socket)]
    for sid, namespace in ended:
        log.info("socket_revoked", sid=sid, principal=_open.pop((sid, namespace)).principal)
        socketio.server.disconnect(sid, namespace=namespace)
    ends = [identity.ends_at(who) for who in _identities()]
    _first_end = min((end for end in ends if end > clock.now()), default=math.inf)
    if len(ended) < len(unwanted):
        _first_end = 0.0  # the next check ends the others
    return len(ended)


def _being_let_in(sid: str, namespace: str) -> bool:
    """Return whether a client's connect handler still runs; a client cannot be disconnected before its answer."""
    return sid in socketio.server.manager.pending_connect.get(namespace, ())


def _identities() -> set[Identity]:
    return set(_open.copy().values())


@rights_changed.connect
def _end_at_once(_sender: object) -> None:
    """Close this process's sockets without waiting for the next check; other processes are told to do the same."""
    for tell in _tell_others:
        tell()
    keyring.forget()
    try:
        end_unwanted()
    except Exception as error:
        tell_failure("revocation", error)  # the next check tries again; the rights are revoked already


def announce_by(tell: Callable[[], None]) -> None:
    """Call `tell` whenever this process has changed rights."""
    _tell_others[:] = [tell]


def look_soon() -> None:
    """Check in the background, since another process has changed rights."""
    if _lookout is not None:
        socketio.start_background_task(_lookout.look)


def _here() -> Socket:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]
    return asked.sid, asked.namespace


class Lookout(DatabaseTicker):
    """Checks for changed rights, switches and expiries more than twice a second, and stores the uses of keys."""

    def __init__(self, app: Flask) -> None:
        super().__init__("revocation", LOOK_SECONDS)
        global _lookout
        self._app, self._version, self._looks = app, -1, 0
        self._maintenance: tuple[str | None] | None = None  # its reason, after the first check
        _lookout = self

    def stop(self) -> None:
        """Stop checking, and store the uses."""
        super().stop()
        try:
            keyring.flush()
        except Exception as error:
            self.failed(error)

    def look(self) -> None:
        """Check once, outside of the usual times."""
        try:
            self.tick()
        except Exception as error:
            self.failed(error)  # the next check tries again

    def tick(self) -> None:
        """Check once."""
        self._looks += 1
        switches.look()
        self._tell_maintenance()
        version = db.read(store.version)
        if version != self._version or clock.now() >= _first_end or self._looks % CHECK_ALL_EVERY == 0:
            keyring.forget()
            with self._app.app_context():
                end_unwanted()
            self._version = version
        if self._looks % FLUSH_EVERY == 0:
            keyring.flush()

    def _tell_maintenance(self) -> None:
        """Tell this process's clients when the maintenance mode has changed."""
        before, self._maintenance = self._maintenance, (maintenance.reason(),)
        if before not in (None, self._maintenance):
            socketio.emit("service:maintenance", {"reason": self._maintenance[0]}, ignore_queue=True)
