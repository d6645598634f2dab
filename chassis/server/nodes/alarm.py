"""Wakes a green thread from any other thread."""

import contextlib
import os
import socket

from chassis.base.concurrency import original


class Alarm:
    """One thread waits for it; any thread may ring it."""

    def __init__(self) -> None:
        self._mine, other = socket.socketpair()
        self._out = original("socket", "socket")(fileno=os.dup(other.fileno()))
        other.close()
        self._out.setblocking(False)

    def wait(self, seconds: float) -> None:
        """Wait until it rings, for at most this long."""
        self._mine.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            self._mine.recv(4096)

    def ring(self) -> None:
        """End the wait; it may be full of earlier calls, which end the wait too."""
        with contextlib.suppress(BlockingIOError):
            self._out.send(b"!")
