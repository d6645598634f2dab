"""All SQL of the schedules. A guarded update starts a run, so that only one of several processes starts it."""

from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import IntegrityError

from chassis.jobs import store
from chassis.jobs.model import QUEUED, RUNNING, Job
from chassis.jobs.tables import jobs, schedules

Outcome = Literal["started", "busy", "taken"]


def rows(conn: Connection) -> list[Row[Any]]:
    """Return all schedules, with the state and error of their last job if it still exists."""
    last = select(schedules, jobs.c.state.label("last_state"), jobs.c.error.label("last_error"))
    return list(conn.execute(last.outerjoin(jobs, jobs.c.id == schedules.c.last_job_id)))


def due(conn: Connection, now: float) -> list[Row[Any]]:
    """Return the schedules whose next run has come."""
    return list(conn.execute(select(schedules).where(schedules.c.next_at <= now)))


def plan(conn: Connection, kind: str, expression: str, next_at: float | None) -> None:
    """Store when a kind runs next; if the expression is unchanged, its time is kept."""
    mine = schedules.c.kind == kind
    if conn.execute(select(schedules.c.kind).where(mine)).first() is None:
        try:
            with conn.begin_nested():
                conn.execute(schedules.insert().values(kind=kind, expression=expression, next_at=next_at, skipped=0))
        except IntegrityError:
            return  # another process was first
    changed = (mine, schedules.c.expression != expression)
    conn.execute(update(schedules).where(*changed).values(expression=expression, next_at=next_at))


def start(conn: Connection, kind: str, seen_at: float, next_at: float, job: Job, now: float) -> Outcome:
    """Advance a schedule from the time at which it was read, and store its job unless the last one has not ended."""
    if busy := is_busy(conn, kind):
        values: dict[str, Any] = {"skipped": schedules.c.skipped + 1}
    else:
        values = {"last_at": now, "last_job_id": job.id}
    if not _move(conn, kind, seen_at, next_at=next_at, **values):
        return "taken"
    if not busy:
        store.insert(conn, job)
    return "busy" if busy else "started"


def skip(conn: Connection, kind: str, seen_at: float, next_at: float) -> bool:
    """Advance a schedule without a run; return False if another process has advanced it."""
    return _move(conn, kind, seen_at, next_at=next_at, skipped=schedules.c.skipped + 1)


def start_now(conn: Connection, kind: str, job: Job, now: float) -> bool:
    """Store a job of a kind outside its schedule; return False if the last one has not ended."""
    if is_busy(conn, kind):
        return False
    conn.execute(update(schedules).where(schedules.c.kind == kind).values(last_at=now, last_job_id=job.id))
    store.insert(conn, job)
    return True


def is_busy(conn: Connection, kind: str) -> bool:
    """Return whether the last run of a schedule is waiting or running."""
    last = select(jobs.c.id).join(schedules, schedules.c.last_job_id == jobs.c.id)
    return conn.execute(last.where(schedules.c.kind == kind, jobs.c.state.in_((QUEUED, RUNNING)))).first() is not None


def succeeded(conn: Connection, job_id: str, now: float) -> None:
    """Record that a run succeeded; its job may be deleted later."""
    conn.execute(update(schedules).where(schedules.c.last_job_id == job_id).values(last_success_at=now))


def _move(conn: Connection, kind: str, seen_at: float, **values: Any) -> bool:
    same = (schedules.c.kind == kind, schedules.c.next_at == seen_at)
    return conn.execute(update(schedules).where(*same).values(**values)).rowcount == 1
