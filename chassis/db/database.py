"""Access to the database: reads and writes that never block the hub."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from chassis.base.concurrency import run_in_thread
from chassis.db.engine import postgres_engine, reason_of, sqlite_engine, watch_slow_statements
from chassis.observability import tracing
from chassis.observability.metrics import DATABASE_LATENCY, DATABASE_SLOW
from chassis.settings import Settings

T = TypeVar("T")
Work = Callable[[Connection], T]
Slow = list[tuple[str, float]]  # statements and their durations in seconds
log = structlog.get_logger(__name__)
DAMAGED = ("database disk image is malformed", "file is not a database")


class Database:
    """Runs functions of a connection, each in its own transaction.

    On SQLite a write runs in a real thread, one at a time; a read runs inline, since it takes microseconds, or in a
    real thread when it is `unbounded`. On PostgreSQL all run inline, since waiting on a socket lets others run.
    """

    damage: str | None = None  # SQLite's message about a damaged file, which does not go away by itself

    def __init__(self) -> None:
        self._opened = False

    def open(self, settings: Settings) -> None:
        """Create the engines; the first use connects."""
        self.close()
        url = settings.database_url.get_secret_value()
        self.sqlite, self.damage = settings.sqlite_path is not None, None
        self._writing = threading.Lock()
        if self.sqlite:
            self.reader = sqlite_engine(url, pooled=True, immediate=False)
            self.scanner = sqlite_engine(url, pooled=False, immediate=False)
            self.writer = sqlite_engine(url, pooled=False, immediate=True)
            self.syncer = sqlite_engine(url, pooled=False, immediate=True, synced=True)
        else:
            self.reader = self.scanner = self.writer = self.syncer = postgres_engine(url)
        for engine in self._engines():
            watch_slow_statements(engine, settings.database_slow_query_seconds)
        self._opened = True

    def warm(self) -> None:
        """Connect once with each engine, so that their one-time setup takes no lock in a real thread."""
        for engine in self._engines():
            engine.connect().close()

    def close(self) -> None:
        """Close all connections."""
        if self._opened:
            for engine in self._engines():
                engine.dispose()
            self._opened = False

    def read(self, work: Work[T], *, unbounded: bool = False) -> T:
        """Return `work(connection)`; set `unbounded` for a query whose time grows with the data."""
        started, slow = time.perf_counter(), Slow()
        try:
            with tracing.query("read", work):
                if unbounded and self.sqlite:
                    return run_in_thread(lambda: self._run(self.scanner, work, slow))
                return self._run(self.reader, work, slow)
        finally:
            self._observe("read", started, slow)

    def write(self, work: Work[T], *, synced: bool = False) -> T:
        """Return `work(connection)` after its transaction is committed; an exception rolls it back.

        `work` must not log, count or call back into the application: under eventlet it runs in a real thread. A
        `synced` write is on SQLite's disk when this returns; others survive a crash of the process alone.
        """
        started, slow, engine = time.perf_counter(), Slow(), self.syncer if synced else self.writer
        try:
            if not self.sqlite:
                with tracing.query("write", work):
                    return self._run(engine, work, slow)
            with tracing.query("write", work), self._writing:
                return run_in_thread(lambda: self._run(engine, work, slow))
        finally:
            self._observe("write", started, slow)

    def _run(self, engine: Engine, work: Work[T], slow: Slow) -> T:
        try:
            with engine.connect() as connection:
                connection.info["slow"] = slow
                with connection.begin():
                    return work(connection)
        except DatabaseError as error:
            if self.sqlite and any(words in str(error.orig) for words in DAMAGED):
                self.damage = f"the database is damaged ({reason_of(error)}): restore a backup"
            raise

    def _engines(self) -> list[Engine]:
        return list({id(e): e for e in (self.reader, self.scanner, self.writer, self.syncer)}.values())

    @staticmethod
    def _observe(kind: str, started: float, slow: Slow) -> None:
        DATABASE_LATENCY.labels(kind).observe(time.perf_counter() - started)
        for statement, seconds in slow:
            DATABASE_SLOW.inc()
            log.warning("slow_query", statement=" ".join(statement.split())[:500], duration_seconds=round(seconds, 3))
