"""Limits concurrent calls over all threads; first come, first served."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.limits.places import Places
from chassis.upstream.waiting import POLL_SECONDS, Check, never, stop_if


class Slots:
    """A semaphore whose limit can change and whose waiters can be cancelled."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._limit, self._taken = limit, 0
        self._shared: Places | None = None

    def share(self, places: Places) -> None:
        """Count the slots of all workers that share these places."""
        with self._lock:
            self._shared = places
            self._grant()

    def resize(self, limit: int) -> None:
        """Change the limit; calls in progress above a lower limit end as usual."""
        with self._lock:
            self._limit = limit
            self._grant()

    def counts(self) -> tuple[int, int, int]:
        """Return the number of taken slots, the limit, and the number of waiting callers."""
        with self._lock:
            return self._taken, self._limit, len(self._line)

    @contextmanager
    def hold(self, cancelled: Check = never) -> Iterator[None]:
        """Hold a slot; raise Cancelled soon after `cancelled()` turns true while waiting."""
        self._acquire(cancelled)
        try:
            yield
        finally:
            self._release()

    def _acquire(self, cancelled: Check) -> None:
        stop_if(cancelled)
        turn = threading.Event()
        with self._lock:
            self._line.append(turn)
            self._grant()
        try:
            while not turn.wait(POLL_SECONDS):
                stop_if(cancelled)
                self._look(turn)
        except BaseException:
            self._give_up(turn)
            raise

    def _release(self) -> None:
        with self._lock:
            self._taken -= 1
            self._grant()

    def _give_up(self, turn: threading.Event) -> None:
        with self._lock:
            if turn.is_set():  # the slot was granted at the same moment: pass it on
                self._taken -= 1
            else:
                self._line.remove(turn)
            self._grant()

    def _look(self, turn: threading.Event) -> None:
        """Look for a slot that another worker has released, as the first in line."""
        with self._lock:
            if self._shared and self._line and self._line[0] is turn:
                self._grant()

    def _grant(self) -> None:
        while self._line and self._claim():
            self._taken += 1
            self._line.popleft().set()
        if self._shared:
            self._shared.report(self._taken, len(self._line))

    def _claim(self) -> bool:
        if self._shared is None:
            return self._taken < self._limit
        return self._shared.claim(self._taken, len(self._line), self._limit)
