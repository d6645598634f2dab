"""Waits for locks between processes that are held for microseconds, unless their holder is not running."""

import time
from collections.abc import Callable

from chassis.base.concurrency import original

WAIT_SECONDS = 0.25  # the longest that a caller waits
# On a busy machine the caller itself may not be running for longer than it waits, so that it also has a least number of
# tries.
YIELDS, LEAST_TRIES, NAP_SECONDS = 50, 60, 0.0002


def wait(is_taken: Callable[[], bool], lock: str) -> None:
    """Call `is_taken` until it has taken the lock; raise TimeoutError if the holder seems to be stopped.

    The process waits as a whole, green threads too, so nothing that runs under such a lock may yield.
    """
    if is_taken():
        return
    tries, until, nap = 1, time.monotonic() + WAIT_SECONDS, original("time", "sleep")
    while not is_taken():
        tries += 1
        if tries > LEAST_TRIES and time.monotonic() > until:
            raise TimeoutError(f"another worker holds {lock}")
        nap(NAP_SECONDS if tries > YIELDS else 0)
