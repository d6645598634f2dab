"""Limits how many calls start per second: one bucket for all threads, first come, first served."""

import threading
import time
from collections import deque

from chassis.limits import MemoryBuckets, Rate, Rates
from chassis.limits.limiter import Limiter
from chassis.upstream.waiting import POLL_SECONDS, Check, never, stop_if

# A caller that wakes up late does not delay the next ones, up to this; more would be a burst after a stall.
CATCH_UP_SECONDS = 0.05
KEY = "upstream calls"


class Pace:
    """Limits how many calls start in a second; callers wait in line, in front of a token bucket.

    Only the first in the queue waits for a token, so that a caller that leaves the queue takes no token with it.
    """

    def __init__(self, requests_per_second: float, burst: int = 1) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._line_since = self._paused_until = float("-inf")
        self._buckets: MemoryBuckets | Limiter
        self._rates, self._buckets = _bucket(requests_per_second, burst)

    def configure(self, requests_per_second: float, burst: int = 1, shared: Limiter | None = None) -> None:
        """Change the rate, also for waiting callers; a bucket without a token starts empty.

        With `shared`, the bucket is that of all processes that count there; a changed rate does not empty it.
        """
        if shared is not None:
            self._share(shared, Rate.over_time(requests_per_second, burst))
            return
        with self._lock:
            empty = not self._buckets.take(KEY, self._rates, look=True).granted
            self._rates, self._buckets = _bucket(requests_per_second, burst)
            if empty:
                self._buckets.take(KEY, self._rates, cost=burst)
            if paused := self._paused():
                self._buckets.hold(KEY, self._rates, paused)

    def pause(self, seconds: float) -> None:
        """Let no call start for some seconds; a longer pause that runs already stays."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
            self._buckets.hold(KEY, self._rates, seconds)

    def state(self) -> tuple[int, float]:
        """Return how many callers wait, and the seconds that are left of a pause."""
        with self._lock:
            return len(self._line), max(self._paused(), self._paused_elsewhere())

    def wait(self, cancelled: Check = never) -> None:
        """Wait for a token; raise Cancelled within 0.2 s after `cancelled()` turns true."""
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

    def _share(self, shared: Limiter, rate: Rate) -> None:
        with self._lock:
            self._rates, self._buckets = (rate,), shared
            if paused := self._paused():
                shared.hold(KEY, self._rates, paused)

    def _paused_elsewhere(self) -> float:
        """Return how long another process' pause lasts: a wait that is clearly longer than that for a single token."""
        (rate,) = self._rates
        wait = self._buckets.take(KEY, self._rates, look=True).wait_seconds
        return wait if wait > 1.5 * rate.seconds / rate.amount else 0.0

    def _paused(self) -> float:
        return max(0.0, self._paused_until - time.monotonic())

    def _join(self, turn: threading.Event) -> None:
        with self._lock:
            if not self._line:
                self._line_since = time.monotonic()
            self._line.append(turn)

    def _take(self, turn: threading.Event) -> float:
        """Take a token and return 0, or return the seconds to wait before trying again."""
        with self._lock:
            if self._line[0] is not turn:
                return POLL_SECONDS
            verdict = self._buckets.take(KEY, self._rates, late_seconds=self._late())
            if verdict.granted:
                self._line.popleft()
                self._wake_first()
            return verdict.wait_seconds

    def _late(self) -> float:
        """Return how late a token can be taken without delaying the next one; a burst already allows for some."""
        (rate,) = self._rates
        saved = rate.seconds - rate.seconds / rate.amount
        return min(max(0.0, CATCH_UP_SECONDS - saved), time.monotonic() - self._line_since)

    def _leave(self, turn: threading.Event) -> None:
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)
            self._wake_first()

    def _wake_first(self) -> None:
        if self._line:
            self._line[0].set()


def _bucket(requests_per_second: float, burst: int) -> tuple[Rates, MemoryBuckets]:
    return (Rate.over_time(requests_per_second, burst),), MemoryBuckets(clock=time.monotonic)
