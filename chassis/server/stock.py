"""The stock Socket.IO server, for every ASYNC_MODE: python-engineio's sessions under this project's rules."""

from typing import Any

from engineio import packet as engine_packet

from chassis.base.concurrency import original
from chassis.server import packets
from chassis.server.events import EventServer
from chassis.server.incomplete import Incomplete
from chassis.server.packets import Outgoing, Packet
from chassis.server.stock_engine import StockEngine


class StockServer(EventServer):
    """Accepts the same packets as the fast transport; as in python-socketio, a client's events may run concurrently."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._incomplete = Incomplete(self.eio)
        self.eio.stuck = self._incomplete.stuck
        self._held: dict[tuple[str, str], list[Outgoing]] = {}  # while the connect handler runs
        self._queueing = original("threading", "Lock")()  # a real lock, since nothing inside it yields
        self._environ_of: dict[tuple[str, str], dict[str, Any]] = {}  # until the disconnect handler has run
        self._let_in: set[tuple[str, str]] = set()  # (namespace, sid): each is disconnected once
        self._leaving: set[str] = set()

    def _engineio_server_class(self) -> type[StockEngine]:
        return StockEngine

    def send_event(self, eio_sid: str, namespace: str, outgoing: list[Outgoing]) -> None:
        """Send an event; while the client's connect handler runs, hold it back so that the answer comes first."""
        with self._queueing:
            held = self._held.get((eio_sid, namespace))
            if held is not None:
                held += outgoing
                waiting = len(held)
        if held is None:
            self._send_all(eio_sid, outgoing)
        elif 0 < self.eio.limits.buffer.max_messages < waiting:
            detail = f"{waiting} messages waited for a connect handler"
            self.start_background_task(self.eio.end, eio_sid, "send_buffer_full", detail)

    def _send_all(self, eio_sid: str, outgoing: list[Outgoing]) -> None:
        with self._queueing:  # no other packet may come between a packet and its attachments
            for packet in outgoing:
                data = packet.data[1:] if isinstance(packet.data, str) else packet.data
                self._send_eio_packet(eio_sid, engine_packet.Packet(engine_packet.MESSAGE, data))

    def _send_eio_packet(self, eio_sid: str, eio_pkt: Any) -> None:
        """Queue a packet for a client if it is still connected.

        The library's own `send` would close a client whose ping is overdue, and run its disconnect handlers inside of
        the sender, which may hold a lock; here only the library's service task closes it.
        """
        connection = self.eio.sockets.get(eio_sid)
        if connection is not None and not connection.closed:
            connection.queue.put(eio_pkt)

    def get_environ(self, sid: str, namespace: str | None = None) -> dict[str, Any] | None:
        """Return the request that began a client's connection, until the client's disconnect handler has run."""
        return self._environ_of.get((namespace or "/", sid))

    def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self.eio.census.enter(eio_sid, environ)
        super()._handle_eio_connect(eio_sid, environ)

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self.eio.census.gone(eio_sid)
        self._leaving.add(eio_sid)
        self._incomplete.forget(eio_sid)
        for namespace in list(self.manager.get_namespaces()):
            self._handle_disconnect(eio_sid, namespace, reason)
        self.environ.pop(eio_sid, None)
        self.eio.sockets.pop(eio_sid, None)  # the library removes closed sessions only now and then
        self._leaving.discard(eio_sid)

    def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        if eio_sid not in self.environ or eio_sid in self._leaving:
            return
        try:
            packet = self._incomplete.complete(eio_sid, data)
        except ValueError as error:
            self.eio.end(eio_sid, "invalid_packet", str(error))
            return
        if packet is None:
            return
        if packet.kind == packets.CONNECT:
            self._handle_connect(eio_sid, packet.namespace, packet.data)
        elif packet.kind == packets.DISCONNECT:
            self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        elif packet.kind == packets.ACK:
            callback = self.manager.take_callback(eio_sid, packet.namespace, packet.id)
            if callback is not None:
                callback(*packet.data)
        else:
            self._begin_event(eio_sid, packet)

    def _begin_event(self, eio_sid: str, packet: Packet) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, packet.namespace)
        if sid is None or not self.manager.is_connected(sid, packet.namespace):
            return
        if self.async_handlers:
            self.start_background_task(self._process_event, eio_sid, packet, sid)
        else:
            self._process_event(eio_sid, packet, sid)

    def _process_event(self, eio_sid: str, packet: Packet, sid: str) -> None:
        answer = self._run_handler(packet, sid)
        if packet.id is not None and self.manager.is_connected(
            sid, packet.namespace
        ):  # the client may have been disconnected
            self._send_all(eio_sid, self._acknowledgement(packet, answer))

    def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        """Accept a client in a namespace, or tell it why it was refused."""
        environ = self.environ.get(eio_sid)
        if environ is None:
            return
        if self._joined_already(eio_sid, namespace):
            self.eio.end(eio_sid, "invalid_packet", "a second connect to a namespace")
            return
        reason = self._why_not(eio_sid, namespace)
        sid = None if reason else self.manager.pre_connect(eio_sid, namespace)
        if sid is None:
            refusal = {"message": reason or "Still connecting"}
            self._send_all(eio_sid, packets.encode(packets.CONNECT_ERROR, namespace, refusal))
            return
        self._environ_of[namespace, sid] = environ
        self._ask(eio_sid, namespace, sid, data)
        if eio_sid in self._leaving or eio_sid not in self.environ:  # it left while its connect handler ran
            self._handle_disconnect(eio_sid, namespace, self.reason.TRANSPORT_CLOSE)

    def _ask(self, eio_sid: str, namespace: str, sid: str, data: Any) -> None:
        self._held[eio_sid, namespace] = []
        refusal = self._ask_connect_handler(self._environ_of[namespace, sid], namespace, sid, data)
        if refusal is None:
            self._send_all(eio_sid, packets.encode(packets.CONNECT, namespace, {"sid": sid}))
            self.manager.connect(sid, namespace)
            self._send_held(eio_sid, namespace)
        else:
            self._send_all(eio_sid, packets.encode(packets.CONNECT_ERROR, namespace, refusal))
            self.manager.disconnect(sid, namespace, ignore_queue=True)
            del self._held[eio_sid, namespace], self._environ_of[namespace, sid]

    def _send_held(self, eio_sid: str, namespace: str) -> None:
        """Send what was held back, and what other threads add meanwhile."""
        waiting = True
        while waiting:
            with self._queueing:
                held = self._held.pop((eio_sid, namespace))
                waiting = bool(held)
                if waiting:
                    self._held[eio_sid, namespace] = []
            self._send_all(eio_sid, held)

    def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Run a handler; a disconnect handler runs once for each accepted client, even if several threads call this."""
        if event == "disconnect":
            return self._trigger_disconnect(namespace, *args)
        answer = super()._trigger_event(event, namespace, *args)
        if event == "connect" and answer is not False:
            self._let_in.add((namespace, args[0]))
        return answer

    def _trigger_disconnect(self, namespace: str, sid: str, reason: str) -> None:
        try:
            self._let_in.remove((namespace, sid))
        except KeyError:
            return
        try:
            super()._trigger_event("disconnect", namespace, sid, reason)
        finally:
            del self._environ_of[namespace, sid]
