"""A queue for something scarce: each key has its own line, and the keys take turns."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from chassis.errors import TooManyRequests, Unavailable

LOOK_SECONDS = 0.1
T = TypeVar("T")


class _Waiting(Generic[T]):
    """One that waits, with what it was given."""

    def __init__(self, offer: Callable[[], T | None]) -> None:
        self.offer = offer
        self.given: T | None = None
        self.ready = threading.Event()


class FairQueue(Generic[T]):
    """Gives out what is free, in turns among the keys; one key can neither starve the others nor fill the queue."""

    def __init__(self, *, seconds: float, per_key: int, most: int) -> None:
        self._seconds, self._per_key, self._most = seconds, per_key, most
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[_Waiting[T]]] = OrderedDict()
        self._given_at = 0.0

    def __len__(self) -> int:
        return sum(map(len, list(self._lines.values())))

    def take(self, key: str, offer: Callable[[], T | None], check: Callable[[], None]) -> T:
        """Return what `offer()` gives a key; while it gives None, wait for `freed` or a short time.

        `check()` raises when waiting is no use. Raises TooManyRequests when too many wait, and Unavailable when nothing
        was free in time. Both functions are called under a lock, so they must be quick.
        """
        with self._lock:
            if not self._lines and (found := offer()) is not None:
                return found
            check()
            waiting = self._enter(key, offer)
            self._give()
        try:
            self._wait(waiting, check)
        finally:
            with self._lock:
                self._leave(key, waiting)
        assert waiting.given is not None
        return waiting.given

    def spare(self, offer: Callable[[], T | None]) -> T | None:
        """Return what `offer()` gives, or None while somebody waits."""
        with self._lock:
            return None if self._lines else offer()

    def freed(self, back: Callable[[], None]) -> None:
        """Call `back()`, which makes something free, and give it to whoever is next."""
        with self._lock:
            back()
            self._give()

    def _wait(self, waiting: _Waiting[T], check: Callable[[], None]) -> None:
        deadline = time.monotonic() + self._seconds
        while not waiting.ready.wait(LOOK_SECONDS):
            with self._lock:
                over = time.monotonic() >= deadline
                if over or time.monotonic() >= self._given_at + LOOK_SECONDS:
                    self._give()
                if waiting.given is not None:
                    return
                check()
                if over:
                    raise _Busy(f"Everything was busy for {self._seconds:g} s.", self._seconds)

    def _enter(self, key: str, offer: Callable[[], T | None]) -> _Waiting[T]:
        if len(self._lines.get(key, ())) >= self._per_key or len(self) >= self._most:
            raise TooManyRequests("Too many requests are waiting: try again later.", retry_after_seconds=self._seconds)
        waiting = _Waiting(offer)
        self._lines.setdefault(key, deque()).append(waiting)
        return waiting

    def _leave(self, key: str, waiting: _Waiting[T]) -> None:
        line = self._lines[key]
        line.remove(waiting)
        if not line:
            del self._lines[key]

    def _give(self) -> None:
        """Let the keys take turns, until nobody is given anything; with many waiting, each round takes time."""
        self._given_at = time.monotonic()
        while any(self._serve(key) for key in list(self._lines)):
            pass

    def _serve(self, key: str) -> bool:
        """Give something to the first of a key's line that can take it; then the key is the last."""
        for waiting in self._lines[key]:
            if waiting.given is None and (found := waiting.offer()) is not None:
                waiting.given = found
                waiting.ready.set()
                self._lines.move_to_end(key)
                return True
        return False


class _Busy(Unavailable):
    """Nothing was free in time."""

    code = "busy"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1.0, seconds)
