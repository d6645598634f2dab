"""Looks names up within a time limit: the system's resolver has one of its own, of half a minute or more."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 8  # of owners whose name servers do not answer, in a process
_slots = threading.BoundedSemaphore(AT_ONCE)


def within(seconds: float, look_up: Callable[[], T]) -> T:
    """Return `look_up()`, or raise what it raises; raise TimeoutError when it takes longer.

    No look-up can be stopped: one that takes too long ends in the background, and counts until then.
    """
    deadline = time.monotonic() + seconds
    if not _slots.acquire(timeout=seconds):
        raise TimeoutError
    found, failed, ended = list[T](), list[BaseException](), threading.Event()

    def run() -> None:
        try:
            found.append(look_up())
        except BaseException as error:
            failed.append(error)
        finally:
            _slots.release()
            ended.set()

    threading.Thread(target=run, name="webhook-lookup", daemon=True).start()
    if not ended.wait(max(0.0, deadline - time.monotonic())):
        raise TimeoutError
    if failed:
        raise failed[0]
    return found[0]
