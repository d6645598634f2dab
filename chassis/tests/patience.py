"""How long tests wait for events: one limit, which a slow machine may need and a passing run never reaches."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
LIMIT_SECONDS = 120.0
PAUSE_SECONDS = 0.05  # between two looks


def wait_until(condition: Callable[[], Value], message: str = "it did not happen") -> Value:
    """Return the condition's first true value; fail with the message after LIMIT_SECONDS."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"{message} within {LIMIT_SECONDS:.0f} s")


def let_pass(seconds: float) -> None:
    """Let real time pass where time itself is tested (a bucket fills, a lease ends); never to wait for an event."""
    time.sleep(seconds)
