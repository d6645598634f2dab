"""Keeps track of rooms so that joining, leaving and disconnecting cost the same for any number of clients."""

from collections.abc import Callable, Iterable
from typing import Any

from socketio.manager import Manager
from socketio.pubsub_manager import PubSubManager

from chassis.base.concurrency import original
from chassis.server import packets


class Rooms(Manager):  # type: ignore[misc]
    """python-socketio's manager with plain dictionaries in both directions, and packets that are encoded once."""

    max_rooms = 0
    too_many_rooms: Callable[[int], Exception] = ValueError

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rooms: dict[str, dict[Any, dict[str, str]]] = {}
        self._joined: dict[str, dict[str, set[Any]]] = {}
        self._sids: dict[str, dict[str, str]] = {}
        self._lock = original("threading", "RLock")()  # a real lock, since nothing inside it yields

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **_options: Any,
    ) -> None:
        """Send an event to a client, a room, several rooms, or the whole namespace."""
        content = [event, *(data if isinstance(data, tuple) else () if data is None else (data,))]
        outgoing = None if callback else packets.encode(packets.EVENT, namespace, content)
        skipped = skip_sid if isinstance(skip_sid, list) else (skip_sid,)
        for sid, eio_sid in self.get_participants(namespace, to or room):
            if sid in skipped:
                continue
            if callback:
                number = self._generate_ack_id(sid, callback)
                outgoing = packets.encode(packets.EVENT, namespace, content, number)
            self.server.send_event(eio_sid, namespace, outgoing)

    def get_participants(self, namespace: str, room: Any) -> Iterable[tuple[str, str]]:
        """Return (sid, Engine.IO sid) of the clients in a room, in one of several rooms, or (None) in the namespace."""
        rooms = self.rooms.get(namespace, {})
        if isinstance(room, (list, tuple, set)):
            found: dict[str, str] = {}
            for name in room:
                found.update(self._members(rooms, name))
            return found.items()
        return self._members(rooms, room)

    @staticmethod
    def _members(rooms: dict[Any, dict[str, str]], room: Any) -> Iterable[tuple[str, str]]:
        everybody = rooms.get(None, {})
        if room is not None and room in everybody:
            return ((room, everybody[room]),)  # each client is alone in the room named by its sid
        return dict(rooms.get(room, {})).items()  # a copy, since clients may leave during the sending

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Register a client whose connect handler has not run yet; return None if it is already registered."""
        with self._lock:
            sids = self._sids.setdefault(namespace, {})
            if eio_sid in sids:
                return None
            sid: str = self.server.eio.generate_id()
            sids[eio_sid] = sid
            self.rooms.setdefault(namespace, {}).setdefault(None, {})[sid] = eio_sid
            self.pending_connect.setdefault(namespace, set()).add(sid)
            return sid

    def connect(self, sid: str, namespace: str) -> str:
        """Register that a client was accepted."""
        with self._lock:
            self._forget(self.pending_connect, namespace, sid)
            return sid

    def is_connected(self, sid: str, namespace: str) -> bool:
        """Return whether a client is in the namespace, and neither connecting nor disconnecting."""
        if sid in self.pending_connect.get(namespace, ()) or sid in self.pending_disconnect.get(namespace, ()):
            return False
        return sid in self.rooms.get(namespace, {}).get(None, {})

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """Return a connection's sid in a namespace."""
        return self._sids.get(namespace, {}).get(eio_sid)

    def take_callback(self, eio_sid: str, namespace: str, number: int | None) -> Callable[..., Any] | None:
        """Remove and return the callback that waits for this acknowledgement of a connection, or None if unknown."""
        waiting = self.callbacks.get(self.sid_from_eio_sid(eio_sid, namespace))
        return waiting.pop(number, None) if waiting and number else None  # 0 is python-socketio's own counter

    def count_namespaces(self, eio_sid: str) -> int:
        """Return the number of namespaces that a connection has joined."""
        return sum(eio_sid in sids for sids in self._sids.values())

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """Return the connection of a sid."""
        return self.rooms.get(namespace, {}).get(None, {}).get(sid)

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """Register that a client is disconnecting; it stays known until its disconnect handler has run."""
        with self._lock:
            self.pending_disconnect.setdefault(namespace, set()).add(sid)
            return self.eio_sid_from_sid(sid, namespace)

    def basic_disconnect(self, sid: str, namespace: str, **_options: Any) -> None:
        """Remove a client."""
        with self._lock:
            for room in list(self._joined.get(namespace, {}).get(sid, ())):
                self.basic_leave_room(sid, namespace, room)
            rooms = self.rooms.get(namespace, {})
            eio_sid = rooms.get(None, {}).pop(sid, None)
            self._sids.get(namespace, {}).pop(eio_sid or "", None)
            if not rooms.get(None):
                self.rooms.pop(namespace, None)
                self._sids.pop(namespace, None)
                self._joined.pop(namespace, None)
            self.callbacks.pop(sid, None)
            self._forget(self.pending_connect, namespace, sid)
            self._forget(self.pending_disconnect, namespace, sid)

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        """Add a client to a room; raise ValueError for an unknown client, `too_many_rooms`' error at the limit."""
        with self._lock:
            rooms = self.rooms.get(namespace, {})
            if sid not in rooms.get(None, {}):
                raise ValueError("sid is not connected to requested namespace")
            if room == sid:
                return
            if self.is_sid_room(namespace, room):
                raise ValueError("cannot enter a sid room")
            joined = self._joined.setdefault(namespace, {}).setdefault(sid, set())
            if self.max_rooms and room not in joined and len(joined) >= self.max_rooms:
                raise self.too_many_rooms(self.max_rooms)
            joined.add(room)
            rooms.setdefault(room, {})[sid] = rooms[None][sid]

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Remove a client from a room."""
        with self._lock:
            rooms, joined = self.rooms.get(namespace, {}), self._joined.get(namespace, {})
            if room is not None and room in rooms:
                rooms[room].pop(sid, None)
                if not rooms[room]:
                    del rooms[room]
            if sid in joined:
                joined[sid].discard(room)
                if not joined[sid]:
                    del joined[sid]

    def basic_close_room(self, room: Any, namespace: str) -> None:
        """Remove all clients from a room."""
        with self._lock:
            if self.is_sid_room(namespace, room):
                raise ValueError("cannot close a sid room")
            for sid in list(self.rooms.get(namespace, {}).get(room, ())):
                self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """Return the rooms that a client is in, its own first."""
        if self.eio_sid_from_sid(sid, namespace) is None:
            return []
        return [sid, *self._joined.get(namespace, {}).get(sid, ())]

    @staticmethod
    def _forget(pending: dict[str, set[str]], namespace: str, sid: str) -> None:
        if namespace in pending:
            pending[namespace].discard(sid)
            if not pending[namespace]:
                del pending[namespace]


class SharedRooms(PubSubManager, Rooms):  # type: ignore[misc]
    """The same rooms in several processes; an event for a client of this process takes no other way."""

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str | None = None,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        """Send an event to a client, a room, several rooms, or the whole namespace, in all processes."""
        room, namespace = to or room, namespace or "/"
        if isinstance(room, str) and self.eio_sid_from_sid(room, namespace) is not None:
            options["ignore_queue"] = True
        super().emit(event, data, namespace=namespace, room=room, skip_sid=skip_sid, callback=callback, **options)
