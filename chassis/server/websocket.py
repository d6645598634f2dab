"""An open websocket: read when the hub reports data, written at once, or by the hub if the client is slow."""

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

from chassis.server import frames
from chassis.server.caps import Buffer
from chassis.server.frame_reader import FrameReader
from chassis.server.socket_writer import CLOSED, OPEN, Owner, SocketWriter

log = logging.getLogger(__name__)
READ_BYTES = 65_536
HANDLED_TOGETHER = 32  # messages before others get a turn


class WebSocket(SocketWriter):
    """Owns a connected socket; needs no green thread."""

    count: ClassVar[int] = 0  # open websockets, including those that are closing
    __slots__ = ("_listener", "_reader", "_unhandled")

    def __init__(self, sock: Any, owner: Owner, buffer: Buffer, max_message_bytes: int) -> None:
        super().__init__(sock, owner, buffer)
        self._reader = FrameReader(max_message_bytes)
        self._unhandled: Iterator[frames.Message] | None = None  # the rest of the messages, while others get a turn
        self._listener: Any = None
        WebSocket.count += 1

    def start(self, received: bytes = b"") -> None:
        """Start reading; `received` are the bytes that followed the handshake."""
        # in the hub, because a listener keeps a reference to the green thread that adds it
        self._hub.soon(self._listen, received)

    def belong_to(self, owner: Owner) -> None:
        """Change the owner."""
        self._owner = owner

    def _release(self) -> None:
        WebSocket.count -= 1
        self._unhandled = None
        self._reader.forget()
        if self._listener is not None:
            self._hub.stop(self._listener)
            self._listener = None

    def _listen(self, received: bytes) -> None:
        if self._state is not CLOSED:
            self._listener = self._hub.reading(self._sock.fileno(), self._readable, self._descriptor_lost)
        if received:
            self._take(self._reader.feed(received))

    def _readable(self, _descriptor: int) -> None:
        if self._unhandled is not None:
            return
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
        else:
            self._take(self._reader.feed(data))

    def _go_on(self) -> None:
        messages, self._unhandled = self._unhandled, None
        if messages is not None:
            self._take(messages)

    def _take(self, messages: Iterator[frames.Message]) -> None:
        if self._state is not OPEN:
            return
        handled = 0
        try:
            for opcode, payload in messages:
                if opcode <= frames.BINARY:
                    self._owner.received(payload)  # type: ignore[arg-type]
                else:
                    self._control(opcode, payload)
                if self._state is not OPEN:
                    return
                handled += 1
                if handled == HANDLED_TOGETHER:
                    self._unhandled = messages
                    self._hub.later(0, self._go_on)
                    return
        except frames.ProtocolError as error:
            self.close(error.code, error.reason)
            self._owner.failed("message_too_big" if error.code == frames.TOO_BIG else "protocol_error", error.reason)
        except Exception:
            log.exception("A websocket's message could not be handled")
            self.close(frames.INTERNAL_ERROR)
            self._owner.failed("internal_error", "")

    def _control(self, opcode: int, payload: Any) -> None:
        if opcode == frames.PING:
            self.send(frames.frame(frames.PONG, payload))
        elif opcode == frames.CLOSE:
            self.close(payload.code)
            self._owner.closed_by_client()
