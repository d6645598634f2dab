"""Hands a connection, with the bytes that were read from it, to the worker that its request belongs to."""

import json
import socket
import time
from array import array
from typing import Any

from werkzeug.exceptions import ServiceUnavailable

from chassis.base.concurrency import original
from chassis.server import hub
from chassis.server.several import folder, sids
from chassis.server.several.roster import Roster

CONNECTIONS = ".connections"
MESSAGE_BYTES = 65_536
WAIT_SECONDS = 2.0  # while the other worker's queue is full
PAUSE_SECONDS = 0.005


class Giver:
    """Gives connections away; one datagram holds a connection and what was read from it."""

    def __init__(self, number: int, roster: Roster) -> None:
        self._number, self._roster = number, roster
        self._sock = original("socket", "socket")(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.setblocking(False)

    def give(self, connection: Any, places: tuple[Any, Any], line: bytes, received: bytes) -> bool:
        """Hand a connection over if its request belongs elsewhere; return whether it did.

        `places` are the addresses of the server and of the client, `line` is the first line of the request. Raises
        ServiceUnavailable when the worker that the session belongs to takes in no connection for WAIT_SECONDS.
        """
        worker, seconds = sids.asked_for(line), WAIT_SECONDS
        if not worker and sids.begins(line):
            worker, seconds = self._roster.choose(), 0.0
        if worker in (0, self._number):
            return False
        try:
            return self._send(connection, places, worker, received, seconds)
        except TimeoutError:
            if seconds:
                raise ServiceUnavailable from None
            return False

    def _send(self, connection: Any, places: tuple[Any, Any], worker: int, received: bytes, seconds: float) -> bool:
        """Send a connection; return False if the worker is gone, raise TimeoutError if its queue stays full."""
        message = json.dumps(places).encode() + b"\n" + received
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [connection.fileno()]))]
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._sock.sendmsg([message], rights, 0, folder.path_of(worker, CONNECTIONS))
                hub.current().forget(connection)
                return True
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            except OSError:  # its queue is full, or too many descriptors are on their way
                if time.monotonic() >= deadline:
                    raise TimeoutError from None
                hub.current().sleep(PAUSE_SECONDS)
