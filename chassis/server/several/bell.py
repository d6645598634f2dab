"""Wakes the other workers when there are messages for them, over unix sockets."""

import contextlib
import socket
import time
from pathlib import Path

from chassis.base.concurrency import original
from chassis.base.environment import workers_folder
from chassis.server.several import folder

WAKE = ".wake"
LOOK_SECONDS = 0.25  # a worker that missed a bell, since its queue was full, looks by itself


class Bell:
    """One worker's bell; it waits for its own and rings those of the others."""

    def __init__(self, number: int) -> None:
        self._path, self._others, self._looked = folder.path_of(number, WAKE), list[str](), 0.0
        self._mine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._mine.bind(self._path)
        self._mine.settimeout(LOOK_SECONDS)
        self._out = original("socket", "socket")(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._out.setblocking(False)

    def wait(self) -> None:
        """Wait until another worker rings, or for LOOK_SECONDS."""
        with contextlib.suppress(TimeoutError):
            self._mine.recv(1)

    def ring(self) -> None:
        """Wake the other workers; one that has not heard earlier bells yet needs no further one."""
        for other in self._bells():
            with contextlib.suppress(OSError):
                self._out.sendto(b"!", other)

    def _bells(self) -> list[str]:
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            found = map(str, Path(workers_folder()).glob(f"*{WAKE}"))
            self._others = [path for path in found if path != self._path]
        return self._others
