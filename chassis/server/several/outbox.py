"""A worker's messages on their way to the others; they wait while another worker is stopped amid its own."""

import logging
from collections import deque
from collections.abc import Callable

from chassis.base.concurrency import original
from chassis.server.several.ring import BYTES, Ring, check

log = logging.getLogger(__name__)


class Outbox:
    """Appends messages to the ring in their order, and calls `told` when there are new ones."""

    def __init__(self, ring: Ring, told: Callable[[], None]) -> None:
        self._ring, self._told = ring, told
        self._waiting, self._bytes, self._complained = deque[bytes](), 0, False
        self._mine = original("threading", "Lock")()  # no code inside it yields, so a real lock is safe

    def put(self, text: bytes) -> None:
        """Send a message, now or when the ring is free.

        Raises ValueError if it is too large, and RuntimeError if too much waits already.
        """
        check(text)
        with self._mine:
            if self._bytes + len(text) > BYTES:
                raise RuntimeError("Too many messages wait for a worker that is stopped: this one is not sent.")
            self._waiting.append(text)
            self._bytes += len(text)
        self.send()

    def send(self) -> None:
        """Send what waits."""
        if not self._waiting:
            return
        with self._mine:
            complains = self._stuck() and not self._complained
            self._complained = bool(self._waiting)
        if complains:
            log.error("Messages for other workers wait, since another worker is stopped and holds their lock")
        self._told()

    def _stuck(self) -> bool:
        """Append what waits; return whether the ring was not free."""
        try:
            while self._waiting:
                self._ring.append(self._waiting[0])
                self._bytes -= len(self._waiting.popleft())
        except TimeoutError:
            return True
        return False
