"""Takes in connections that other workers hand over, since the next request on them is for a session of this one."""

import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chassis.base.concurrency import original
from chassis.server import hub
from chassis.server.acceptor import PAUSE_SECONDS, Name, Room
from chassis.server.several import folder
from chassis.server.several.given import CONNECTIONS, MESSAGE_BYTES

log = logging.getLogger(__name__)
CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
Serve = Callable[[Any, Any, Any, bytes], Any]


class Desk:
    """Calls `serve(name, client, address, received)` for each connection."""

    def __init__(self, number: int, room: Room, serve: Serve) -> None:
        self._path, self._room, self._serve = folder.path_of(number, CONNECTIONS), room, serve
        self._sock = original("socket", "socket")(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(self._path)
        self._sock.setblocking(False)
        self._hub = hub.current()
        self._watch: Any = None
        self._hub.soon(self._open)

    def close(self) -> None:
        """Refuse further connections, and serve those that were handed over before; only the first call counts."""
        if self._sock.fileno() < 0:
            return
        self._pause()
        Path(self._path).unlink(missing_ok=True)
        while self._room.free > 0 and self._take():
            pass
        self._sock.close()

    def _open(self) -> None:
        if self._watch is None and self._sock.fileno() >= 0:
            self._watch = self._hub.reading(self._sock.fileno(), self._receive, self._open)

    def _pause(self) -> None:
        if self._watch is not None:
            self._hub.stop(self._watch)
            self._watch = None

    def _receive(self, _descriptor: int) -> None:
        """Take in all connections that wait; pause if there is no room."""
        while self._room.free > 0:
            if not self._take():
                return
        self._pause()
        self._hub.later(PAUSE_SECONDS, self._open)

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
        raw = original("socket", "socket")(fileno=number)
        client = socket.socket(raw.family, raw.type, raw.proto, raw.detach())
        about, _, received = message.partition(b"\n")
        server, address = (tuple(place) if isinstance(place, list) else place for place in json.loads(about))
        self._room.begin(self._serve, Name(server), client, address, received)
