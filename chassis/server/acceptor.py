"""Accepts connections from a listener while the worker has room and enough file descriptors are free."""

import contextlib
import errno
import logging
import os
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

from chassis.server import hub

log = logging.getLogger(__name__)
PAUSE_SECONDS = 0.2
COMPLAINT_SECONDS = 10.0
SPARE_FILES = 64
Serve = Callable[[Any, Any, Any], Any]


class Name:
    """The part of a listener that gunicorn uses; it works after the listener is closed."""

    def __init__(self, address: Any) -> None:
        self._address = address

    def getsockname(self) -> Any:
        """Return the listener's address."""
        return self._address


class Room:
    """Serves connections while there is room; the listeners of a worker share it."""

    def __init__(self, connections: int) -> None:
        self.free = connections  # how many more may be begun
        self._hub = hub.current()

    def begin(self, serve: Callable[..., Any], *args: Any) -> None:
        """Call `serve` in a green thread of its own."""
        self.free -= 1
        self._hub.spawn(self._run, serve, *args)

    def _run(self, serve: Callable[..., Any], *args: Any) -> None:
        try:
            serve(*args)
        finally:
            self.free += 1


class Acceptor:
    """Calls `serve(name, client, address)` for each connection."""

    def __init__(self, sock: Any, room: Room, serve: Serve) -> None:
        self._listener, self._room, self._serve = sock, room, serve
        self._listener.setblocking(False)
        self._hub = hub.current()
        self._name = Name(sock.getsockname())
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._files = limit - min(SPARE_FILES, limit // 4)
        self._highest = 0
        self._complained = -COMPLAINT_SECONDS
        self._stopped = False
        self._watch: Any = None
        self._hub.soon(self._begin)

    def stop(self) -> None:
        """Accept the connections in the backlog, then close; closing first could reset them."""
        self._stopped = True
        self._pause()
        with contextlib.suppress(OSError):
            while self._room.free > 0:
                self._take(*self._listener.accept())
        self._listener.close()

    def _begin(self) -> None:
        if not self._stopped and self._watch is None:
            self._watch = self._hub.reading(self._listener.fileno(), self._accept, self._begin)

    def _pause(self) -> None:
        if self._watch is not None:
            self._hub.stop(self._watch)
            self._watch = None

    def _accept(self, _descriptor: int) -> None:
        """Accept all that wait; pause if there is no room, or if accepting fails."""
        try:
            while self._room.free > 0:
                if self._highest >= self._files:
                    self._check_files()
                self._take(*self._listener.accept())
        except BlockingIOError:
            return
        except OSError as error:
            self._complain(error)
        self._pause()
        self._hub.later(PAUSE_SECONDS, self._begin)

    def _check_files(self) -> None:
        """Raise OSError when few descriptors are free; the database and the upstream need some too."""
        lowest = os.dup(self._listener.fileno())
        os.close(lowest)
        if lowest >= self._files:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        self._highest = lowest

    def _take(self, client: Any, address: Any) -> None:
        self._highest = max(self._highest, client.fileno())
        if client.family in (socket.AF_INET, socket.AF_INET6):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._room.begin(self._serve, self._name, client, address)

    def _complain(self, error: OSError) -> None:
        if time.monotonic() - self._complained >= COMPLAINT_SECONDS:
            self._complained = time.monotonic()
            log.warning("Cannot accept connections: %s", error.strerror)
