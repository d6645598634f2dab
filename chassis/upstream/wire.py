"""Passes requests on to one of several APIs: kept connections, to permitted addresses only, cancellable."""

import http.client
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress

from chassis.security.lookups import Lookups
from chassis.security.networks import PORTS, Network
from chassis.server.gone import is_idle
from chassis.upstream.connections import LOOKUPS, Connection, WireLimits
from chassis.upstream.places import checked

MAX_IDLE = 64  # connections
PIECE_BYTES = 8_192  # of an answer, after which others may run
MAX_ANSWER_BYTES = 32_000_000
WIRE_ERRORS = (OSError, http.client.HTTPException)
CLOSED = (ConnectionError, http.client.RemoteDisconnected)  # how a connection looks that the API closed meanwhile


class TooLarge(http.client.HTTPException):
    """The answer is larger than the limit."""


class WireAnswer:
    """A backend's answer whose head is there; `close` it, or read it to its end."""

    def __init__(
        self, wire: "Wire", connection: Connection, response: http.client.HTTPResponse, limits: WireLimits
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

    def read(self, most: int = MAX_ANSWER_BYTES) -> bytes:
        """Return the whole body, at most that many bytes; raise one of WIRE_ERRORS, or Cancelled."""
        found, size = [], 0
        for piece in self.pieces():
            found.append(piece)
            size += len(piece)
            if size > most:
                self.close()
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
        self._networks, self._lookups = networks, Lookups(LOOKUPS)
        self._idle: deque[Connection] = deque(maxlen=MAX_IDLE)

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes, limits: WireLimits) -> WireAnswer:
        """Send a request and return the answer once its head is there; redirects are not followed.

        Raises one of WIRE_ERRORS, or Cancelled. A kept connection that the API has closed is replaced once.
        """

        def on(connection: Connection) -> WireAnswer:
            response = connection.exchange(method, self._path + path, {**headers, **self._own}, body, limits)
            return WireAnswer(self, connection, response, limits)

        if (kept := self._kept()) is not None:
            with suppress(*CLOSED):
                return on(kept)
        return on(Connection(self._host, self._port, self._secure, self._networks, self._lookups))

    def keep(self, connection: Connection, response: http.client.HTTPResponse) -> None:
        """Keep a connection whose answer has been read, unless the API closes it."""
        if response.will_close or connection.sock is None or len(self._idle) >= MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if is_idle(connection.sock):
                return connection
            connection.close()
        return None
