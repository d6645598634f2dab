"""Detects this process' kind of concurrency, and runs blocking work outside the hub."""

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Mode = Literal["eventlet", "gevent", "threading"]
PIECE_SECONDS = 0.002  # of long work on the hub, before others get a turn
TURN_SECONDS = 1e-9  # after sleep(0) gevent serves no connection until 50 more callbacks have run


def current_mode() -> Mode:
    """Return the mode that this process is patched for; commands and the boot are not patched: "threading"."""
    if "eventlet" in sys.modules:
        from eventlet import patcher

        if patcher.is_monkey_patched("socket"):
            return "eventlet"
    if "gevent.monkey" in sys.modules:
        from gevent import monkey

        if monkey.is_module_patched("socket"):
            return "gevent"
    return "threading"


def original(module: str, name: str) -> Any:
    """Return an unpatched part of the standard library, for real threads."""
    mode = current_mode()
    if mode == "eventlet":
        from eventlet import patcher

        return getattr(patcher.original(module), name)
    if mode == "gevent":
        from gevent import monkey

        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


def run_in_thread(work: Callable[[], T]) -> T:
    """Return `work()`, run in a real thread under eventlet and gevent, where it cannot hold up the event loop.

    Under eventlet `work` must not take locks that green threads share: no logging, no metrics inside.
    """
    mode = current_mode()
    if mode == "eventlet":
        from eventlet import tpool

        return tpool.execute(work)  # type: ignore[no-any-return]
    if mode == "gevent":
        return _in_gevents_thread(work)
    return work()


def _in_gevents_thread(work: Callable[[], T]) -> T:
    """Return exceptions of `work` as values, since gevent's pool would also print the traceback of each."""
    import gevent

    def outcome() -> tuple[T | None, BaseException | None]:
        try:
            return work(), None
        except BaseException as error:
            return None, error

    value, error = gevent.get_hub().threadpool.apply(outcome)
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]


class Turns:
    """Lets others run between the pieces of long work on the event loop; not for real threads."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def give(self) -> None:
        """Let others run, when this work has held the event loop for 2 ms."""
        if time.perf_counter() - self._since >= PIECE_SECONDS:
            time.sleep(TURN_SECONDS)
            self._since = time.perf_counter()
