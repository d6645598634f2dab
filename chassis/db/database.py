"""Access to the database: reads and writes that never block the hub."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from chassis.base.concurrency import run_in_thread
from chassis.db.engine import BUSY_SECONDS, hide_statements, sqlite_engine, watch_slow_statements
from chassis.db.faults import may_pass, reason_of, too_busy
from chassis.db.hang import HangWatch
from chassis.db.patience import patiently
from chassis.db.pool import connected
from chassis.db.postgres import postgres_engine
from chassis.db.replica import Replica
from chassis.observability import tracing
from chassis.observability.metrics import CONNECTIONS_MAX, DATABASE_LATENCY, DATABASE_SLOW
from chassis.settings import Settings

T = TypeVar("T")
Work = Callable[[Connection], T]
Slow = list[tuple[str, float]]  # statements and their durations in seconds
log = structlog.get_logger(__name__)
DAMAGED = ("database disk image is malformed", "file is not a database")
WITHOUT_TRANSACTION = {"isolation_level": "AUTOCOMMIT"}
_reserved: ContextVar[bool] = ContextVar("reserved_connections", default=False)


class Database:
    """Runs functions of a connection, each in its own transaction.

    On SQLite a write runs in a real thread, one at a time; a read runs inline, since it takes microseconds, or in a
    real thread when it is `unbounded`. On PostgreSQL all run inline, since waiting on a socket lets others run; there
    a read that is not `unbounded` has no transaction, which saves two round trips: each statement sees what is
    committed when it begins, as it would in a transaction.
    """

    damage: str | None = None  # SQLite's message about a damaged file, which does not go away by itself

    def __init__(self) -> None:
        self._opened = False

    def open(self, settings: Settings) -> None:
        """Create the engines; the first use connects."""
        self.close()
        url = settings.database_url.get_secret_value()
        self._most = settings.database_pool_size + settings.database_max_overflow
        self.sqlite, self.damage = settings.sqlite_path is not None, None
        self._writing = threading.Lock()
        self.replica: Replica | None = None
        self._hang: HangWatch | None = None
        if self.sqlite:
            self.reader = sqlite_engine(url, pooled=True, immediate=False)
            self.scanner = sqlite_engine(url, pooled=False, immediate=False)
            self.writer = sqlite_engine(url, pooled=False, immediate=True)
            self.syncer = sqlite_engine(url, pooled=False, immediate=True, synced=True)
            self._engines = [self.reader, self.scanner, self.writer, self.syncer]
        else:
            self.scanner = self.writer = self.syncer = postgres_engine(url, settings)
            self.reader = self.writer.execution_options(**WITHOUT_TRANSACTION)  # the same connections
            self.reserve = postgres_engine(url, settings, reserved=True)
            self.reserve_reader = self.reserve.execution_options(**WITHOUT_TRANSACTION)
            self._engines = [self.writer, self.reserve]
            self._hang = HangWatch(url, "database", "requests get 503")
            if read_url := settings.database_read_url.get_secret_value():
                replica = postgres_engine(read_url, settings)
                self.replica = Replica(replica.execution_options(**WITHOUT_TRANSACTION), read_url)
                self._engines.append(replica)
        for engine in self._engines:
            hide_statements(engine)
            watch_slow_statements(engine, settings.database_slow_query_seconds)
        self._opened = True

    def warm(self) -> None:
        """Connect once with each engine, so that their one-time setup takes no lock in a real thread.

        A server of PostgreSQL that does not answer may do so later.
        """
        for engine in self._engines:
            try:
                engine.connect().close()
            except SQLAlchemyError as error:
                if self.sqlite or not may_pass(error):
                    raise
                log.warning("database_not_warm", reason=reason_of(error))
        if not self.sqlite:
            CONNECTIONS_MAX.set(self._most)

    def watch(self) -> None:
        """From now on, notice a server of PostgreSQL that hangs, and end the waiting for it."""
        for hang in (self._hang, self.replica.hang if self.replica else None):
            if hang is not None:
                hang.start()

    def close(self) -> None:
        """Close all connections."""
        if self._opened:
            for engine in self._engines:
                engine.dispose()
            self._opened = False

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Within, use connections to PostgreSQL that requests and jobs cannot take: for heartbeats."""
        before = _reserved.set(True)
        try:
            yield
        finally:
            _reserved.reset(before)

    def read(self, work: Work[T], *, unbounded: bool = False, may_lag: bool = False) -> T:
        """Return `work(connection)`; set `unbounded` for a query whose time grows with the data.

        With `may_lag` it may be read from the replica at DATABASE_READ_URL, which does not have the last changes yet.
        In a job it waits while the database refuses (see chassis/db/patience.py).
        """
        return patiently(lambda: self._read(work, unbounded, may_lag))

    def write(self, work: Work[T], *, synced: bool = False) -> T:
        """Return `work(connection)` after its transaction is committed; an exception rolls it back.

        `work` must not log, count or call back into the application: under eventlet it runs in a real thread. A
        `synced` write is on SQLite's disk when this returns; others survive a crash of the process alone.
        In a job it waits while the database refuses, and then calls `work` again; when the connection breaks during
        the commit, that may already have happened, so `work` should be guarded (`UPDATE ... WHERE`) like every job.
        """
        return patiently(lambda: self._write(work, synced))

    def _read(self, work: Work[T], unbounded: bool, may_lag: bool) -> T:
        started, slow = time.perf_counter(), Slow()
        try:
            with tracing.query("read", work):
                if may_lag and self.replica is not None and self.replica.is_open():
                    try:
                        return self._run(self.replica.engine, work, slow)
                    except SQLAlchemyError as error:
                        self.replica.refused(error)
                if unbounded and self.sqlite:
                    return run_in_thread(lambda: self._run(self.scanner, work, slow))
                return self._run(self._choice(self.scanner if unbounded else self.reader), work, slow)
        finally:
            self._observe("read", started, slow)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for this process' other writers, no longer than SQLite waits for those of other processes.

        Each of them may wait as long for a locked database, so that a queue of them would hold a request for minutes.
        """
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise too_busy()
        try:
            yield
        finally:
            self._writing.release()

    def _write(self, work: Work[T], synced: bool) -> T:
        started, slow, engine = time.perf_counter(), Slow(), self.syncer if synced else self.writer
        try:
            if not self.sqlite:
                with tracing.query("write", work):
                    return self._run(self._choice(engine), work, slow)
            with tracing.query("write", work), self._turn():
                return run_in_thread(lambda: self._run(engine, work, slow))
        finally:
            self._observe("write", started, slow)

    def _choice(self, engine: Engine) -> Engine:
        if self.sqlite or not _reserved.get():
            return engine
        return self.reserve_reader if engine is self.reader else self.reserve

    def _run(self, engine: Engine, work: Work[T], slow: Slow) -> T:
        try:
            hang = self.replica.hang if self.replica is not None and engine is self.replica.engine else self._hang
            if hang is not None:
                hang.check()
            own = engine is self.writer or engine is self.reader
            with connected(engine) if own and not self.sqlite else engine.connect() as connection:
                connection.info["slow"] = slow
                with hang.watched(connection) if hang else nullcontext(), connection.begin():
                    return work(connection)
        except DatabaseError as error:
            if self.sqlite and any(words in str(error.orig) for words in DAMAGED):
                self.damage = f"the database is damaged ({reason_of(error)}): restore a backup"
            raise

    @staticmethod
    def _observe(kind: str, started: float, slow: Slow) -> None:
        DATABASE_LATENCY.labels(kind).observe(time.perf_counter() - started)
        for statement, seconds in slow:
            DATABASE_SLOW.inc()
            log.warning("slow_query", statement=" ".join(statement.split())[:500], duration_seconds=round(seconds, 3))
