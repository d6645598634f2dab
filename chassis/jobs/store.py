"""All SQL of the jobs table. Claim, heartbeat and finish are guarded: a row with another owner is not changed.

Leases begin and end by the database's clock, so that no machine's clock takes living jobs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, literal, select, tuple_, update

from chassis.db.clock import database_time
from chassis.jobs import endings, turns
from chassis.jobs.model import CANCELLED, ENDED, QUEUED, RUNNING, Job
from chassis.jobs.tables import jobs


def insert(conn: Connection, job: Job) -> Job:
    """Store a new job."""
    conn.execute(jobs.insert().values(**asdict(job)))
    return job


def get(conn: Connection, job_id: str) -> Job | None:
    """Return a job, or None."""
    row = conn.execute(select(jobs).where(jobs.c.id == job_id)).first()
    return _job(row) if row else None


def listing(conn: Connection, asked: Mapping[str, str | None], *, limit: int, offset: int) -> tuple[list[Job], int]:
    """Return a page of the jobs whose columns match (None matches any), newest first, and their total number."""
    where = _as(asked)
    query = select(jobs).where(*where).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit).offset(offset)
    total = conn.execute(select(func.count()).select_from(jobs).where(*where)).scalar_one()
    return [_job(row) for row in conn.execute(query)], total


def matching(conn: Connection, asked: Mapping[str, str | None], *, since: float, limit: int) -> list[Job]:
    """Return the newest jobs created since a time whose columns match (None matches any)."""
    query = select(jobs).where(jobs.c.created_at >= since, *_as(asked))
    return [_job(row) for row in conn.execute(query.order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit))]


def delete_ended(
    conn: Connection, kinds: Sequence[str], *, before: float, limit: int, asked: Mapping[str, str | None] | None = None
) -> int:
    """Delete some jobs of the given kinds that ended before a time; return how many."""
    old = select(jobs.c.id).where(*_ended(kinds, before), *_as(asked or {})).order_by(jobs.c.updated_at).limit(limit)
    found = list(conn.execute(old).scalars())
    conn.execute(delete(jobs).where(jobs.c.id.in_(found), jobs.c.state.in_(ENDED)))
    return len(found)


def count_ended(conn: Connection, kinds: Sequence[str], *, before: float, asked: Mapping[str, str | None]) -> int:
    """Return how many jobs of the given kinds ended before a time."""
    where = (*_ended(kinds, before), *_as(asked))
    return conn.execute(select(func.count()).select_from(jobs).where(*where)).scalar_one()


def claim(conn: Connection, *, kinds: Sequence[str], owner: str, now: float, lease_seconds: float) -> Job | None:
    """Take the next queued job in fair order (chassis/jobs/turns.py) for `owner`, or return None."""
    job_id = turns.next_id(conn, kinds=kinds, now=now)
    return None if job_id is None else claim_one(conn, job_id, owner=owner, now=now, lease_seconds=lease_seconds)


def claim_one(conn: Connection, job_id: str, *, owner: str, now: float, lease_seconds: float) -> Job | None:
    """Take this job for `owner`; return None if it is not queued or not ready yet."""
    values = {
        "state": RUNNING,
        "owner": owner,
        "lease_expires_at": database_time() + lease_seconds,
        "attempt": jobs.c.attempt + 1,
        "started_at": now,
        "finished_at": None,
        "error": None,
    }
    return _change(conn, job_id, values, now, jobs.c.state == QUEUED, jobs.c.not_before <= now)


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
    """Give a running job a new state and no owner; return None if it no longer belongs to the owner."""
    ended = {"state": state, "owner": None, "lease_expires_at": None, **values}
    ended |= {"finished_at": now} if state in ENDED else {"queued_at": now, "cancel_requested": False}
    return _change(conn, job_id, ended, now, jobs.c.state == RUNNING, jobs.c.owner == owner)


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


def unfinished_of(conn: Connection, owners: Collection[str]) -> list[tuple[str, str, str]]:
    """Return (id, kind, state) of some owners' unfinished jobs, oldest first."""
    query = select(jobs.c.id, jobs.c.kind, jobs.c.state).where(*_of(owners, QUEUED, RUNNING))
    return [tuple(row) for row in conn.execute(query.order_by(jobs.c.created_at))]


def cancel_of(conn: Connection, owners: Collection[str], now: float) -> None:
    """Cancel some owners' waiting jobs, and ask the running ones to stop."""
    _change_all(conn, {"state": CANCELLED, "finished_at": now, "cancel_requested": True}, now, *_of(owners, QUEUED))
    _change_all(conn, {"cancel_requested": True}, now, *_of(owners, RUNNING))


def hand_over(conn: Connection, owners: Collection[str], heir: str, now: float) -> None:
    """Hand some owners' unfinished jobs over to another owner."""
    _change_all(conn, {"submitted_by": heir}, now, *_of(owners, QUEUED, RUNNING))


