"""What makes a worker cheaper to run without changing what it does."""

import gc
import time
from typing import Any

from chassis.server.patches import for_gunicorn

TURN_SECONDS = 0.002
OLD_THRESHOLD = 50  # a search through all that 10,000 clients hold stops everything for a quarter of a second


def settle(cfg: Any) -> None:
    """Make what stays the same for a worker's life cheap; called when its application is loaded.

    The collector of garbage need not walk through the loaded application again and again: with many clients that is a
    tenth of all work, and a pause.
    """
    for_gunicorn.look_settings_up_once(cfg)
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, OLD_THRESHOLD)


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
