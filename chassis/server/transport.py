"""The fast Socket.IO server: python-socketio's, on connections that use no green threads for reading and writing."""

import logging
from collections.abc import Callable
from typing import Any

import socketio
from socketio import exceptions

from chassis.server import frames, packets
from chassis.server.connection import Connection
from chassis.server.engine import Engine
from chassis.server.manager import RedisRooms, Rooms
from chassis.server.packets import Outgoing, Packet

log = logging.getLogger(__name__)


class FastServer(socketio.Server):  # type: ignore[misc]
    """Handles each client's packets in order, one at a time; acknowledgements bypass the queue.

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
        rooms = RedisRooms(redis_url, channel=channel) if redis_url else Rooms()
        rooms.max_rooms, rooms.too_many_rooms = options["limits"].rooms, too_many_rooms
        super().__init__(client_manager=rooms, **options)
        self.eio.deliver = self._deliver
        self._unhandled, self._unsendable = unhandled, unsendable

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

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

    def send_event(self, eio_sid: str, namespace: str, outgoing: list[Outgoing]) -> None:
        """Send an event; while the client's connect handler runs, hold it back so that the answer comes first."""
        connection: Connection | None = self.eio.sockets.get(eio_sid)
        if connection is None:
            return
        if connection.held is not None and namespace in connection.held:
            held, limit = connection.held[namespace], self.eio.limits.buffer.max_messages
            held += outgoing
            if 0 < limit < len(held):
                connection.failed("send_buffer_full", f"{len(held)} messages waited for a connect handler")
            return
        for packet in outgoing:
            connection.send(packet)

    def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        """Send python-socketio's own packets: acknowledgements and disconnects."""
        connection, namespace = self.eio.sockets.get(eio_sid), pkt.namespace or "/"
        if connection is None:
            return
        if pkt.packet_type == packets.DISCONNECT and namespace not in connection.sent_away:
            connection.sent_away += (namespace,)
        for packet in packets.encode(packets.plain(pkt.packet_type), namespace, pkt.data, pkt.id):
            connection.send(packet)

    def _deliver(self, connection: Connection, data: str | bytes) -> None:
        """Process a message from the wire; called by the hub, so nothing here waits."""
        if connection.attachments is None and isinstance(data, bytes):
            connection.failed("invalid_packet", "bytes that belong to no packet", frames.UNSUPPORTED)
            return
        try:
            packet, size = self._complete(connection, data)
        except ValueError as error:
            connection.failed("invalid_packet", str(error))
            return
        if packet is None:
            return
        if packet.kind == packets.ACK and connection.greeted:
            callback = self.manager.take_callback(connection.sid, packet.namespace, packet.id)
            if callback is not None:
                self.eio.pool.run(callback, *packet.data)
            return
        limits = self.eio.limits
        full = 0 < limits.receive_bytes < connection.received_bytes + size
        connection.received_bytes += size
        if full or not connection.lane.put(self._process, connection, packet, size):
            detail = f"{connection.received_bytes} bytes waited for their handlers"
            connection.failed("receive_queue_full", detail, frames.POLICY)

    def _complete(self, connection: Connection, data: Any) -> tuple[Packet | None, int]:
        """Return the packet that this message completes, or None, and the size of its text or attachments."""
        if connection.attachments is None:
            packet = packets.decode(data)
            if not packet.attachments:
                return packets.join(packet, []) if packet.kind >= packets.BINARY_EVENT else packet, len(data)
            connection.attachments, connection.begun = (packet, []), connection.begun + 1
            self.eio.attachments.add((connection.sid, connection.begun))
            return None, 0
        packet, attachments = connection.attachments
        if isinstance(data, str):
            raise ValueError("an attachment is missing")
        attachments.append(data)
        size = sum(map(len, attachments))
        if size > self.eio.max_http_buffer_size:
            raise ValueError("the attachments are larger than a message may be")
        if len(attachments) < packet.attachments:
            return None, 0
        connection.attachments = None
        return packets.join(packet, attachments), size

    def _process(self, connection: Connection, packet: Packet, size: int) -> None:
        connection.received_bytes -= size
        if packet.kind == packets.CONNECT:
            if not connection.closed:
                self._handle_connect(connection.sid, packet.namespace, packet.data)
            return
        sid = self.manager.sid_from_eio_sid(connection.sid, packet.namespace)
        if sid is None:
            if packet.namespace not in connection.sent_away:
                connection.failed("invalid_packet", "a packet for a namespace that was not joined")
        elif packet.kind == packets.EVENT:
            if self.manager.is_connected(sid, packet.namespace):
                self._process_event(connection, packet, sid)
        elif not connection.closed:
            self._handle_disconnect(connection.sid, packet.namespace, self.reason.CLIENT_DISCONNECT)

    def _process_event(self, connection: Connection, packet: Packet, sid: str) -> None:
        name = packet.data[0]
        if name == "*" or not isinstance(name, str):  # python-socketio would treat the arguments as a name and a sid
            answer = self.not_handled
        else:
            handler = self.handlers.get(packet.namespace, {}).get(name)
            if handler is not None:
                answer = handler(sid, *packet.data[1:])
            else:  # there may be a handler for several events or namespaces
                answer = self._trigger_event(name, packet.namespace, sid, *packet.data[1:])
        if answer is self.not_handled:
            answer = self._unhandled(name)
        if packet.id is not None:
            self._acknowledge(connection, packet, answer)

    def _acknowledge(self, connection: Connection, packet: Packet, answer: Any) -> None:
        """Send the handler's return value: no argument, one, or several (a tuple)."""
        arguments = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
        try:
            parts = packets.encode(packets.ACK, packet.namespace, arguments, packet.id)
        except (TypeError, ValueError, RecursionError) as error:
            parts = packets.encode(packets.ACK, packet.namespace, [self._unsendable(error)], packet.id)
        for part in parts:
            connection.send(part)

    def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        """Accept a client in a namespace, or tell it why it was refused."""
        connection = self.eio.sockets.get(eio_sid)
        if connection is None:
            return
        sid = self._register(connection, namespace)
        if sid is None:
            return
        connection.held = (connection.held or {}) | {namespace: []}
        refusal = self._ask_connect_handler(eio_sid, namespace, sid, data)
        held = connection.held.pop(namespace)
        if refusal is None:
            connection.greeted = True
            self._answer_connect(connection, packets.CONNECT, namespace, {"sid": sid})
            self.manager.connect(sid, namespace)
            for packet in held:
                connection.send(packet)
        else:
            self._answer_connect(connection, packets.CONNECT_ERROR, namespace, refusal)
            self.manager.disconnect(sid, namespace, ignore_queue=True)

    def _register(self, connection: Connection, namespace: str) -> str | None:
        known = namespace in self.handlers or namespace in self.namespace_handlers or namespace in self.namespaces
        limit = self.eio.limits.namespaces
        present = self.manager.sid_from_eio_sid(connection.sid, namespace)
        if present is not None and self.manager.is_connected(present, namespace):
            connection.failed("invalid_packet", "a second connect to a namespace")
            return None
        if not known and self.namespaces != "*":
            reason = "Invalid namespace"
        elif present is not None:
            reason = "Still disconnecting"
        elif 0 < limit <= self.manager.count_namespaces(connection.sid):
            reason = "Too many namespaces"
        else:
            connection.sent_away = tuple(name for name in connection.sent_away if name != namespace)
            sid: str | None = self.manager.pre_connect(connection.sid, namespace)
            return sid
        self._answer_connect(connection, packets.CONNECT_ERROR, namespace, {"message": reason})
        return None

    def _ask_connect_handler(self, eio_sid: str, namespace: str, sid: str, data: Any) -> dict[str, Any] | None:
        """Return None if the application accepts the client, otherwise the error to send."""
        environ = self.environ[eio_sid]
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

    def _answer_connect(self, connection: Connection, kind: int, namespace: str, data: dict[str, Any]) -> None:
        for packet in packets.encode(kind, namespace, data):
            connection.send(packet)
