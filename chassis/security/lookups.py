"""Looks names up within a time limit: the system's resolver has one of its own, of half a minute or more."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Lookups:
    """Look-ups that may hang, at most `at_once` at the same time: one for each party that can make them hang."""

    def __init__(self, at_once: int) -> None:
        self._slots = threading.BoundedSemaphore(at_once)

    def within(self, seconds: float, look_up: Callable[[], T]) -> T:
        """Return `look_up()`, or raise what it raises; raise TimeoutError when it takes longer.

        No look-up can be stopped: one that takes too long ends in the background, and counts until then.
        """
        deadline = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise TimeoutError
        found, failed, ended = list[T](), list[BaseException](), threading.Event()

        def run() -> None:
            try:
                found.append(look_up())
            except BaseException as error:
                failed.append(error)
            finally:
                self._slots.release()
                ended.set()

        threading.Thread(target=run, name="lookup", daemon=True).start()
        if not ended.wait(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        if failed:
            raise failed[0]
        return found[0]
