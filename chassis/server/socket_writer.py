"""The sending half of a websocket: frames are written at once, or by the hub if the client is slow."""

import contextlib
import socket
from collections import deque
from typing import Any, Protocol

from chassis.server import frames, hub
from chassis.server.caps import Buffer

WRITTEN_TOGETHER = 64
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


class SocketWriter:
    """Writes to a connected socket; what the client does not read is queued, up to the limits."""

    __slots__ = ("_buffer", "_hub", "_owner", "_sock", "_state", "_waiting", "_waiting_bytes", "_writer")

    def __init__(self, sock: Any, owner: Owner, buffer: Buffer) -> None:
        self._sock, self._owner, self._buffer = sock, owner, buffer
        self._hub = hub.current()
        self._state = OPEN
        self._waiting: deque[Any] | None = None  # set only while the client is slow
        self._waiting_bytes = 0
        self._writer: Any = None

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
        self._waiting = None
        self._stop_writer()
        self._release()
        self._sock.close()

    def _release(self) -> None:
        raise NotImplementedError

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

    def _stop_writer(self) -> None:
        if self._writer is not None:
            self._hub.stop(self._writer)
            self._writer = None

    def _descriptor_lost(self, *_reason: Any) -> None:
        self._lost()

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
