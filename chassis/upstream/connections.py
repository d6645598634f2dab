"""Connections to an API, and the limits of each call on them: time, pauses, and whether its caller is still there."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import certifi

from chassis.base.concurrency import Turns
from chassis.security.lookups import Lookups
from chassis.security.networks import Network, Place, parsed
from chassis.upstream.places import resolved
from chassis.upstream.waiting import Check, stop_if

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.2  # between two looks whether the call was cancelled
LOOKUPS = 2  # that may hang at once, of each API
SENT_BYTES = 65_536  # at a time


class OutOfTime(TimeoutError):
    """The call has taken all its time; if its answer had begun, the reader may have been the slow one."""

    ill = False  # in the middle of an answer it says nothing about the API's health


class WireLimits:
    """How long one call may take, how long its answer may pause, and `cancelled()`, which may be replaced."""

    def __init__(self, seconds: float, idle_seconds: float, cancelled: Check) -> None:
        self._end, self._idle_seconds, self.cancelled = time.monotonic() + seconds, idle_seconds, cancelled
        self._begun, self._silent_until = False, self._end

    def begun(self) -> None:
        """From now on the answer must not pause for too long."""
        self._begun = True

    def wait(self) -> None:
        """Begin to wait for the API; what the reader of its answer took before does not count as a pause."""
        if self._begun:
            self._silent_until = time.monotonic() + self._idle_seconds
        self.check()

    def check(self) -> None:
        """Raise Cancelled or TimeoutError if the call should end."""
        stop_if(self.cancelled)
        now = time.monotonic()
        if now >= self._end:
            raise OutOfTime("it did not answer in time")
        if now >= self._silent_until:
            raise TimeoutError("it paused for too long")


class _Reader(io.RawIOBase):
    """Reads a socket in slices, with a look at the limits before each; `file` keeps it open until all is read."""

    def __init__(self, sock: socket.socket, file: io.BufferedIOBase, limits: WireLimits) -> None:
        self._sock, self._file, self._limits = sock, file, limits
        self._turns, self._full = Turns(), False
        sock.settimeout(LOOK_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._limits.wait()  # also when data is there: an API that drips would never let it time out
        if self._full:
            self._turns.give()  # one that sends without a pause would never let others run
        while True:
            try:
                size = self._sock.recv_into(buffer)
                self._full = size == len(buffer)
                return size
            except TimeoutError:
                self._limits.check()

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, limits: WireLimits, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_Reader(sock, self.fp, limits))


class Connection(http.client.HTTPConnection):
    """A connection to the permitted addresses of a host."""

    def __init__(self, host: str, port: int, secure: bool, networks: tuple[Network, ...], lookups: Lookups) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._secure, self._networks, self._lookups = secure, networks, lookups

    def connect(self) -> None:
        """Connect to the first address that accepts; the look-up, and each address, have 5 s."""
        failure: OSError = TimeoutError()
        for family, place in self._places():
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

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, limits: WireLimits
    ) -> http.client.HTTPResponse:
        """Send a request and return the response once its head is there; the connection is closed if that fails."""
        try:
            if self.sock is None:
                self.connect()
            self.sock.settimeout(CONNECT_SECONDS)
            self.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.putheader(name, value)
            self.endheaders()
            for at in range(0, len(body), SENT_BYTES):  # each of them may take as long as connecting
                limits.check()
                self.send(body[at : at + SENT_BYTES])
            self.response_class = partial(_Response, limits)  # type: ignore[assignment]
            return self.getresponse()
        except BaseException:
            self.close()
            raise

    def _places(self) -> list[Place]:
        def look_up() -> list[Place]:
            return resolved(self.host, self.port, self._networks)

        if parsed(self.host) is not None:
            return look_up()
        try:
            return self._lookups.within(CONNECT_SECONDS, look_up)
        except TimeoutError:
            raise TimeoutError("its name was not looked up in time") from None


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
