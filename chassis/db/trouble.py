"""Tells users that the database refuses, why, and when to retry."""

from sqlalchemy.exc import SQLAlchemyError

from chassis.db.engine import may_pass, reason_of
from chassis.errors import Unavailable

RETRY_AFTER_SECONDS = 5.0
WORDS = (  # messages of SQLite and PostgreSQL, and their meaning
    (("full", "no space", "quota"), "its disk is full"),
    (("readonly", "read-only"), "it is read-only"),
    (("locked", "lock timeout", "busy"), "it is busy with a long operation"),
    (("disk i/o", "unable to open"), "its disk has an error"),
)


class DatabaseUnavailable(Unavailable):
    """The database refuses an operation that it may accept later."""

    code, retry_after_seconds = "database_unavailable", RETRY_AFTER_SECONDS


def unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """Return the error to show for a temporary database error, or None for another one."""
    if not isinstance(error, SQLAlchemyError) or not may_pass(error):
        return None
    said = reason_of(error).lower()
    why = next((words for signs, words in WORDS if any(sign in said for sign in signs)), "it does not answer")
    return DatabaseUnavailable(f"The database cannot do that now: {why}. Try again in a moment.")
