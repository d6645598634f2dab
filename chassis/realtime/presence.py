"""The members of rooms, as names that the other members see.

Each process stores its own clients under one lease, which it renews in one statement; the members of a process that
died are removed when its lease ends. Each process reads the changes from the table and tells its own clients, so that
no queue is needed: `presence:update` with `room`, `joined`, `left` and `count`, at most twice a second for a room.
"""

import secrets
import threading
import time
from collections import defaultdict
from typing import Any

from flask import request
from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.db.ticker import DatabaseTicker
from chassis.errors import BadRequest
from chassis.extensions import socketio
from chassis.realtime import recovery, store
from chassis.settings import Settings

__all__ = ["enter", "leave", "members", "rooms"]

TICK_SECONDS = 0.5
MAX_CHARACTERS = 255
UNSEEN = (-1, 0)  # no room's fingerprint


class Presence:
    """This process's present clients, and what they were told about each room."""

    def __init__(self) -> None:
        self._writing = threading.Lock()  # the first lease is stored only once
        self._here: dict[str, dict[str, str]] = defaultdict(dict)  # sid -> room -> member
        self._gone: set[str] = set()
        self._seen: dict[str, tuple[int, int]] = {}
        self._told: dict[str, set[str]] = {}
        self._used = False  # unused, presence costs nothing

    def configure(self, settings: Settings) -> None:
        """Generate a unique holder id."""
        recovery.observe("presence:update", self.heard)
        self._holder = secrets.token_hex(16)
        self._lease, self._renewed = settings.presence_lease_seconds, 0.0

    def enter(self, room: str, member: str) -> None:
        """Add the client of this event to a room as `member`, a name that the others see.

        Raises BadRequest when a name has more than 255 characters.
        """
        if max(len(room), len(member)) > MAX_CHARACTERS:
            raise BadRequest(f"The name of a room or a member may have at most {MAX_CHARACTERS} characters.")
        sid = request.sid  # type: ignore[attr-defined]
        self._used = True
        self._here[sid][room] = member
        try:
            self._renew([(room, sid, member)])
        except Exception:
            self._here[sid].pop(room, None)
            raise
        if not _known(sid):  # it disconnected before this was stored, so nothing else removes it
            self._gone.add(sid)

    def leave(self, room: str) -> None:
        """Remove the client of this event from a room."""
        sid = request.sid  # type: ignore[attr-defined]
        if self._here.get(sid, {}).pop(room, None) is not None:
            db.write(lambda conn: store.leave(conn, room, sid))

    def gone(self, sid: str) -> None:
        """Record that a client has disconnected; the next tick stores this for all such clients at once."""
        if sid in self._here:
            self._gone.add(sid)

    def members(self, room: str) -> list[str]:
        """Return the members of a room, of all processes."""
        self._used = True
        return db.read(lambda conn: store.members(conn, room, clock.now()), unbounded=True)

    def rooms(self, limit: int) -> dict[str, list[str]]:
        """Return the members of every room, of all processes; at most `limit` members in total."""
        found: dict[str, list[str]] = defaultdict(list)
        for room, member in db.read(lambda conn: store.everybody(conn, clock.now(), limit), unbounded=True):
            found[room].append(member)
        return found

    def tick(self) -> None:
        """Store disconnects, renew the lease when it is time, and report changes."""
        if not self._used:
            return
        if time.monotonic() - self._renewed > self._lease / 3:
            self._gone |= {sid for sid in list(self._here) if not _known(sid)}  # refused after they entered
            self._renew([])
            db.write(lambda conn: store.remove_expired(conn, clock.now()))
            self._renewed = time.monotonic()
        self._store_gone()
        self._tell_changes()

    def give_up(self) -> None:
        """Remove all clients of this process, before it ends."""
        if self._used:
            db.write(lambda conn: store.give_up(conn, self._holder))

    def _renew(self, entering: list[tuple[str, str, str]]) -> None:
        """Extend the lease and store new members; if the lease was lost, store all members again."""

        def write(conn: Connection, there: list[tuple[str, str, str]]) -> bool:
            held = store.renew(conn, self._holder, clock.now(), self._lease)
            store.enter(conn, self._holder, there)
            return held

        with self._writing:
            held = db.write(lambda conn: write(conn, entering))
            if not held:
                here = [(sid, list(rooms.items())) for sid, rooms in list(self._here.items())]
                everybody = [(room, sid, member) for sid, rooms in here for room, member in rooms]
                db.write(lambda conn: write(conn, everybody))

    def _store_gone(self) -> None:
        gone = self._gone.copy()
        self._gone -= gone
        if gone:
            try:
                db.write(lambda conn: store.leave_all(conn, sorted(gone)))
            except Exception:
                self._gone |= gone
                raise
            for sid in gone:
                self._here.pop(sid, None)

    def _tell_changes(self) -> None:
        if not recovery.speaks():  # another worker tells everybody
            self._seen = {}
            return
        now = clock.now()
        found = db.read(lambda conn: store.fingerprints(conn, now), unbounded=True)
        rooms = {*found, *self._seen, *self._told}
        for room in [room for room in rooms if found.get(room) != self._seen.get(room, UNSEEN)]:
            there = set(self.members(room)) if room in found else set()
            self._tell(room, self._told.get(room, set()), there)  # when it fails, the next tick tells the same
        self._seen = found

    def heard(self, room: str, changes: dict[str, Any]) -> None:
        """Record what the clients in a room were told, by whichever worker."""
        self._told[room] = (self._told.get(room, set()) | set(changes["joined"])) - set(changes["left"])
        if not self._told[room]:
            del self._told[room]

    @staticmethod
    def _tell(room: str, before: set[str], there: set[str]) -> None:
        if before != there:
            changes = {"joined": sorted(there - before), "left": sorted(before - there), "count": len(there)}
            recovery.deliver(room, "presence:update", {"room": room, **changes})


def _known(sid: str) -> bool:
    """Return whether a client is connected, or its connect handler runs."""
    manager = socketio.server.manager
    return any(
        manager.eio_sid_from_sid(sid, namespace) and sid not in manager.pending_disconnect.get(namespace, ())
        for namespace in list(manager.get_namespaces())
    )


presence = Presence()
configure, enter, leave, members = presence.configure, presence.enter, presence.leave, presence.members
gone, rooms = presence.gone, presence.rooms


class Lookout(DatabaseTicker):
    """Checks for members who joined or left, twice a second."""

    def __init__(self) -> None:
        super().__init__("presence", TICK_SECONDS)

    def stop(self) -> None:
        """Stop, and remove this process's clients."""
        super().stop()
        self._thread.join(2 * TICK_SECONDS)  # otherwise it would renew the lease
        try:
            presence.give_up()
        except Exception as error:
            self.failed(error)

    def tick(self) -> None:
        """Check once."""
        presence.tick()
