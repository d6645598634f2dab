"""Accepts connections from a listener while the pool has room and enough file descriptors are free."""

import contextlib
import errno
import logging
import os
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.greenio import GreenSocket

from chassis.server.patches import for_eventlet

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


class Acceptor:
    """Calls `serve(name, client, address)` in a green thread of the pool for each connection."""

    def __init__(self, sock: Any, pool: eventlet.GreenPool, serve: Serve) -> None:
        self._listener, self._pool, self._serve = GreenSocket(sock), pool, serve
        self._name = Name(sock.getsockname())
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._files = limit - min(SPARE_FILES, limit // 4)
        self._highest = 0
        self._complained = -COMPLAINT_SECONDS
        self._thread = eventlet.spawn(self._accept)

    def stop(self) -> None:
        """Accept the connections in the backlog, then close; closing first could reset them."""
        self._thread.kill()
        with contextlib.suppress(OSError):
            for _ in range(self._pool.free()):
                client, address = self._listener.fd.accept()
                self._spawn(GreenSocket(client), address)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            if self._pool.free() < 1:  # spawn_n would wait holding an accepted client, and lose it at a stop
                eventlet.sleep(PAUSE_SECONDS)
                continue
            try:
                if self._highest >= self._files:
                    self._check_files()
                self._spawn(*self._listener.accept())
            except OSError as error:
                self._complain(error)
                eventlet.sleep(PAUSE_SECONDS)

    def _check_files(self) -> None:
        """Raise OSError when few descriptors are free; the database and the upstream need some too."""
        lowest = os.dup(self._listener.fileno())
        os.close(lowest)
        if lowest >= self._files:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        self._highest = lowest

    def _spawn(self, client: Any, address: Any) -> None:
        for_eventlet.unwrap(client)
        self._highest = max(self._highest, client.fileno())
        if client.family in (socket.AF_INET, socket.AF_INET6):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pool.spawn_n(self._serve, self._name, client, address)

    def _complain(self, error: OSError) -> None:
        if time.monotonic() - self._complained >= COMPLAINT_SECONDS:
            self._complained = time.monotonic()
            log.warning("Cannot accept connections: %s", error.strerror)
