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
        self._mine = original("threading", "RLock")()  # no code inside it yields, so a real lock is safe

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
        with self._mine:
            if not self._waiting:
                return
            try:
                while self._waiting:
                    self._ring.append(self._waiting[0])
                    self._bytes -= len(self._waiting.popleft())
                self._complained = False
            except TimeoutError:
                self._complain()
            self._told()

    def _complain(self) -> None:
        if not self._complained:
            self._complained = True
            log.error("Messages for other workers wait, since another worker is stopped and holds their lock")
