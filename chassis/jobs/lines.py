"""The log lines of jobs in the database, where they outlive the process that wrote them, and the steps of a job."""

import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select

from chassis.base.times import iso
from chassis.db import db, older
from chassis.db.faults import may_pass
from chassis.db.ticker import DatabaseTicker
from chassis.jobs.tables import lines
from chassis.observability import job_lines
from chassis.observability.job_lines import LINES, JobLines, Line
from chassis.settings import Settings

EVERY_SECONDS = 0.5
SLACK = 50  # lines above the limit before the oldest are deleted
MOST_SHOWN = 2 * LINES


class LineWriter(DatabaseTicker):
    """Stores the lines of this process's jobs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("job_lines", EVERY_SECONDS)
        self._kept: JobLines = job_lines.install(settings)
        self._storing = threading.Lock()

    def tick(self) -> None:
        """Store the lines that are there; they are kept for the next time while the database refuses.

        After an error that would come again they are lost, so that they do not hold up all later ones.
        """
        with self._storing:
            found = self._kept.take()
            try:
                if found:
                    db.write(lambda conn: store(conn, found))
            except Exception as error:
                if may_pass(error):
                    self._kept.keep(reversed(found), first=True)
                raise


_writer: LineWriter | None = None


def install(settings: Settings) -> None:
    """Keep the lines of this process's jobs; a process that runs jobs calls `start` to store them."""
    global _writer
    _writer = LineWriter(settings)


def start() -> None:
    """Store lines from now on, unless nobody asked to keep them."""
    if _writer is not None:
        _writer.start()


def flush() -> None:
    """Store the lines that are there, before a process stops; nothing is raised if the database refuses."""
    if _writer is not None:
        try:
            _writer.tick()
        except Exception as error:
            _writer.failed(error)


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


delete_older = older(lines.c.at)


def _cut(conn: Connection, job_id: str, most: int, *which: ColumnElement[bool]) -> None:
    """Delete a job's lines before its last `most` ones."""
    mine = lines.c.job_id == job_id
    last = select(lines.c.id).where(mine).order_by(lines.c.id.desc()).offset(most).limit(1)
    if (cut := conn.execute(last).scalar()) is not None:
        conn.execute(delete(lines).where(mine, lines.c.id <= cut, *which))
