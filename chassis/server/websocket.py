"""An open websocket: read when the hub reports data, written at once, or by the hub if the client is slow."""

import contextlib
import logging
import socket
from collections import deque
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

from chassis.server import frames, hub
from chassis.server.caps import Buffer

log = logging.getLogger(__name__)
READ_BYTES = 65_536
WRITTEN_TOGETHER = 64
HANDLED_TOGETHER = 32  # messages before others get a turn
CLOSING_SECONDS = 1.0
OPEN, CLOSING, CLOSED = "open", "closing", "closed"


class Owner(Protocol):
    """Receives a websocket's events; called by the hub, so it must not wait."""

    def received(self, payload: str | bytes) -> None:
        """Handle a message."""

    def closed_by_client(self) -> None:
        """Handle the end of the connection."""

    def failed(self, cause: str, detail: str) -> None:
        """Handle an error for which the connection is being closed."""


class WebSocket:
    """Owns a connected socket; needs no green thread."""

    count: ClassVar[int] = 0  # open websockets, including those that are closing
    __slots__ = (
        *("_buffer", "_hub", "_listener", "_owner", "_reader", "_sock", "_state", "_unhandled", "_waiting"),
        *("_waiting_bytes", "_writer"),
    )

    def __init__(self, sock: Any, owner: Owner, buffer: Buffer, max_message_bytes: int) -> None:
        self._sock, self._owner, self._buffer = sock, owner, buffer
        self._reader = frames.FrameReader(max_message_bytes)
        self._hub = hub.current()
        self._state = OPEN
        self._unhandled: Iterator[frames.Message] | None = None  # the rest of the messages, while others get a turn
        self._waiting: deque[Any] | None = None  # set only while the client is slow
        self._waiting_bytes = 0
        self._listener: Any = None
        self._writer: Any = None
        WebSocket.count += 1

    def start(self, received: bytes = b"") -> None:
        """Start reading; `received` are the bytes that followed the handshake."""
        # in the hub, because a listener keeps a reference to the green thread that adds it
        self._hub.soon(self._listen, received)

    def belong_to(self, owner: Owner) -> None:
        """Change the owner."""
        self._owner = owner

    def send(self, data: bytes) -> None:
        """Write complete frames; what the client does not read now is queued, up to the limits."""
        if self._state is OPEN:
            self._write(data)

    def close(self, code: int = frames.NORMAL, reason: str = "") -> None:
        """Send a close frame, then end the connection; the client has a second to read it."""
        if self._state is not OPEN:
            return
        self._state = CLOSING  # before writing: the caller of close() tells the owner why, even if writing fails
        self._write(frames.close_frame(code, reason))
        if self._state is CLOSING:
            self._hub.later(CLOSING_SECONDS, self.cut)
            self._end_writing()

    def cut(self) -> None:
        """Close the connection now, and discard all queued data."""
        if self._state is CLOSED:
            return
        self._state = CLOSED
        WebSocket.count -= 1
        self._waiting = self._unhandled = None
        self._reader.forget()
        self._stop_writer()
        if self._listener is not None:
            self._hub.stop(self._listener)
            self._listener = None
        self._sock.close()

    def _write(self, data: bytes) -> None:
        if self._waiting:
            self._wait(data)
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lost()
            return
        if sent < len(data):
            self._wait(memoryview(data)[sent:])

    def _listen(self, received: bytes) -> None:
        if self._state is not CLOSED:
            self._listener = self._hub.reading(self._sock.fileno(), self._readable, self._descriptor_lost)
        if received:
            self._take(self._reader.feed(received))

    def _stop_writer(self) -> None:
        if self._writer is not None:
            self._hub.stop(self._writer)
            self._writer = None

    def _descriptor_lost(self, *_reason: Any) -> None:
        self._lost()

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

    def _lost(self) -> None:
        told = self._state is not OPEN
        self.cut()
        if not told:
            self._owner.closed_by_client()

    def _wait(self, data: Any) -> None:
        if not self._waiting:
            self._waiting = deque()
            self._writer = self._hub.writing(self._sock.fileno(), self._writable, self._descriptor_lost)
        limits, size = self._buffer, self._waiting_bytes + len(data)
        if 0 < limits.max_bytes < size or 0 < limits.max_messages <= len(self._waiting):
            detail = f"{size} bytes in {len(self._waiting) + 1} messages waited"
            told = self._state is not OPEN
            self.cut()
            if not told:
                self._owner.failed("send_buffer_full", detail)
            return
        self._waiting.append(data)
        self._waiting_bytes = size

    def _writable(self, _descriptor: int) -> None:
        if self._waiting is None:
            return  # closed meanwhile, in the same round of the hub
        try:
            sent = self._sock.sendmsg([self._waiting[i] for i in range(min(WRITTEN_TOGETHER, len(self._waiting)))])
        except BlockingIOError:
            return
        except OSError:
            self._lost()
            return
        self._waiting_bytes -= sent
        while sent:
            first = self._waiting.popleft()
            if sent < len(first):
                self._waiting.appendleft(memoryview(first)[sent:])
                break
            sent -= len(first)
        if not self._waiting:
            self._waiting = None
            self._stop_writer()
            self._end_writing()

    def _end_writing(self) -> None:
        """Shut down our half once all is written; closing with unread bytes would reset the client's connection."""
        if self._state is CLOSING and not self._waiting:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
