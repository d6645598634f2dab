"""Clocks that tests set, and threads that ask a pace."""

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.upstream import Cancelled
from chassis.upstream.pace import Pace


class Clock:
    """A clock that only waiting moves: the first `late` seconds further each time than was asked for."""

    def __init__(self, late: float = 0.0) -> None:
        self.now, self.late, clock = 0.0, late, self

        class Event(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                clock.now += (timeout or 0) + clock.late
                return False

        self.Event, self.Lock = Event, threading.Lock

    def monotonic(self) -> float:
        return self.now

    def take(self, bucket: Pace, count: int) -> list[float]:
        times = []
        for _ in range(count):
            bucket.wait()
            times.append(self.now)
        return times


class HandClock:
    """A clock that only the test moves, for callers in threads; it counts how often the first in the line looks."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.now

    def wait_for_looks(self) -> None:
        """Wait until who is first in the line has looked again and again."""
        enough = self.looks + 5
        wait_until(lambda: self.looks >= enough)


class Callers:
    """Threads that take tokens; each notes its number for every token it got."""

    def __init__(self, pool: ThreadPoolExecutor, bucket: Pace) -> None:
        self.pool, self.bucket = pool, bucket
        self.taken: list[int] = []
        self.ended = threading.Event()
        self.runs: list[Future[None]] = []

    def take(self, count: int) -> None:
        """Let one caller more take so many, and wait until it is in the line."""
        number, before = len(self.runs), self.bucket.state()[0]
        self.runs.append(self.pool.submit(self._take, number, count))
        wait_until(lambda: self.bucket.state()[0] == before + 1)

    def _take(self, number: int, count: int) -> None:
        for _ in range(count):
            self.bucket.wait(self.ended.is_set)
            self.taken.append(number)

    def have(self, count: int) -> None:
        """Wait until they have got so many; it is an error when they have more."""
        wait_until(lambda: len(self.taken) >= count)
        assert len(self.taken) == count

    def end(self) -> None:
        self.ended.set()
        for run in self.runs:
            with contextlib.suppress(Cancelled):
                run.result(LIMIT_SECONDS)
