"""What one piece of work costs this process: processor time, the longest hold of its hub, memory."""

import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

MODE = ["threading"]


def patch(mode: str) -> None:
    """Patch the standard library as a worker of this mode does."""
    MODE[0] = mode
    if mode == "eventlet":
        from chassis.server.patches.for_eventlet import patch_standard_library

        patch_standard_library()
    elif mode == "gevent":
        from chassis.server.patches.for_gevent import patch_standard_library

        patch_standard_library()
    ours = [name for name in sys.modules if name.partition(".")[0] in ("app", "chassis")]
    for name in ours:
        if not name.startswith("chassis.tests"):
            del sys.modules[name]


@dataclass
class Hashing:
    """How often a password was hashed, and what that took: the stated exception."""

    times: int = 0
    seconds: float = 0.0

    def watch(self) -> None:
        """Count from now on."""
        import argon2

        for name in ("hash", "verify"):
            self._count(argon2.PasswordHasher, name)

    def _count(self, kind: Any, name: str) -> None:
        work = getattr(kind, name)

        def counted(*given: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*given, **options)
            finally:
                self.times += 1
                self.seconds += time.thread_time() - began

        setattr(kind, name, counted)


hashing = Hashing()


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time without those of hashing, of the hub alone, of its longest hold; and hashes."""

    cpu_ms: float
    hub_ms: float
    hold_ms: float = 0.0
    hashes: int = 0

    def slower_by(self, times: float) -> "Cost":
        """Return the cost on a machine that is so many times slower."""
        return replace(self, cpu_ms=self.cpu_ms * times, hub_ms=self.hub_ms * times, hold_ms=self.hold_ms * times)


def cost(work: Callable[[], object]) -> Cost:
    """Return what the work takes all threads, and the hub's."""
    hashes, hashed = hashing.times, hashing.seconds
    whole, hub = time.process_time(), time.thread_time()
    work()
    hub, whole = time.thread_time() - hub, time.process_time() - whole
    spent = hashing.seconds - hashed
    return Cost((whole - spent) * 1000, hub * 1000, hashes=hashing.times - hashes)


def held(work: Callable[[], object]) -> Cost:
    """Return the cost with the longest time in which nobody else had a turn, in processor time of the hub."""
    if MODE[0] == "threading":
        return cost(work)  # there is no hub
    watch = _Watch()
    found = cost(lambda: watch.around(work))
    return replace(found, hold_ms=watch.longest * 1000)


class _Watch:
    """A green thread that takes every turn it is given."""

    def __init__(self) -> None:
        self.longest, self._going = 0.0, True

    def around(self, work: Callable[[], object]) -> None:
        if MODE[0] == "eventlet":
            from eventlet import sleep, spawn
        else:
            from gevent import sleep, spawn
        spawn(self._turns, sleep)
        sleep(0)
        try:
            work()
        finally:
            sleep(0)
            self._going = False
            sleep(0)

    def _turns(self, sleep: Callable[[float], None]) -> None:
        last = time.thread_time()
        while self._going:
            sleep(0)
            now = time.thread_time()
            self.longest, last = max(self.longest, now - last), now


def memory_mb(work: Callable[[], object]) -> float:
    """Return what Python allocated at once for the work, in MB."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
