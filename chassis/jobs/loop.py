"""A loop with a health check: unlike a Ticker it can be woken, runs at once, and reports whether it is alive."""

import threading
import time
from abc import ABC, abstractmethod

import structlog

from chassis.db.faults import may_pass, reason_of

log = structlog.get_logger(__name__)
ALIVE_SECONDS = 15.0


class Loop(ABC):
    """Calls `turn` in a thread, at least every `every_seconds`, and whenever `wake` is set."""

    def __init__(self, name: str, every_seconds: float, wake: threading.Event | None = None) -> None:
        self.wake = wake or threading.Event()
        self._name, self._every_seconds, self._stopping = name, every_seconds, threading.Event()
        self._turned = time.monotonic()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the loop; the current turn continues."""
        self._stopping.set()
        self.wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the loop to end."""
        self._thread.join(seconds)

    def problem(self) -> str | None:
        """Return why this loop does not work, or None."""
        words = self._name.replace("_", " ")
        if not self._thread.is_alive():
            return f"the {words} is not running"
        silent = time.monotonic() - self._turned
        return f"the {words} has not responded for {silent:.0f} s" if silent > ALIVE_SECONDS else None

    @abstractmethod
    def turn(self) -> None:
        """Do the work of one turn."""

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except Exception as error:
                if may_pass(error):
                    log.warning(f"{self._name}_waits", reason=reason_of(error))
                else:
                    log.exception(f"{self._name}_error")
            self._turned = time.monotonic()
            self.wake.wait(self._every_seconds)
            self.wake.clear()
