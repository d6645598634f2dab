"""Work that a process does again and again, in a thread of its own."""

import threading
from abc import ABC, abstractmethod

import structlog

log = structlog.get_logger(__name__)


class Ticker(ABC):
    """Calls `tick` with a pause of so many seconds between two calls, from start to stop.

    What it raises is logged as `<name>_error`, and the next call comes as if nothing had been.
    """

    def __init__(self, name: str, every_seconds: float) -> None:
        self._name, self._every_seconds = name, every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a call that is under way goes on."""
        self._stopping.set()

    @abstractmethod
    def tick(self) -> None:
        """Do it once."""

    def _loop(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            try:
                self.tick()
            except Exception:
                log.exception(f"{self._name}_error")
