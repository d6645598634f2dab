"""How many calls may start in a second: one token bucket for all threads, first come first served."""

import threading
import time
from collections import deque

from chassis.upstream.waiting import POLL_SECONDS, Check, never, stop_if

# A caller that woke late does not delay those behind it, up to this; more would be a burst after a stall.
CATCH_UP_SECONDS = 0.05


class Pace:
    """A token bucket that fills at `requests_per_second` and holds `burst` tokens.

    Tokens fall due at absolute times, so that sleeps which overshoot do not add up. Only the first in the line waits
    for one, so that a caller who leaves the line takes no token with it.
    """

    def __init__(self, requests_per_second: float, burst: int = 1) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._next = self._paused_until = float("-inf")
        self._interval, self._credit = 1 / requests_per_second, 0.0
        self.configure(requests_per_second, burst)

    def configure(self, requests_per_second: float, burst: int = 1) -> None:
        """Change the pace, also for those who wait already."""
        with self._lock:
            self._interval = 1 / requests_per_second
            self._credit = (burst - 1) * self._interval
            self._next = min(self._next, time.monotonic() + self._interval)

    def pause(self, seconds: float) -> None:
        """Give no token to anybody for so long; a longer pause that runs already stays."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def state(self) -> tuple[int, float]:
        """Return how many callers wait, and for how many seconds nobody gets a token."""
        with self._lock:
            return len(self._line), max(0.0, self._paused_until - time.monotonic())

    def wait(self, cancelled: Check = never) -> None:
        """Return when a token is there; raise Cancelled within 0.2 s after `cancelled()` turns true."""
        stop_if(cancelled)
        turn = threading.Event()
        self._join(turn)
        try:
            while (delay := self._take(turn)) > 0:
                turn.wait(min(delay, POLL_SECONDS))
                turn.clear()
                stop_if(cancelled)
        except BaseException:
            self._leave(turn)
            raise

    def _join(self, turn: threading.Event) -> None:
        with self._lock:
            if not self._line:  # nobody waited, so what an idle time may save up is the burst
                self._next = max(self._next, time.monotonic() - self._credit)
            self._line.append(turn)

    def _take(self, turn: threading.Event) -> float:
        """Take a token and return 0, or return how many seconds to wait before asking again."""
        with self._lock:
            if self._line[0] is not turn:
                return POLL_SECONDS
            now = time.monotonic()
            due = max(self._next, self._paused_until)
            if due > now:
                return due - now
            self._next = max(due, now - max(self._credit, CATCH_UP_SECONDS)) + self._interval
            self._line.popleft()
            self._wake_first()
            return 0

    def _leave(self, turn: threading.Event) -> None:
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)
            self._wake_first()

    def _wake_first(self) -> None:
        if self._line:
            self._line[0].set()
