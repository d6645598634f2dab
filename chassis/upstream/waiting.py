"""Waits that end soon after the caller is cancelled."""

import time
from collections.abc import Callable

from chassis.upstream.errors import Cancelled

POLL_SECONDS = 0.1  # how often a waiting caller checks whether it was cancelled

Check = Callable[[], bool]
"""A type: a function that returns whether a caller was cancelled."""


def never() -> bool:
    """Return False: the default for callers that cannot be cancelled."""
    return False


def stop_if(cancelled: Check) -> None:
    """Raise Cancelled when `cancelled()` is true."""
    if cancelled():
        raise Cancelled


def sleep(seconds: float, cancelled: Check) -> None:
    """Sleep; raise Cancelled soon after `cancelled()` turns true."""
    end = time.monotonic() + seconds
    while True:
        stop_if(cancelled)
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, POLL_SECONDS))
