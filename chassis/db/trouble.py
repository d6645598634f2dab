"""Tells users that the database refuses, why, and when to retry."""

from chassis.db.faults import fault_of
from chassis.errors import Unavailable

RETRY_AFTER_SECONDS = 5.0


class DatabaseUnavailable(Unavailable):
    """The database refuses an operation that it may accept later."""

    code, retry_after_seconds = "database_unavailable", RETRY_AFTER_SECONDS


def unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """Return the error to show for a temporary database error, or None for another one."""
    fault = fault_of(error)
    if fault is None:
        return None
    return DatabaseUnavailable(f"The database cannot do that now: {fault.value}. Try again in a moment.")
