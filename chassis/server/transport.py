"""The fast Socket.IO server: python-socketio's, on connections that use no green threads for reading and writing."""

from typing import Any

from chassis.server import frames, packets
from chassis.server.connection import Connection
from chassis.server.engine import Engine
from chassis.server.events import EventServer
from chassis.server.packets import Outgoing, Packet


class FastServer(EventServer):
    """Handles each client's packets in order, one at a time; acknowledgements bypass the queue."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.eio.deliver = self._deliver

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

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
        answer = self._run_handler(packet, sid)
        if packet.id is not None and self.manager.is_connected(
            sid, packet.namespace
        ):  # the client may have been disconnected
            for part in self._acknowledgement(packet, answer):
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
        refusal = self._ask_connect_handler(self.environ[eio_sid], namespace, sid, data)
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
        if self._joined_already(connection.sid, namespace):
            connection.failed("invalid_packet", "a second connect to a namespace")
            return None
        if reason := self._why_not(connection.sid, namespace):
            self._answer_connect(connection, packets.CONNECT_ERROR, namespace, {"message": reason})
            return None
        connection.sent_away = tuple(name for name in connection.sent_away if name != namespace)
        sid: str | None = self.manager.pre_connect(connection.sid, namespace)
        return sid

    def _answer_connect(self, connection: Connection, kind: int, namespace: str, data: dict[str, Any]) -> None:
        for packet in packets.encode(kind, namespace, data):
            connection.send(packet)
