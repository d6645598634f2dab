"""Connections to one of several APIs, to pass requests on: kept open, to permitted addresses only, cancellable."""

import http.client
import io
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any

import certifi

from chassis.security.networks import PORTS, Network
from chassis.server.gone import has_hung_up
from chassis.upstream.places import checked, resolved
from chassis.upstream.waiting import Check, stop_if

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.2  # between two looks whether the call was cancelled
PIECE_BYTES = 65_536
MAX_IDLE = 64  # connections
MAX_ANSWER_BYTES = 32_000_000
WIRE_ERRORS = (OSError, http.client.HTTPException)
CLOSED = (ConnectionError, http.client.RemoteDisconnected)  # how a connection looks that the API closed meanwhile


class TooLarge(http.client.HTTPException):
    """The answer is larger than MAX_ANSWER_BYTES."""


class WireLimits:
    """How long one call may take, how long its answer may pause, and `cancelled()`, which may be replaced."""

    def __init__(self, seconds: float, idle_seconds: float, cancelled: Check) -> None:
        self._end, self._idle_seconds, self.cancelled = time.monotonic() + seconds, idle_seconds, cancelled
        self._silent_until = self._end

    def begun(self) -> None:
        """From now on the answer must not pause for too long."""
        self._silent_until = time.monotonic() + self._idle_seconds

    def check(self) -> None:
        """Raise Cancelled or TimeoutError if the call should end."""
        stop_if(self.cancelled)
        if time.monotonic() >= min(self._end, self._silent_until):
            raise TimeoutError("it did not answer in time")


class _Reader(io.RawIOBase):
    """Reads a socket in slices, with a look at the limits after each; `file` keeps it open until the answer is read."""

    def __init__(self, sock: socket.socket, file: io.BufferedIOBase, limits: WireLimits) -> None:
        self._sock, self._file, self._limits = sock, file, limits
        sock.settimeout(LOOK_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                self._limits.check()

    def close(self) -> None:
        self._file.close()
        super().close()


class _Connection(http.client.HTTPConnection):
    """A connection to the permitted addresses of a host."""

    def __init__(self, host: str, port: int, secure: bool, networks: tuple[Network, ...]) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._secure, self._networks = secure, networks

    def connect(self) -> None:
        failure: OSError = TimeoutError()
        for family, place in resolved(self.host, self.port, self._networks):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(CONNECT_SECONDS)
                sock.connect(place)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock = _context().wrap_socket(sock, server_hostname=self.host) if self._secure else sock
                return
            except OSError as error:
                sock.close()
                failure = error
        raise failure


class WireAnswer:
    """A backend's answer whose head is there; `close` it, or read it to its end."""

    def __init__(
        self, wire: "Wire", connection: _Connection, response: http.client.HTTPResponse, limits: WireLimits
    ) -> None:
        self._wire, self._connection, self._response, self._limits = wire, connection, response, limits
        self.status, self.headers = response.status, response.headers

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes; raise one of WIRE_ERRORS, or Cancelled."""
        while piece := self._response.read1(PIECE_BYTES):
            self._limits.begun()
            yield piece
        if self._response.length:
            raise http.client.IncompleteRead(b"")
        self._response.close()  # not every version does so at the end of the body
        self._wire.keep(self._connection, self._response)

    def read(self) -> bytes:
        """Return the whole body; raise one of WIRE_ERRORS, or Cancelled."""
        found, size = [], 0
        for piece in self.pieces():
            found.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise TooLarge("its answer is too large")
        return b"".join(found)

    def close(self) -> None:
        """End the call; the API notices."""
        if not self._response.isclosed():
            self._response.close()
            self._connection.close()


class Wire:
    """The connections to one base URL, with the key that is sent to it alone."""

    def __init__(self, base_url: str, key: str, networks: tuple[Network, ...]) -> None:
        split = checked(base_url)
        self._host, self._secure = split.hostname or "", split.scheme == "https"
        self._port, self._path = split.port or PORTS[split.scheme], split.path.rstrip("/")
        self._own = {"Host": split.netloc} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._networks = networks
        self._idle: deque[_Connection] = deque(maxlen=MAX_IDLE)

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes, limits: WireLimits) -> WireAnswer:
        """Send a request and return the answer once its head is there; redirects are not followed.

        Raises one of WIRE_ERRORS, or Cancelled. A kept connection that the API has closed is replaced once.
        """
        if (kept := self._kept()) is not None:
            with suppress(*CLOSED):
                return self._on(kept, method, path, headers, body, limits)
        fresh = _Connection(self._host, self._port, self._secure, self._networks)
        return self._on(fresh, method, path, headers, body, limits)

    def keep(self, connection: _Connection, response: http.client.HTTPResponse) -> None:
        """Keep a connection whose answer has been read, unless the API closes it."""
        if response.will_close or connection.sock is None or len(self._idle) >= MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not has_hung_up(connection.sock):
                return connection
            connection.close()
        return None

    def _on(
        self,
        connection: _Connection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        limits: WireLimits,
    ) -> WireAnswer:
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(CONNECT_SECONDS)
            connection.putrequest(method, self._path + path, skip_host=True, skip_accept_encoding=True)
            for name, value in {**headers, **self._own, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders()
            for at in range(0, len(body), PIECE_BYTES):  # each of them may take as long as connecting
                limits.check()
                connection.send(body[at : at + PIECE_BYTES])
            connection.response_class = partial(_Response, limits)  # type: ignore[assignment]
            return WireAnswer(self, connection, connection.getresponse(), limits)
        except BaseException:
            connection.close()
            raise


class _Response(http.client.HTTPResponse):
    def __init__(self, limits: WireLimits, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_Reader(sock, self.fp, limits))


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
