"""The part that the servers of both transports share: rooms, joining a namespace, answers to events."""

import logging
from collections.abc import Callable
from typing import Any

import socketio
from socketio import exceptions

from chassis.base.environment import worker_number
from chassis.server import packets
from chassis.server.manager import Rooms, SharedRooms
from chassis.server.packets import Outgoing, Packet
from chassis.server.several import sids

log = logging.getLogger(__name__)


def _rooms(redis_url: str, channel: str) -> Rooms | SharedRooms:
    """Return the rooms of this process: shared by Redis, by the workers of this machine, or with nobody."""
    if redis_url:
        from chassis.server.nodes.rooms import RedisRooms

        return RedisRooms(redis_url, channel)
    if not worker_number():
        return Rooms()
    from chassis.server.several.bus import BusRooms

    return BusRooms()


class EventServer(socketio.Server):  # type: ignore[misc]
    """python-socketio's server with this project's rooms and packets, and an answer to every event that asks for one.

    Takes python-socketio's options, `limits` (caps.Caps), `report` (called with cause, sid and detail for every
    connection that is refused or closed), `unhandled` (returns the acknowledgement of an event without a handler),
    `unsendable` (returns the replacement for an answer that cannot be sent), `too_many_rooms` (returns the error for a
    join above the limit), and `redis_url` with its `channel`.
    """

    def __init__(
        self,
        *,
        redis_url: str = "",
        channel: str = "socketio",
        unhandled: Callable[[str], Any],
        unsendable: Callable[[Exception], Any],
        too_many_rooms: Callable[[int], Exception],
        **options: Any,
    ) -> None:
        rooms = _rooms(redis_url, channel)
        rooms.max_rooms, rooms.too_many_rooms = options["limits"].rooms, too_many_rooms
        super().__init__(client_manager=rooms, **options)
        if number := worker_number():
            self.eio.generate_id = sids.marked(self.eio.generate_id, number)
        self._unhandled, self._unsendable = unhandled, unsendable

    def emit(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
    ) -> None:
        """Send an event like python-socketio, but without its log line, which asks the logger for each event."""
        options = {"room": to or room, "skip_sid": skip_sid, "callback": callback, "ignore_queue": ignore_queue}
        self.manager.emit(event, data, namespace or "/", **options)

    def _run_handler(self, packet: Packet, sid: str) -> Any:
        """Return the answer of an event's handler, or `unhandled`'s if there is no handler."""
        name = packet.data[0]
        if name == "*" or not isinstance(name, str):  # python-socketio would treat the arguments as a name and a sid
            answer = self.not_handled
        else:
            handler = self.handlers.get(packet.namespace, {}).get(name)
            if handler is not None:
                answer = handler(sid, *packet.data[1:])
            elif self._class_lacks(packet.namespace, name):
                answer = self.not_handled
            else:  # there may be a handler for several events or namespaces
                answer = self._trigger_event(name, packet.namespace, sid, *packet.data[1:])
        return self._unhandled(name) if answer is self.not_handled else answer

    def _class_lacks(self, namespace: str, name: str) -> bool:
        """Return whether only a class handles a namespace, and it lacks a method for this event."""
        handlers = self.namespace_handlers.get(namespace)
        if handlers is None or "*" in self.handlers.get(namespace, {}):
            return False
        return not hasattr(handlers, f"on_{name}")

    def _acknowledgement(self, packet: Packet, answer: Any) -> list[Outgoing]:
        """Return the packets of a handler's return value: no argument, one, or several (a tuple)."""
        arguments = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
        try:
            return packets.encode(packets.ACK, packet.namespace, arguments, packet.id)
        except (TypeError, ValueError, RecursionError) as error:
            return packets.encode(packets.ACK, packet.namespace, [self._unsendable(error)], packet.id)

    def _joined_already(self, eio_sid: str, namespace: str) -> bool:
        present = self.manager.sid_from_eio_sid(eio_sid, namespace)
        return present is not None and self.manager.is_connected(present, namespace)

    def _why_not(self, eio_sid: str, namespace: str) -> str:
        """Return why this connection cannot join a namespace now, or "" if it can."""
        known = namespace in self.handlers or namespace in self.namespace_handlers or namespace in self.namespaces
        limit = self.eio.limits.namespaces
        if not known and self.namespaces != "*":
            return "Invalid namespace"
        if self.manager.sid_from_eio_sid(eio_sid, namespace) is not None:
            return "Still disconnecting"
        if 0 < limit <= self.manager.count_namespaces(eio_sid):
            return "Too many namespaces"
        return ""

    def _ask_connect_handler(
        self, environ: dict[str, Any], namespace: str, sid: str, data: Any
    ) -> dict[str, Any] | None:
        """Return None if the application accepts the client, otherwise the error to send."""
        try:
            answer = self._trigger_event("connect", namespace, sid, environ, data or None)
        except exceptions.ConnectionRefusedError as refused:
            said: Any = refused.error_args
            return said if isinstance(said, dict) else {"message": "Connection rejected by server", "data": said}
        except ConnectionRefusedError:
            return {"message": "Connection refused by server"}
        except Exception:
            log.exception("A connect handler failed")
            answer = False
        return {"message": "Connection rejected by server"} if answer is False else None
