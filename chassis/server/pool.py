"""Reusable green threads, and lanes that keep a connection's work in order."""

import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from chassis.server import hub

log = logging.getLogger(__name__)
KEPT_THREADS = 100
DONE_TOGETHER = 32  # pieces of a lane's work before others get a turn
Work = Callable[..., Any]


def run_alone(work: Work, *args: Any) -> None:
    """Run work in an empty context; log what it raises, since that would end the hub."""
    try:
        Context().run(work, *args)
    except GreenletExit:
        pass
    except BaseException:
        log.exception("An event's green thread failed")


class WorkPool:
    """Runs work at once, each piece in a green thread of its own."""

    def __init__(self) -> None:
        self._hub = hub.current()
        self._idle: list[greenlet] = []

    def run(self, work: Work, *args: Any) -> None:
        """Run work in an empty context: at once if called by the hub, otherwise as soon as the caller waits."""
        self.run_bare(run_alone, work, *args)

    def run_bare(self, work: Work, *args: Any) -> None:
        """Run work in the green thread's own context, which is reused; the work must not raise."""
        thread = self._idle.pop() if self._idle else greenlet(self._loop, self._hub.greenlet)
        if getcurrent() is self._hub.greenlet:
            thread.switch(work, args)  # returns when the work is done or waits for something
        else:
            self._hub.soon(thread.switch, work, args)

    def run_later(self, seconds: float, work: Work) -> None:
        """Run work after a delay."""
        self._hub.later(seconds, self.run, work)

    def _loop(self, work: Work, args: tuple[Any, ...]) -> None:
        while True:
            work(*args)
            if len(self._idle) >= KEPT_THREADS:
                return
            self._idle.append(getcurrent())
            work, args = self._hub.greenlet.switch()  # the hub's own switch checks again where it was called


class Lane:
    """Runs work in order, one piece at a time; at most `limit` pieces wait (0: any number)."""

    __slots__ = ("_limit", "_pool", "_waiting", "busy")

    def __init__(self, pool: WorkPool, limit: int) -> None:
        self._pool, self._limit = pool, limit
        self._waiting: deque[tuple[Any, ...]] | None = None  # a deque takes 600 bytes; most connections need none
        self.busy = False

    def put(self, work: Work, *args: Any) -> bool:
        """Add a piece of work; return False if too many are waiting."""
        if not self.busy:
            self.busy = True
            self._pool.run_bare(self._drain, work, *args)
            return True
        if self._limit and self._waiting and len(self._waiting) >= self._limit:
            return False
        self.add_last(work, *args)
        return True

    def add_last(self, work: Work, *args: Any) -> None:
        """Add a last piece of work, regardless of the limit."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((work, *args))

    def clear(self) -> None:
        """Discard the work that has not begun."""
        if self._waiting:
            self._waiting.clear()

    def _drain(self, *work: Any) -> None:
        run_alone(*work)
        done = 1
        while self._waiting:
            run_alone(*self._waiting.popleft())
            done += 1
            if done % DONE_TOGETHER == 0:
                hub.current().sleep(0)
        self.busy, self._waiting = False, None
