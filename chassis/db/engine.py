"""Creates SQLite's engines, configured to be safe under load and under green threads; times slow statements."""

import contextlib
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url

from chassis.base.database_url import MAX_BUSY_SECONDS, busy_seconds
from chassis.base.environment import BASE_DIR
from chassis.db.disk import make_private

INLINE_BUSY_SECONDS = 1.0
BUSY_SECONDS = 15.0


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


def hide_statements(engine: Engine) -> None:
    """Leave statements and their values out of the text of errors, which logs, consoles and people show."""

    def hide(context: ExceptionContext) -> None:
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.statement = None

    event.listen(engine, "handle_error", hide)


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
