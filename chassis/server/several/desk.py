"""Takes in connections that other workers hand over, since the next request on them is for a session of this one."""

import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eventlet
from eventlet import hubs
from eventlet.greenio import GreenSocket

from chassis.base.concurrency import original
from chassis.server.acceptor import PAUSE_SECONDS, Name
from chassis.server.several import folder
from chassis.server.several.given import CONNECTIONS, MESSAGE_BYTES

log = logging.getLogger(__name__)
CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
Serve = Callable[[Any, Any, Any, bytes], Any]


class Desk:
    """Calls `serve(name, client, address, received)` in a green thread of the pool for each connection."""

    def __init__(self, number: int, pool: eventlet.GreenPool, serve: Serve) -> None:
        self._path, self._pool, self._serve = folder.path_of(number, CONNECTIONS), pool, serve
        self._sock = original("socket", "socket")(socket.AF_UNIX, socket.SOCK_DGRAM)
        hubs.notify_opened(self._sock.fileno())
        self._sock.bind(self._path)
        self._sock.setblocking(False)
        self._thread = eventlet.spawn(self._receive)

    def close(self) -> None:
        """Refuse further connections, and serve those that were handed over before; only the first call counts."""
        if self._sock.fileno() < 0:
            return
        self._thread.kill()
        Path(self._path).unlink(missing_ok=True)
        while self._pool.free() > 0 and self._take():
            pass
        self._sock.close()

    def _receive(self) -> None:
        while True:
            if self._pool.free() < 1:
                eventlet.sleep(PAUSE_SECONDS)
            elif not self._take():
                hubs.trampoline(self._sock, read=True)

    def _take(self) -> bool:
        """Take one connection in; return False if none waits."""
        try:
            message, found, flags, _ = socket.recv_fds(self._sock, MESSAGE_BYTES, 1, CLOSE_ON_EXEC)
        except BlockingIOError:
            return False
        if found and not flags & socket.MSG_TRUNC:
            self._begin(message, found[0])
        else:
            log.warning("A connection from another worker was lost: too few file descriptors are free")
            for number in found:
                os.close(number)
        return True

    def _begin(self, message: bytes, number: int) -> None:
        hubs.notify_opened(number)
        client = GreenSocket(original("socket", "socket")(fileno=number))
        about, _, received = message.partition(b"\n")
        server, address = (tuple(place) if isinstance(place, list) else place for place in json.loads(about))
        self._pool.spawn_n(self._serve, Name(server), client, address, received)
