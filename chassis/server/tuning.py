"""What makes a worker cheaper to run without changing what it does."""

import gc
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.message import HeaderPolicy

TURN_SECONDS = 0.002
SAME_HEADERS = 256  # far more than an application's answers have in common
OLD_THRESHOLD = 50  # a search through all that 10,000 clients hold stops everything for a quarter of a second


def settle(cfg: Any) -> None:
    """Make what stays the same for a worker's life cheap; called when its application is loaded.

    gunicorn looks some thirty settings up for each request, through three calls each, formats the date anew, looks for
    where errors go, and parses the client's address to learn whether headers that are none may come from it. The
    collector of garbage need not walk through the loaded application again and again: with many clients that is a
    tenth of all work, and a pause.
    """
    vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})
    util.http_date = _once_a_second(util.http_date)
    errors = wsgi.WSGIErrorsWrapper(cfg)
    wsgi.WSGIErrorsWrapper = lambda _cfg: errors
    wsgi.Response.process_headers = checked_once(wsgi.Response.process_headers)
    if not (cfg.secure_scheme_headers or cfg.forwarder_headers):
        HeaderPolicy._peer_trusted_for_forwarded = lambda _request: ({}, [])
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, OLD_THRESHOLD)


def unwrap(client: Any) -> None:
    """Take one green socket out of another: eventlet wraps what it accepts twice, and each call costs twice."""
    inner = client.fd
    if isinstance(inner, type(client)):
        client.fd = inner.fd
        inner.close = _nothing  # it would close the connection when it is forgotten


def _nothing() -> None:
    return None


def _once_a_second(make: Callable[[], str]) -> Callable[[], str]:
    """Return a function of the present date that asks `make` once for each second."""
    second, date = 0, ""

    def now() -> str:
        nonlocal second, date
        if second != int(time.time()):
            second, date = int(time.time()), make()
        return date

    return now


def checked_once(check: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return what checks an answer's headers, and those that are the same in many answers only once in a while."""

    @lru_cache(maxsize=SAME_HEADERS)
    def harmless(name: str, value: str) -> bool:
        answer = wsgi.Response(None, None, None)
        plain = vars(answer) | {"headers": [(name, value)]}
        check(answer, [(name, value)])
        return bool(vars(answer) == plain)

    def check_headers(answer: Any, headers: Any) -> None:
        for name, value in headers:
            if harmless(name, value):
                answer.headers.append((name, value))
            else:
                check(answer, [(name, value)])

    return check_headers


class HeadAndBody:
    """A socket to answer on that sends the head of an answer along with the first of its body: one call, one packet."""

    def __init__(self, sock: Any) -> None:
        self._sock, self._head = sock, b""
        self.sendall = self._hold

    def _hold(self, data: bytes) -> None:
        self._head, self.sendall = data, self._join

    def _join(self, data: bytes) -> None:
        head, self._head, self.sendall = self._head, b"", self._sock.sendall
        self._sock.sendall(head + data)

    def flush(self) -> None:
        """Send a head that has no body."""
        if self._head:
            self._join(b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Turns:
    """Lets the others have a turn when requests were served for two milliseconds without any wait."""

    def __init__(self) -> None:
        self._began = 0.0

    def end(self) -> None:
        """End a request; a client whose next one is there already would else hold up all others."""
        now = time.monotonic()
        if now - self._began >= TURN_SECONDS:
            import eventlet

            self._began = now
            eventlet.sleep(0)
