"""The changes of the jobs table. Claim, heartbeat and finish are guarded: a row with another owner is not changed.

Leases begin and end by the database's clock, so that no machine's clock takes living jobs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from chassis.db.clock import database_time
from chassis.jobs import endings, lines, turns
from chassis.jobs.model import CANCELLED, ENDED, INTERRUPTED, QUEUED, RUNNING, SUCCEEDED, Job
from chassis.jobs.queries import as_asked, ended_before, get, job_of, of_owners
from chassis.jobs.tables import jobs


def insert(conn: Connection, job: Job) -> Job:
    """Store a new job."""
    conn.execute(jobs.insert().values(**asdict(job)))
    return job


def delete_ended(
    conn: Connection, kinds: Sequence[str], *, before: float, limit: int, asked: Mapping[str, str | None] | None = None
) -> int:
    """Delete some jobs of the given kinds that ended before a time; return how many."""
    old = (
        select(jobs.c.id)
        .where(*ended_before(kinds, before), *as_asked(asked or {}))
        .order_by(jobs.c.updated_at)
        .limit(limit)
    )
    found = list(conn.execute(old).scalars())
    conn.execute(delete(jobs).where(jobs.c.id.in_(found), jobs.c.state.in_(ENDED)))
    lines.delete_of(conn, found)
    return len(found)


def forget(conn: Connection, job_id: str) -> None:
    """Delete a job with its log lines, for a feature that deletes its own rows of the job; see `own_rows`."""
    conn.execute(delete(jobs).where(jobs.c.id == job_id))
    lines.delete_of(conn, [job_id])


def delete_one(conn: Connection, job_id: str, kinds: Sequence[str]) -> Job | None:
    """Delete a job of the given kinds with its lines; return it, or None if it has not ended."""
    job = get(conn, job_id)
    ended = (jobs.c.id == job_id, jobs.c.state.in_(ENDED), jobs.c.kind.in_(kinds))
    if conn.execute(delete(jobs).where(*ended)).rowcount != 1:
        return None
    lines.delete_of(conn, [job_id])
    return job


def claim(conn: Connection, *, kinds: Sequence[str], owner: str, now: float, lease_seconds: float) -> Job | None:
    """Take the next queued job in fair order (chassis/jobs/turns.py) for `owner`, or return None."""
    asked = {"kinds": kinds, "now": now, "by": owner, "lease": lease_seconds}
    return next((job for statement in CLAIM_NEXT if (job := _changed(conn, statement, asked))), None)


def claim_one(conn: Connection, job_id: str, *, owner: str, now: float, lease_seconds: float) -> Job | None:
    """Take this job for `owner`; return None if it is not queued or not ready yet."""
    return _changed(conn, CLAIM_ONE, {"wanted": job_id, "now": now, "by": owner, "lease": lease_seconds})


def heartbeat(conn: Connection, *, job_id: str, owner: str, lease_seconds: float) -> bool:
    """Extend the lease; return False if the job no longer belongs to the owner."""
    mine = (jobs.c.id == job_id, jobs.c.state == RUNNING, jobs.c.owner == owner)
    extended = {"lease_expires_at": database_time() + lease_seconds}
    return conn.execute(update(jobs).where(*mine).values(**extended)).rowcount == 1


def progress(
    conn: Connection, *, job_id: str, owner: str, done: int, total: int, message: str, now: float
) -> Job | None:
    """Store the progress; return None if the job no longer belongs to the owner."""
    values = {"done": done, "total": total, "message": message}
    return _change(conn, job_id, values, now, jobs.c.state == RUNNING, jobs.c.owner == owner)


def leave(conn: Connection, *, job_id: str, owner: str, now: float, state: str, **values: Any) -> Job | None:
    """Give a running job a new state and no owner; return None if it no longer belongs to the owner.

    A job that somebody has cancelled meanwhile is neither queued again nor interrupted: others would go on with it.
    """
    mine = (jobs.c.state == RUNNING, jobs.c.owner == owner)
    left = {"state": state, "owner": None, "lease_expires_at": None} | values
    moment = {"finished_at": now} if state in ENDED else {"queued_at": now}
    if state not in (QUEUED, INTERRUPTED):
        return _change(conn, job_id, moment | left, now, *mine)
    resting = _change(conn, job_id, moment | left, now, *mine, jobs.c.cancel_requested.is_(False))
    if resting is not None:
        return resting
    left.pop("attempt", None)  # which counts after all
    return _change(conn, job_id, left | {"state": CANCELLED, "error": None, "finished_at": now}, now, *mine)


def finish_late(conn: Connection, job: Job, now: float, **progress: Any) -> Job | None:
    """Store that a job has succeeded that was taken from its owner; return None if it was begun or touched since."""
    same = (jobs.c.state.in_((QUEUED, INTERRUPTED)), jobs.c.started_at == job.started_at)
    values = {"state": SUCCEEDED, "error": None, "attempt": job.attempt, "finished_at": now} | progress
    return _change(conn, job.id, values, now, *same)


def take_from_owner(conn: Connection, stalled: Job, *, now: float, state: str, error: str | None) -> Job | None:
    """Take a job from a dead owner; return None if that owner has renewed its lease meanwhile."""
    same = jobs.c.lease_expires_at == stalled.lease_expires_at
    if conn.execute(select(jobs.c.id).where(jobs.c.id == stalled.id, same)).first() is None:
        return None
    return leave(conn, job_id=stalled.id, owner=stalled.owner or "", now=now, state=state, error=error)


def cancel_queued(conn: Connection, job_id: str, now: float) -> Job | None:
    """Cancel a waiting job; return None if it does not wait."""
    values = {"state": "cancelled", "finished_at": now, "cancel_requested": True}
    return _change(conn, job_id, values, now, jobs.c.state == QUEUED)


def cancel(conn: Connection, job_id: str, now: float) -> Job | None:
    """Cancel a waiting job, or ask a running one's owner to stop; return None if it has ended."""
    return cancel_queued(conn, job_id, now) or request_cancel(conn, job_id, now)


