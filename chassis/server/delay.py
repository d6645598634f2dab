"""One timer for all that wait for the same time: pings, answers to them, handshakes."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from eventlet import hubs

BATCH = 100
RESOLUTION_SECONDS = 0.01


class Delay:
    """Calls `due(item)` for every item a constant time after it was added; in the hub, so `due` must not wait.

    `time_due` is then when its time had come, which is some milliseconds ago.
    """

    def __init__(self, seconds: float, due: Callable[[Any], None]) -> None:
        self._seconds, self._due = seconds, due
        self._items: deque[tuple[float, Any]] = deque()
        self._hub = hubs.get_hub()
        self._ticking = False
        self.time_due = 0.0

    def add(self, item: Any) -> None:
        """Begin an item's time."""
        self._items.append((time.monotonic() + self._seconds, item))
        self._tick(self._seconds)

    def _tick(self, seconds: float) -> None:
        if not self._ticking:
            self._ticking = True
            self._hub.schedule_call_global(max(seconds, RESOLUTION_SECONDS), self._fire)

    def _fire(self) -> None:
        """Take what is due, a batch at a time, so that ten thousand pings do not hold up everything else."""
        self._ticking = False
        now = time.monotonic()
        for _ in range(BATCH):
            if not self._items or self._items[0][0] > now:
                break
            self.time_due, item = self._items.popleft()
            self._due(item)
        if self._items:
            self._tick(self._items[0][0] - now)
