"""One client's Engine.IO session: by long polling, by websocket, or during the upgrade from one to the other."""

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from chassis.server import frames, hub, packets
from chassis.server.caps import STRANGERS_BYTES
from chassis.server.packets import Outgoing
from chassis.server.pool import Lane

if TYPE_CHECKING:
    from chassis.server.engine import Engine
    from chassis.server.upgrade import Probe
    from chassis.server.websocket import WebSocket

log = logging.getLogger(__name__)


class Overlap(Exception):
    """The client sent two polls or two posts at the same time."""


class Connection:
    """The session object that engine.io calls a socket."""

    __slots__ = (
        *("_answer_by", "_awaited", "_engine", "_poll", "_queue", "_queued_bytes", "_websocket"),
        *("attachments", "beat", "begun", "closed", "connected", "greeted", "held", "lane", "posting", "probe"),
        *("received_bytes", "sent_away", "session", "sid", "upgrading"),
    )

    def __init__(self, engine: "Engine", sid: str) -> None:
        self._engine, self.sid = engine, sid
        self.lane = Lane(engine.pool, engine.limits.receive_messages)
        self.session: dict[str, Any] = {}
        self.connected, self.closed, self.upgrading, self.posting = True, False, False, False
        self.greeted = False  # whether it has ever joined a namespace
        self.sent_away: tuple[str, ...] = ()  # namespaces that the server disconnected; the client may not know yet
        self.held: dict[str, list[Outgoing]] | None = None  # events for namespaces whose connect handler still runs
        self.attachments: tuple[packets.Packet, list[bytes]] | None = None  # of a packet that is not yet complete
        self.begun = 0  # number of packets with attachments so far
        self.received_bytes = 0  # bytes waiting for their handlers
        self.probe: Probe | None = None  # the websocket to which the client is upgrading
        self.beat, self._awaited, self._answer_by = 0, False, 0.0
        self._websocket: WebSocket | None = None
        self._queue: deque[Outgoing] | None = None
        self._queued_bytes = 0
        self._poll: hub.Event | None = None

    @property
    def upgraded(self) -> bool:
        """Whether the client is on a websocket."""
        return self._websocket is not None

    def use(self, websocket: "WebSocket") -> None:
        """Continue on a websocket, and send the queued packets there."""
        self._websocket, self.upgrading = websocket, False
        for packet in self.take():
            websocket.send(packet.frame)
        self._wake(packets.NOOP)

    def send(self, packet: Any) -> None:
        """Send a packet at once or with the next poll; engine.io's own packets are accepted too."""
        if not isinstance(packet, Outgoing):
            packet = Outgoing(packet.encode())
        if self._websocket is not None:
            self._websocket.send(packet.frame)
        elif not self.closed:
            self._keep(packet)

    def _keep(self, packet: Outgoing) -> None:
        if self._queue is None:
            self._queue, self._queued_bytes = deque(), 0
        limits = self._engine.limits.buffer
        self._queue.append(packet)
        self._queued_bytes += len(packet.data)
        if 0 < limits.max_bytes < self._queued_bytes or 0 < limits.max_messages < len(self._queue):
            self._queue = None
            self.failed("send_buffer_full", f"{self._queued_bytes} bytes waited for a poll")
        elif self._poll is not None:
            self._wake()

    def take(self) -> list[Outgoing]:
        """Remove and return the queued packets."""
        waiting, self._queue, self._queued_bytes = list(self._queue or ()), None, 0
        return waiting

    def poll(self) -> list[Outgoing]:
        """Wait for packets; raise Overlap if another poll is already waiting."""
        if self._poll is not None:
            self.close(reason=self._engine.reason.TRANSPORT_ERROR)
            raise Overlap
        if self.upgrading:
            return [packets.NOOP]
        if self._queue is None:
            self._poll = hub.current().event()
            answer: Outgoing | None = self._poll.wait()
            return [*self.take(), answer] if answer else self.take()
        return self.take()

    def _wake(self, last: Outgoing | None = None) -> None:
        poll, self._poll = self._poll, None
        if poll is not None:
            poll.send(last)

    def begin_upgrade(self) -> None:
        """Answer the pending poll so that the client can upgrade."""
        self.upgrading = True
        self._wake(packets.NOOP)

    def received(self, payload: str | bytes) -> None:
        """Handle an Engine.IO packet: text with its type, or the bytes of an attachment."""
        if self.closed:
            return
        if len(payload) > STRANGERS_BYTES and not self.greeted:
            self.failed("message_too_big", f"{len(payload)} bytes before a namespace was joined", frames.TOO_BIG)
            return
        if isinstance(payload, bytes):
            self._engine.deliver(self, payload)
            return
        kind = payload[:1]
        if kind == "4":
            self._engine.deliver(self, payload[1:])
        elif kind == "3":
            self._pong()
        elif kind == "1":
            self._wake(packets.NOOP)
            self.close(abort=True, reason=self._engine.reason.CLIENT_DISCONNECT)
        elif kind not in ("5", "6"):
            self.failed("invalid_packet", "not an Engine.IO packet that a client sends")

    def ping(self, since: float) -> None:
        """Send a ping; the time to answer it runs from `since`, on the monotonic clock."""
        if not self.closed:
            self.beat, self._awaited = self.beat + 1, True
            self._answer_by = since + self._engine.ping_timeout
            self.send(packets.PING)
            self._engine.answers.add((self.sid, self.beat))

    def check_answer(self) -> None:
        """Close the connection if the time to answer a ping is over, even by a millisecond."""
        if self._awaited and time.monotonic() >= self._answer_by:
            self.check_beat(self.beat)

    def _pong(self) -> None:
        if self._awaited:
            self._awaited = False
            self._engine.pings.add(self.sid)

    def check_beat(self, beat: int) -> None:
        """Close the connection if the ping with this number was not answered."""
        if self._awaited and self.beat == beat:
            self._engine.report("ping_timeout", self.sid, "")
            self.close(reason=self._engine.reason.PING_TIMEOUT)

    def closed_by_client(self) -> None:
        """Close the session after the websocket reports that the connection has ended."""
        self.close(abort=True, reason=self._engine.reason.TRANSPORT_CLOSE)

    def failed(self, cause: str, detail: str, code: int = frames.PROTOCOL_ERROR) -> None:
        """Close the connection because of a client's error, which is counted and logged."""
        if not self.closed:
            self._engine.report(cause, self.sid, detail)
            self.close(reason=self._engine.reason.TRANSPORT_ERROR, code=code)

    def go_away(self) -> None:
        """End the session because this process is stopping; the client reconnects by itself."""
        self.close(code=frames.GOING_AWAY)

    def close(self, wait: bool = False, abort: bool = False, reason: str | None = None, code: int = 1000) -> None:
        """End the session: answer a waiting poll, close a websocket, and run the disconnect handlers."""
        if self.closed:
            return
        self.closed, self.attachments = True, None
        if self.probe is not None:
            self.probe.end()
        if self._websocket is not None:
            self._websocket.close(code)
        else:
            self._wake(None if abort else packets.CLOSE)
        self._engine.forget(self, reason or self._engine.reason.SERVER_DISCONNECT)