def running(conn: Connection) -> list[Job]:
    """Return all jobs in the state `running`."""
    return [_job(row) for row in conn.execute(select(jobs).where(jobs.c.state == RUNNING))]


def lapsed(conn: Connection) -> set[str]:
    """Return the ids of running jobs whose lease has ended."""
    ended = func.coalesce(jobs.c.lease_expires_at, 0) < database_time()
    return set(conn.execute(select(jobs.c.id).where(jobs.c.state == RUNNING, ended)).scalars())


def cancel_flags(conn: Connection, job_ids: Sequence[str]) -> set[str]:
    """Return the ids of those jobs whose cancellation was requested."""
    query = select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.cancel_requested)
    return set(conn.execute(query).scalars())


def changes_after(conn: Connection, at: float, job_id: str, limit: int) -> list[tuple[str, int, float]]:
    """Return (id, revision, time) of the rows that changed later, or at that time with a greater id."""
    behind = tuple_(jobs.c.updated_at, jobs.c.id) > tuple_(literal(at), literal(job_id))
    query = select(jobs.c.id, jobs.c.revision, jobs.c.updated_at).where(behind)
    return [tuple(row) for row in conn.execute(query.order_by(jobs.c.updated_at, jobs.c.id).limit(limit))]


def by_ids(conn: Connection, job_ids: Sequence[str]) -> list[Job]:
    """Return those of the jobs that exist, oldest change first; takes a few hundred ids at most."""
    query = select(jobs).where(jobs.c.id.in_(job_ids)).order_by(jobs.c.updated_at, jobs.c.id)
    return [_job(row) for row in conn.execute(query)]


def active(conn: Connection, submitted_by: str, leave_out: Collection[str] = ()) -> int:
    """Return how many jobs of a submitter wait or run, without the kinds in `leave_out`."""
    mine = (jobs.c.state.in_((QUEUED, RUNNING)), jobs.c.submitted_by == submitted_by, jobs.c.kind.not_in(leave_out))
    return conn.execute(select(func.count()).select_from(jobs).where(*mine)).scalar_one()


def ids_in(conn: Connection, state: str, limit: int) -> list[str]:
    """Return the ids of jobs in a state."""
    return list(conn.execute(select(jobs.c.id).where(jobs.c.state == state).limit(limit)).scalars())


def states(conn: Connection) -> list[tuple[str, int]]:
    """Return (state, number) of all jobs; read from an index alone."""
    query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    return [(state, number) for state, number in conn.execute(query)]


def counts(conn: Connection) -> list[tuple[str, str, int]]:
    """Return (kind, state, number) of all jobs."""
    query = select(jobs.c.kind, jobs.c.state, func.count()).group_by(jobs.c.kind, jobs.c.state)
    return [(kind, state, number) for kind, state, number in conn.execute(query)]


def oldest_queued(conn: Connection, now: float) -> list[tuple[str, float]]:
    """Return (kind, seconds that the kind's oldest ready job has waited)."""
    ready = (jobs.c.state == QUEUED, jobs.c.not_before <= now)
    query = select(jobs.c.kind, func.min(jobs.c.queued_at)).where(*ready).group_by(jobs.c.kind)
    return [(kind, max(0.0, now - queued_at)) for kind, queued_at in conn.execute(query)]


def _as(asked: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    """Return the conditions for jobs whose columns match (None matches any)."""
    return [jobs.c[name] == value for name, value in asked.items() if value is not None]


def _ended(kinds: Sequence[str], before: float) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for old jobs; `updated_at`, which has an index, is no earlier than the job's end."""
    return jobs.c.updated_at < before, jobs.c.state.in_(ENDED), jobs.c.kind.in_(kinds)


def _of(owners: Collection[str], *states: str) -> tuple[ColumnElement[bool], ...]:
    return jobs.c.submitted_by.in_(sorted(owners)), jobs.c.state.in_(states)


def _change_all(conn: Connection, values: dict[str, Any], now: float, *guard: ColumnElement[bool]) -> None:
    stamped = {**values, "updated_at": now, "revision": jobs.c.revision + 1}
    conn.execute(update(jobs).where(*guard).values(**stamped))


def _change(
    conn: Connection, job_id: str, values: dict[str, Any], now: float, *guard: ColumnElement[bool]
) -> Job | None:
    stamped = {**values, "updated_at": now, "revision": jobs.c.revision + 1}
    changed = conn.execute(update(jobs).where(jobs.c.id == job_id, *guard).values(**stamped)).rowcount
    job = get(conn, job_id) if changed == 1 else None
    if job is not None and "finished_at" in values and job.state in ENDED:
        endings.ended(conn, job)
    return job


def _job(row: Row[Any]) -> Job:
    return Job(**row._mapping)
