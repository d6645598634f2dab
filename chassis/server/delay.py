"""One timer for all items with the same delay: pings, their answers, handshakes."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from chassis.server import hub

BATCH = 100
RESOLUTION_SECONDS = 0.01


class Delay:
    """Calls `due(item)` for each item a constant time after it was added.

    `due` runs in the hub, so it must not wait. `time_due` is the time at which the item's delay ended, some
    milliseconds ago.
    """

    def __init__(self, seconds: float, due: Callable[[Any], None]) -> None:
        self._seconds, self._due = seconds, due
        self._items: deque[tuple[float, Any]] = deque()
        self._hub = hub.current()
        self._ticking = False
        self.time_due = 0.0

    def add(self, item: Any) -> None:
        """Start an item's delay."""
        self._items.append((time.monotonic() + self._seconds, item))
        self._tick(self._seconds)

    def _tick(self, seconds: float) -> None:
        if not self._ticking:
            self._ticking = True
            self._hub.later(max(seconds, RESOLUTION_SECONDS), self._fire)

    def _fire(self) -> None:
        """Process expired items in batches, so that ten thousand pings do not block the hub."""
        self._ticking = False
        now = time.monotonic()
        for _ in range(BATCH):
            if not self._items or self._items[0][0] > now:
                break
            self.time_due, item = self._items.popleft()
            self._due(item)
        if self._items:
            self._tick(self._items[0][0] - now)