def request_cancel(conn: Connection, job_id: str, now: float) -> Job | None:
    """Ask a running job's owner to stop; return None if it does not run."""
    return _change(conn, job_id, {"cancel_requested": True}, now, jobs.c.state == RUNNING)


def requeue(conn: Connection, job_id: str, now: float) -> Job | None:
    """Queue an ended job again; return None if it has not ended."""
    values = {
        "state": QUEUED,
        "attempt": 0,
        "error": None,
        "message": "",
        "cancel_requested": False,
        "not_before": now,
        "queued_at": now,
        "started_at": None,
        "finished_at": None,
    }
    return _change(conn, job_id, values, now, jobs.c.state.in_(ENDED))


def cancel_of(conn: Connection, owners: Collection[str], now: float) -> None:
    """Cancel some owners' waiting jobs, and ask the running ones to stop."""
    _change_all(
        conn, {"state": CANCELLED, "finished_at": now, "cancel_requested": True}, now, *of_owners(owners, QUEUED)
    )
    _change_all(conn, {"cancel_requested": True}, now, *of_owners(owners, RUNNING))


def hand_over(conn: Connection, owners: Collection[str], heir: str, now: float) -> None:
    """Hand some owners' unfinished jobs over to another owner."""
    _change_all(conn, {"submitted_by": heir}, now, *of_owners(owners, QUEUED, RUNNING))


def _change_all(conn: Connection, values: dict[str, Any], now: float, *guard: ColumnElement[bool]) -> None:
    stamped = {**values, "updated_at": now, "revision": jobs.c.revision + 1}
    conn.execute(update(jobs).where(*guard).values(**stamped))


def _change(
    conn: Connection, job_id: str, values: dict[str, Any], now: float, *guard: ColumnElement[bool]
) -> Job | None:
    stamped = {**values, "updated_at": now, "revision": jobs.c.revision + 1}
    job = _changed(conn, update(jobs).where(jobs.c.id == job_id, *guard).values(**stamped).returning(*jobs.c), {})
    if job is not None and "finished_at" in values and job.state in ENDED:
        endings.ended(conn, job)
    return job


def _changed(conn: Connection, statement: ReturningUpdate[Any], asked: Mapping[str, Any]) -> Job | None:
    """Return the one job that a statement changes, or None."""
    row = conn.execute(statement, asked).first()
    return job_of(row) if row else None


def _claiming(which: ColumnElement[str]) -> ReturningUpdate[Any]:
    """Return the statement that claims a job; built once, since building takes longer than running it."""
    ready = (jobs.c.id == which, jobs.c.state == QUEUED, jobs.c.not_before <= bindparam("now"))
    values = {
        "state": RUNNING,
        "owner": bindparam("by"),
        "lease_expires_at": database_time() + bindparam("lease"),
        "attempt": jobs.c.attempt + 1,
        "started_at": bindparam("now"),
        "finished_at": None,
        "error": None,
        "updated_at": bindparam("now"),
        "revision": jobs.c.revision + 1,
    }
    return update(jobs).where(*ready).values(**values).returning(*jobs.c)


CLAIM_ONE = _claiming(bindparam("wanted"))
CLAIM_NEXT = [_claiming(query.scalar_subquery()) for query in turns.NEXT]
