"""The database's clock, which all processes share, whatever the clocks of their machines say."""

import time
from typing import Any

import structlog
from sqlalchemy import Connection, Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

log = structlog.get_logger(__name__)
TOLERATED_SECONDS = 2.0  # machines differ by less; then the machine's own clock is the more exact one
MOST_SECONDS = 1.0  # a question that travels for longer says too little about the time


class database_time(GenericFunction[float]):
    """The time at which the statement runs, in seconds since 1970; with SQLite that is this machine's, to 1 ms."""

    type = Float()
    inherit_cache = True


@compiles(database_time, "postgresql")
def _of_postgres(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::float8"


@compiles(database_time, "sqlite")
def _of_sqlite(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


class _Machine:
    """How far this machine's clock is ahead of the database's; 0 while it is about right."""

    ahead = 0.0


def now() -> float:
    """Return the time in seconds since 1970 that this process and all others of the database agree on."""
    return time.time() - _Machine.ahead


def compare(conn: Connection) -> None:
    """Compare this machine's clock with the database's, which takes a round trip; SQLite's is the machine's own."""
    if conn.dialect.name != "sqlite":
        before = time.time()
        _learn(before, conn.execute(select(database_time())).scalar_one())


def compare_at_connect(connection: Any, _record: Any) -> None:
    """Compare the clocks over a new connection to PostgreSQL, before anything is done with it."""
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute(f"SELECT {_of_postgres(None, None)}")
        _learn(before, cursor.fetchone()[0])
    connection.rollback()


def _learn(before: float, theirs: float) -> None:
    """Take note of the database's time, which was asked for at `before`."""
    after = time.time()
    if not 0 <= after - before <= MOST_SECONDS:
        return
    ahead = (before + after) / 2 - theirs
    was, _Machine.ahead = _Machine.ahead, ahead if abs(ahead) > TOLERATED_SECONDS else 0.0
    if _Machine.ahead and not was:
        log.warning("clock_differs", ahead_seconds=round(ahead, 1), hint="Correct this machine's clock.")
