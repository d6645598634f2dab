"""Classifies the errors of both databases in one place: what may pass when it is retried, and how it is told."""

import sqlite3
from enum import Enum

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Fault(Enum):
    """A reason that lies in the database's surroundings, not in the statement; the value ends "The database ...: "."""

    AWAY = "it does not answer"
    BUSY = "it is busy with a long operation"
    CROWDED = "all of its connections are in use"
    DISK_FULL = "its disk is full"
    DISK_ERROR = "its disk has an error"
    READ_ONLY = "it is read-only"


OF_SQLITE = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_CANTOPEN: Fault.DISK_ERROR,
    sqlite3.SQLITE_FULL: Fault.DISK_FULL,
    sqlite3.SQLITE_IOERR: Fault.DISK_ERROR,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
}
# The longest prefix counts: https://www.postgresql.org/docs/current/errcodes-appendix.html
OF_POSTGRES = {
    "08": Fault.AWAY,
    "25006": Fault.READ_ONLY,  # read_only_sql_transaction
    "25P03": Fault.AWAY,  # idle_in_transaction_session_timeout, which ends the connection
    "25P04": Fault.AWAY,  # transaction_timeout
    "26000": Fault.AWAY,  # a prepared statement is missing or doubled: a pooler gave another connection
    "40": Fault.BUSY,  # a deadlock, or a transaction that collided with another one
    "42P05": Fault.AWAY,
    "53": Fault.CROWDED,
    "53100": Fault.DISK_FULL,
    "55006": Fault.BUSY,
    "55P03": Fault.BUSY,  # lock_timeout
    "57": Fault.AWAY,
    "57014": Fault.BUSY,  # statement_timeout
    "58": Fault.DISK_ERROR,
}
PREPARED = ("26000", "42P05")
STALE_PLAN = "cached plan must not change result type"  # another process has migrated the table meanwhile
IN_VAIN = "8s2b"  # SQLAlchemy's code of work that goes on after its connection broke
FULL_WORDS = ("no space", "quota")


def fault_of(error: BaseException) -> Fault | None:
    """Return why the database refuses for the moment, or None for an error that would come again."""
    if isinstance(error, PoolTimeout):
        return Fault.CROWDED
    if not isinstance(error, SQLAlchemyError):
        return None
    said = getattr(error, "orig", None)
    if isinstance(said, sqlite3.Error):
        return OF_SQLITE.get(getattr(said, "sqlite_errorcode", 0) & 0xFF)  # the other bits are details
    if error.code == IN_VAIN:
        return Fault.AWAY
    return _of_postgres(error) if isinstance(error, DBAPIError) else None


def too_busy() -> OperationalError:
    """Return the error of a writer whose turn did not come, in the form of SQLite's own."""
    said = sqlite3.OperationalError("database is locked")
    said.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("BEGIN IMMEDIATE", None, said)


def may_pass(error: BaseException) -> bool:
    """Return whether a retry can succeed: the database's surroundings failed, not the statement."""
    return fault_of(error) is not None


def reason_of(error: BaseException) -> str:
    """Return the first line of the database's own message, or the error's type if it has none; never the statement."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def ends_connections(error: BaseException) -> bool:
    """Return whether new connections may do what those of the pool refuse, as after a failover."""
    state = _state(error)
    return state == "25006" or state in PREPARED or STALE_PLAN in str(error)


def _of_postgres(error: DBAPIError) -> Fault | None:
    state = _state(error.orig)
    if prefixes := [prefix for prefix in OF_POSTGRES if state.startswith(prefix)]:
        return OF_POSTGRES[max(prefixes, key=len)]
    if STALE_PLAN in str(error.orig) or error.connection_invalidated:
        return Fault.AWAY
    # Without a code, the error is the driver's own: it cannot connect, or the connection broke.
    return _of_words(error) if isinstance(error, OperationalError) and not state else None


def _of_words(error: DBAPIError) -> Fault:
    """Return the fault of a refused connection, whose code the driver does not give."""
    said = reason_of(error).lower()
    if any(words in said for words in FULL_WORDS):
        return Fault.DISK_FULL
    crowded = "too many" in said or "connection slots" in said or "no more connections" in said
    return Fault.CROWDED if crowded else Fault.AWAY


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""
