"""Periodic work of a process, in a thread of its own."""

import threading
from abc import ABC, abstractmethod

import structlog

log = structlog.get_logger(__name__)


class Ticker(ABC):
    """Calls `tick` from start to stop, with a pause of `every_seconds` between two calls.

    An exception is logged as `<name>_error`, and the calls continue.
    """

    def __init__(self, name: str, every_seconds: float) -> None:
        self._name, self._every_seconds = name, every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Start the calls."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the calls; one in progress continues."""
        self._stopping.set()

    @abstractmethod
    def tick(self) -> None:
        """Do the work of one call."""

    def failed(self, error: Exception) -> None:
        """Log the error of a call."""
        log.error(f"{self._name}_error", exc_info=error)

    def _loop(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            try:
                self.tick()
            except Exception as error:
                self.failed(error)
