"""One call of a webhook: to a checked address, within a time limit, reading no more than the response's status."""

import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult

import certifi
from urllib3.util.ssltransport import SSLTransport

from chassis.base.service import current
from chassis.security.lookups import Lookups
from chassis.security.networks import PORTS, Place

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
MAX_HEAD_BYTES = 16_384
LOOKUPS_AT_ONCE = 8  # of owners whose name servers do not answer, in a process
_lookups = Lookups(LOOKUPS_AT_ONCE)


class CallFailed(Exception):
    """The call got no valid HTTP response; the text says how it failed."""


class Line:
    """A connection whose waits all end at one deadline, which a slow response or handshake cannot extend."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: Any) -> None:
        """Send all data."""
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def recv(self, size: int) -> bytes:
        """Return received data, at most `size` bytes."""
        self._sock.settimeout(self._left())
        return self._sock.recv(size)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def post(
    split: SplitResult,
    look_up: Callable[[SplitResult], list[Place]],
    headers: Mapping[str, str],
    body: bytes,
    seconds: float,
) -> int:
    """Return the status of a URL's response to a POST; redirects are not followed, and its body is not read.

    `look_up` returns the addresses to connect to. Raises CallFailed, or Refused when there are none. The look-up counts
    towards `seconds`.
    """
    deadline = time.monotonic() + seconds
    try:
        with _connected(_lookups.within(seconds, lambda: look_up(split)), deadline) as sock:
            line = Line(sock, deadline)
            stream: Any = SSLTransport(line, _context(), split.hostname) if split.scheme == "https" else line  # type: ignore[arg-type]
            stream.sendall(_head(split, headers, len(body)) + body)
            return _status(stream)
    except TimeoutError:
        raise CallFailed(f"no answer within {seconds:g} s") from None
    except ssl.SSLError as error:
        raise CallFailed(f"TLS failed ({error.reason or 'broken'})") from None
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else "broken"  # eventlet's own text is the number's name
        raise CallFailed(f"the connection failed ({words})") from None


def _connected(places: list[Place], deadline: float) -> socket.socket:
    """Return a connection to the first address that accepts one; raise the last one's error."""
    failure: OSError = TimeoutError()
    for family, place in places:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            sock.connect(place)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _head(split: SplitResult, headers: Mapping[str, str], length: int) -> bytes:
    port = split.port if split.port not in (None, PORTS[split.scheme]) else None
    name = f"[{split.hostname}]" if ":" in (split.hostname or "") else split.hostname
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    own = {
        "Host": f"{name}:{port}" if port else name,
        "User-Agent": f"{current().slug}-webhooks/1",
        "Content-Type": "application/json",
        "Content-Length": str(length),
        "Connection": "close",
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**own, **headers}.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _status(stream: Any) -> int:
    """Return the status of the final response, skipping informational ones (below 200)."""
    got = b""
    while len(got) < MAX_HEAD_BYTES:
        while b"\r\n\r\n" in got:
            found = STATUS.match(got)
            if found is None:
                raise CallFailed("the answer is not HTTP/1")
            if int(found[1]) >= 200:
                return int(found[1])
            got = got.partition(b"\r\n\r\n")[2]
        part = stream.recv(4096)
        if not part:
            raise CallFailed("the connection was closed without an answer")
        got += part
    raise CallFailed("the response headers are incomplete")


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
