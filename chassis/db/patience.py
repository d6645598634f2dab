"""Lets the work of a job wait while the database refuses, instead of failing; see chassis/db/faults.py for what passes.

The choice belongs to a context (contextvars): threads that a job starts take a copy of the job's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import structlog

from chassis.db.faults import may_pass, reason_of

T = TypeVar("T")
Wait = Callable[[float], object]
RETRY_SECONDS = 0.5
log = structlog.get_logger(__name__)
_wait: ContextVar[Wait | None] = ContextVar("wait_for_the_database", default=None)


@contextmanager
def patient(wait: Wait | None) -> Iterator[None]:
    """Repeat reads and writes within while the database refuses; None ends that.

    `wait(seconds)` is called between two attempts, and raises to give up.
    """
    before = _wait.set(wait)
    try:
        yield
    finally:
        _wait.reset(before)


def patiently(call: Callable[[], T]) -> T:
    """Return `call()`, repeated while the database refuses if the caller's context is patient."""
    wait = _wait.get()
    if wait is None:
        return call()
    refused = False
    while True:
        try:
            return call()
        except Exception as error:
            if not may_pass(error):
                raise
            if not refused:
                log.warning("database_awaited", reason=reason_of(error))
            refused = True
        wait(RETRY_SECONDS)
