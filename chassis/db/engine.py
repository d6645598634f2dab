"""Creates the SQLAlchemy engines, configured to be safe under load and under green threads."""

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.base.concurrency import current_mode
from chassis.base.database_url import MAX_BUSY_SECONDS, busy_seconds
from chassis.base.environment import BASE_DIR, pass_to_children
from chassis.db.disk import make_private

INLINE_BUSY_SECONDS = 1.0
BUSY_SECONDS = 15.0
PASSING = {  # SQLite's codes for a full, broken or read-only disk, and for a lock
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
}
READ_ONLY_TRANSACTION = "25006"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


def sqlite_engine(url: str, *, pooled: bool, immediate: bool, synced: bool = False) -> Engine:
    """Return an engine for a SQLite file in WAL mode.

    An engine without a pool is safe in real threads beside green ones, since a pool's lock would be green. `immediate`
    takes the write lock at the start of a transaction, so that it cannot fail half-way because of a stale read.
    `synced` waits at each commit until it is on the disk; otherwise that is left to checkpoints, whose errors SQLite
    does not report.
    """
    parsed = make_url(url)
    if parsed.database and parsed.database != ":memory:":
        parsed = parsed.set(database=str(BASE_DIR / parsed.database), query={})
    options: dict[str, Any] = {} if pooled else {"poolclass": NullPool}
    wait = busy_seconds(url)
    timeout = min(INLINE_BUSY_SECONDS if pooled else MAX_BUSY_SECONDS, BUSY_SECONDS if wait is None else wait)
    engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": timeout}, **options)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare_sqlite)
    if synced:
        event.listen(engine, "connect", _sync_commits)
    event.listen(engine, "begin", _begin_immediate if immediate else _begin)
    return engine


def postgres_engine(url: str) -> Engine:
    """Return an engine for PostgreSQL whose waits yield to the hub under eventlet.

    psycopg's C wait blocks the hub, its `wait_selector` does not; psycopg reads the choice when it is imported.
    """
    pass_to_children("PSYCOPG_WAIT_FUNC", "wait_selector")
    engine = create_engine(url, pool_size=10, max_overflow=40, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    if current_mode() == "eventlet":
        from psycopg import waiting

        if waiting.wait is getattr(waiting, "wait_c", None):
            raise RuntimeError("psycopg was imported before PSYCOPG_WAIT_FUNC was set; it would block the hub")
    return engine


def reason_of(error: Exception) -> str:
    """Return the first line of the database's own message, or the error's type if it has none."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def may_pass(error: SQLAlchemyError) -> bool:
    """Return whether a retry can succeed: the database's environment failed, not the statement."""
    said = getattr(error, "orig", None)
    if isinstance(said, sqlite3.Error):
        return getattr(said, "sqlite_errorcode", 0) & 0xFF in PASSING  # the other bits are details
    if getattr(said, "sqlstate", None) == READ_ONLY_TRANSACTION or getattr(error, "connection_invalidated", False):
        return True
    return isinstance(error, OperationalError | PoolTimeout)


def watch_slow_statements(engine: Engine, threshold_seconds: float) -> None:
    """Append each statement that took longer than the threshold to the list `connection.info["slow"]`."""

    def before(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        conn.info["started"] = time.monotonic()

    def after(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        took = time.monotonic() - conn.info["started"]
        if took >= threshold_seconds:
            conn.info.get("slow", []).append((statement, took))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)


def _make_private(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Create a new file that only its owner can read; SQLite gives the same permissions to the files beside it."""
    with contextlib.suppress(OSError):  # the file exists, or cannot be created, which SQLite reports better
        make_private(Path(arguments[0]))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the begin events below start transactions, not the driver
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sync_commits(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=FULL")


def _begin(conn: Any) -> None:
    conn.exec_driver_sql("BEGIN")


def _begin_immediate(conn: Any) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE")
