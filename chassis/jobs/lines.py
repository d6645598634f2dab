"""The log lines of jobs in the database, where they outlive the process that wrote them, and the steps of a job."""

import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select

from chassis.base.times import iso
from chassis.db import db
from chassis.db.ticker import DatabaseTicker
from chassis.jobs.tables import lines
from chassis.observability import job_lines
from chassis.observability.job_lines import LINES, JobLines, Line
from chassis.settings import Settings

EVERY_SECONDS = 0.5
SLACK = 50  # lines above the limit before the oldest are deleted
MOST_SHOWN = 2 * LINES


class LineWriter:
    """Stores this process's lines, from a thread that starts with the first one."""

    def __init__(self, settings: Settings) -> None:
        self.kept: JobLines = job_lines.install(settings, self._ensure)
        self._ticker: _Ticker | None = None
        self._starting, self._storing = threading.Lock(), threading.Lock()

    def flush(self) -> None:
        """Store the lines now; those that the database refuses are kept for the next time."""
        with self._storing:
            found = self.kept.take()
            try:
                if found:
                    db.write(lambda conn: store(conn, found))
            except Exception:
                self.kept.keep(reversed(found), first=True)
                raise

    def _ensure(self) -> None:
        if self._ticker is None:
            with self._starting:
                if self._ticker is None:
                    self._ticker = _Ticker(self)
                    self._ticker.start()


class _Ticker(DatabaseTicker):
    def __init__(self, writer: LineWriter) -> None:
        super().__init__("job_lines", EVERY_SECONDS)
        self._writer = writer

    def tick(self) -> None:
        self._writer.flush()


_writer: LineWriter | None = None


def install(settings: Settings) -> None:
    """Start storing the lines of this process's jobs."""
    global _writer
    _writer = LineWriter(settings)


def flush() -> None:
    """Store the last lines of a process that stops; nothing is raised if the database refuses."""
    if _writer is not None:
        try:
            _writer.flush()
        except Exception as error:
            _Ticker(_writer).failed(error)


def store(conn: Connection, found: Sequence[Line]) -> None:
    """Store lines, and delete the oldest of jobs that have too many."""
    worker = f"{socket.gethostname()}:{os.getpid()}"[:160]
    conn.execute(lines.insert(), [asdict(line) | {"worker": worker} for line in found])
    ids = {line.job_id for line in found}
    many = select(lines.c.job_id).where(lines.c.job_id.in_(ids)).group_by(lines.c.job_id)
    for job_id in list(conn.execute(many.having(func.count() > LINES + SLACK)).scalars()):
        _cut(conn, job_id, LINES, lines.c.step.is_(None))
        _cut(conn, job_id, MOST_SHOWN)


def of(conn: Connection, job_id: str) -> list[dict[str, Any]]:
    """Return a job's lines, oldest first."""
    query = select(lines).where(lines.c.job_id == job_id).order_by(lines.c.at, lines.c.id).limit(MOST_SHOWN + SLACK)
    shown = ("level", "step", "details", "worker", "text")
    return [{"at": iso(row.at)} | {name: getattr(row, name) for name in shown} for row in conn.execute(query)]


def delete_of(conn: Connection, job_ids: Sequence[str]) -> None:
    """Delete some jobs' lines."""
    conn.execute(delete(lines).where(lines.c.job_id.in_(job_ids)))


def delete_older(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` lines from before a time; return how many."""
    old = select(lines.c.id).where(lines.c.at < before).limit(limit)
    return conn.execute(delete(lines).where(lines.c.id.in_(old))).rowcount


def _cut(conn: Connection, job_id: str, most: int, *which: ColumnElement[bool]) -> None:
    """Delete a job's lines before its last `most` ones."""
    mine = lines.c.job_id == job_id
    last = select(lines.c.id).where(mine).order_by(lines.c.id.desc()).offset(most).limit(1)
    if (cut := conn.execute(last).scalar()) is not None:
        conn.execute(delete(lines).where(mine, lines.c.id <= cut, *which))
