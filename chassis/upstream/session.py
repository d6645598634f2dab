"""A requests.Session whose calls end in time: at their deadline, or soon after they are cancelled.

The read timeout of requests restarts with every byte, so a trickling answer never ends; and a plain read cannot be
cancelled at all. Here the socket's timeout is a short slice, and after each slice the reader checks whether to
continue.
"""

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from chassis.upstream.replies import TooLarge
from chassis.upstream.waiting import POLL_SECONDS, Check, stop_if

OVERHEAD_BYTES = 500_000  # of an answer: its head, and chunk framing
_current = threading.local()


class Patience:
    """The limits of one call: its remaining time and bytes, and whether its caller has cancelled it."""

    def __init__(self, seconds: float, cancelled: Check, most_bytes: int, most_seconds: float | None = None) -> None:
        self._cancelled = cancelled
        self._left_bytes = 2 * most_bytes + OVERHEAD_BYTES
        self._end = time.monotonic() + (seconds if most_seconds is None else most_seconds)
        self._most_seconds = most_seconds
        self.allow(seconds, f"The outside API did not answer within {seconds:g} seconds.")

    def allow(self, seconds: float, complaint: str) -> None:
        """Let the call go on for some seconds from now, within its maximum; later `complaint` says what went wrong."""
        self._deadline, self.complaint = time.monotonic() + seconds, complaint
        if self._most_seconds is not None and self._end < self._deadline:
            self._deadline = self._end
            self.complaint = f"The answer of the outside API took longer than {self._most_seconds:g} seconds."

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._deadline

    def check(self) -> None:
        """Raise Cancelled or TimeoutError if the call should end."""
        stop_if(self._cancelled)
        if self.over:
            raise TimeoutError("timed out")

    def received(self, count: int) -> None:
        """Raise TooLarge if more bytes were received than any answer within its limit needs, compressed or not."""
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise TooLarge


@contextmanager
def limited(limits: Patience) -> Iterator[None]:
    """Apply the limits to the answers whose heads this thread receives in the block, until their ends."""
    _current.patience = limits
    try:
        yield
    finally:
        del _current.patience


class _Reader(io.RawIOBase):
    """Reads the socket in slices; `file` keeps the socket open until the answer is read."""

    def __init__(self, sock: socket.socket, file: io.BufferedIOBase, limits: Patience) -> None:
        self._sock, self._file, self._limits = sock, file, limits
        sock.settimeout(POLL_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._limits.check()
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self._limits.received(count)
            return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        limits = getattr(_current, "patience", None)
        if limits is not None:
            self.fp = io.BufferedReader(_Reader(sock, self.fp, limits))


class _HTTPConnection(HTTPConnection):
    response_class = _Response


class _HTTPSConnection(HTTPSConnection):
    response_class = _Response


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager


class Bearer(AuthBase):
    """Sends the key, if there is one; as an auth object it also keeps ~/.netrc from replacing the key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def new_session(connections: int) -> requests.Session:
    """Return a session with a pool of that many connections; without cookies, so that threads can share it."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=1, pool_maxsize=connections)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def environment(session: requests.Session, url: str) -> Mapping[str, Any]:
    """Return the options of `session.send` that the process' variables decide for a host: proxies, certificates."""
    try:
        return session.merge_environment_settings(url, {}, True, None, None)
    except ValueError:  # not a URL, which the first call says
        return {}
