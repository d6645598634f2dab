"""Measures the lag of the worker's event loop with a timer that should fire every tenth of a second."""

import threading
import time

from chassis.base.concurrency import current_mode
from chassis.observability.metrics import HUB_LAG, HUB_STALLS
from chassis.observability.stalls import StallWatch

INTERVAL_SECONDS = 0.1


class LagMonitor:
    """Measures the lag in its own thread, which is a green thread where the process is patched.

    A lag above `stall_seconds` is counted, and its cause is logged while it lasts. No stall is counted when
    `stall_seconds` is 0, or when the process uses real threads, which have no hub. `readable`: see StallWatch.
    """

    def __init__(self, stall_seconds: float = 0, *, readable: bool = False) -> None:
        self.last = self.maximum = 0.0
        self.due = time.monotonic() + INTERVAL_SECONDS
        self._stall_seconds = stall_seconds if current_mode() != "threading" else 0
        self._watch = StallWatch(stall_seconds, lambda: self.due, readable=readable) if self._stall_seconds else None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="lag-monitor", daemon=True)

    def start(self) -> None:
        """Start measuring."""
        self._thread.start()
        if self._watch:
            self._watch.start()

    def stop(self) -> None:
        """Stop measuring."""
        self._stopping.set()
        if self._watch:
            self._watch.stop()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            asleep = time.perf_counter()
            time.sleep(INTERVAL_SECONDS)
            self.last = max(0.0, time.perf_counter() - asleep - INTERVAL_SECONDS)
            self.maximum = max(self.maximum, self.last)
            self.due = time.monotonic() + INTERVAL_SECONDS
            HUB_LAG.observe(self.last)
            if 0 < self._stall_seconds < self.last:
                HUB_STALLS.inc()
