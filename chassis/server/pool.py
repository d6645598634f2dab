"""Green threads that are kept for the next piece of work, and lanes that keep a connection's work in order."""

import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

import eventlet
from eventlet import hubs
from greenlet import GreenletExit, getcurrent, greenlet

log = logging.getLogger(__name__)
KEPT_THREADS = 100
DONE_TOGETHER = 32  # pieces of a lane's work, then others have their turn
Work = Callable[..., Any]


def run_alone(work: Work, *args: Any) -> None:
    """Run a piece of work in an empty context; what it raises is logged, since it would end the hub."""
    try:
        Context().run(work, *args)
    except GreenletExit:
        pass
    except BaseException:
        log.exception("An event's green thread failed")


class WorkPool:
    """Runs pieces of work at once, each in a green thread that nobody else has meanwhile."""

    def __init__(self) -> None:
        self._hub = hubs.get_hub()
        self._idle: list[greenlet] = []

    def run(self, work: Work, *args: Any) -> None:
        """Run the work in an empty context: at once when called by the hub, else as soon as the caller waits."""
        self.run_bare(run_alone, work, *args)

    def run_bare(self, work: Work, *args: Any) -> None:
        """Do so in the green thread's own context, which others had before; the work must not raise."""
        thread = self._idle.pop() if self._idle else greenlet(self._loop, self._hub.greenlet)
        if getcurrent() is self._hub.greenlet:
            thread.switch(work, args)  # comes back when the work is done, or waits for something
        else:
            self._hub.schedule_call_global(0, thread.switch, work, args)

    def run_later(self, seconds: float, work: Work) -> None:
        """Run the work after a time."""
        self._hub.schedule_call_global(seconds, self.run, work)

    def _loop(self, work: Work, args: tuple[Any, ...]) -> None:
        while True:
            work(*args)
            if len(self._idle) >= KEPT_THREADS:
                return
            self._idle.append(getcurrent())
            work, args = self._hub.greenlet.switch()  # not by Hub.switch, which asks again where it was called


class Lane:
    """Work that is done first in, first out, one piece at a time; at most `limit` pieces wait (0: any number)."""

    __slots__ = ("_limit", "_pool", "_waiting", "busy")

    def __init__(self, pool: WorkPool, limit: int) -> None:
        self._pool, self._limit = pool, limit
        self._waiting: deque[tuple[Any, ...]] | None = None  # it takes 600 bytes, and most connections never need one
        self.busy = False

    def put(self, work: Work, *args: Any) -> bool:
        """Take a piece of work; return False when too many wait."""
        if not self.busy:
            self.busy = True
            self._pool.run_bare(self._drain, work, *args)
            return True
        if self._limit and self._waiting and len(self._waiting) >= self._limit:
            return False
        self.add_last(work, *args)
        return True

    def add_last(self, work: Work, *args: Any) -> None:
        """Take a last piece of work while others are under way, whatever the limit."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((work, *args))

    def clear(self) -> None:
        """Forget what has not begun."""
        if self._waiting:
            self._waiting.clear()

    def _drain(self, *work: Any) -> None:
        run_alone(*work)
        done = 1
        while self._waiting:
            run_alone(*self._waiting.popleft())
            done += 1
            if done % DONE_TOGETHER == 0:
                eventlet.sleep(0)
        self.busy, self._waiting = False, None
