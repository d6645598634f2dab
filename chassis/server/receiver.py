"""Reads requests with timeouts, and discards unread input."""

import contextlib
import socket
import time
from typing import Any

from gunicorn.http.errors import NoMoreData
from werkzeug.exceptions import RequestTimeout

from chassis.server import hub

BODY_BYTES_PER_SECOND = 500  # the rate of Apache's mod_reqtimeout; a body that arrives faster can take any time
IGNORED_BYTES = 65_536  # unread part of a body that is still read; above it the connection is closed
LINGER_SECONDS = 5.0  # nginx's lingering_timeout
LINGER_BYTES = 50_000_000
_refuse = memoryview(bytearray(262_144))  # shared by all connections; its content is never read


class Receiver:
    """Reads a connection; only the time during which the server waits for the client counts.

    A head can take `head_seconds` from its first byte on. A body has a budget of `body_seconds`, which received bytes
    refill: a client can pause for that long and send slowly, but not trickle. 0 means no limit.
    """

    def __init__(
        self, connection: Any, head_seconds: float, body_seconds: float, keepalive: float, idle: set[Any]
    ) -> None:
        self.connection, self._keepalive, self._waiting = connection, keepalive, idle
        self._raw = hub.current().raw(connection)
        connection.settimeout(None)  # socket.setdefaulttimeout must not apply: a client can be slow to read an answer
        self._head_seconds, self._body_seconds = head_seconds or None, body_seconds or None
        self._seconds, self._idle, self._body = self._head_seconds, True, False
        self._lingers, self._slow = False, False
        self._unreader: Any = None

    def __enter__(self) -> None:
        """Wait for a request: `head_seconds` for the first one, `keepalive` seconds for each later one."""
        self._waiting.add(self.connection)
        if self._body:
            self._idle, self._body = not self._unreader.buf.getbuffer().nbytes, False
            self._seconds = (self._keepalive or None) if self._idle else self._head_seconds

    def __exit__(self, *_raised: object) -> None:
        self._waiting.discard(self.connection)

    def expect_body(self, unreader: Any) -> None:
        """Read a body from now on; gunicorn's buffer holds the bytes that followed the head."""
        self._seconds, self._idle, self._body = self._body_seconds, False, True
        self._unreader = unreader

    def recv(self, size: int) -> bytes:
        """Return received bytes; raise RequestTimeout if it takes too long, NoMoreData if a body ends too early."""
        data: bytes
        try:
            data = self._raw.recv(size)
        except BlockingIOError:
            data = self._wait(size)
        if self._body:
            if not data:
                raise NoMoreData()
            if self._seconds is not None and self._body_seconds is not None:
                self._seconds = min(self._body_seconds, self._seconds + len(data) / BODY_BYTES_PER_SECOND)
        elif self._idle:
            self._seconds, self._idle = self._head_seconds, False
        return data

    def _wait(self, size: int) -> Any:
        if self._seconds is None:
            return self._receive(size)
        if self._seconds == 0:
            raise BlockingIOError
        began = time.monotonic()
        try:
            if self._seconds < 0:
                raise TimeoutError
            return self._receive(size)
        except TimeoutError:
            self._slow = True
            raise (NoMoreData() if self._idle else RequestTimeout()) from None
        finally:
            self._seconds -= time.monotonic() - began

    def _receive(self, size: int) -> Any:
        """Return the next bytes; a green socket would first check again whether there are any."""
        while True:
            hub.current().wait_readable(self.connection, self._seconds)
            with contextlib.suppress(BlockingIOError):
                return self._raw.recv(size)

    def finishes(self, body: Any) -> bool:
        """Return whether a body was read to its end; reads a small unread rest if it has already arrived."""
        if getattr(body.reader, "length", 1) == 0 or getattr(body.reader, "parser", self) is None:
            return True
        if body.failed or getattr(body.reader, "length", 0) > IGNORED_BYTES:
            return False
        self._seconds = 0.0
        try:
            return len(body.read(IGNORED_BYTES + 1)) <= IGNORED_BYTES
        except Exception:
            return False

    def linger(self) -> None:
        """Delay the closing so that the answer reaches a client that is still sending, unless it was too slow."""
        self._lingers = not self._slow

    def end(self) -> None:
        """Close the connection.

        A client that is still sending would be reset, and could lose the answer (RFC 9112, 9.6). So its data is read
        and discarded for a while.
        """
        with contextlib.suppress(OSError):
            if self._lingers:
                self._discard()
        self.connection.close()

    def _discard(self) -> None:
        self.connection.shutdown(socket.SHUT_WR)
        deadline, discarded = time.monotonic() + LINGER_SECONDS, 0
        while discarded < LINGER_BYTES and (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(left)
            if not (size := self.connection.recv_into(_refuse)):
                return
            discarded += size
            hub.current().sleep(0)

    def gettimeout(self) -> None:
        """Return None: the times above apply instead of the socket's own."""

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing, for the same reason; gunicorn calls both before each request."""

    def close(self) -> None:
        """Do nothing: `end` closes the connection, since gunicorn does not know what is still to be read."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)
