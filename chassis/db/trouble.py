"""What people are told while the database refuses: that it does, why, and when to come again."""

from sqlalchemy.exc import SQLAlchemyError

from chassis.db.engine import may_pass, reason_of
from chassis.errors import Unavailable

RETRY_AFTER_SECONDS = 5.0
WORDS = (  # what SQLite and PostgreSQL say, and what that means
    (("full", "no space", "quota"), "its disk is full"),
    (("readonly", "read-only"), "it is read-only"),
    (("locked", "lock timeout", "busy"), "it is busy with a long operation"),
    (("disk i/o", "unable to open"), "its disk has an error"),
)


class DatabaseUnavailable(Unavailable):
    """The database refuses what it may take later."""

    code, retry_after_seconds = "database_unavailable", RETRY_AFTER_SECONDS


def unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """Return what people are told of an error that may pass, or None for another one."""
    if not isinstance(error, SQLAlchemyError) or not may_pass(error):
        return None
    said = reason_of(error).lower()
    why = next((words for signs, words in WORDS if any(sign in said for sign in signs)), "it does not answer")
    return DatabaseUnavailable(f"The database cannot do that now: {why}. Try again in a moment.")
