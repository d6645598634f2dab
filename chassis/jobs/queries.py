"""The queries of the jobs table: what jobs there are, and how many."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, bindparam, case, cast, func, literal, or_, select, tuple_

from chassis.db.clock import database_time
from chassis.jobs.model import ENDED, QUEUED, RUNNING, Job
from chassis.jobs.tables import jobs

TEXT = "text"
ONE = select(jobs).where(jobs.c.id == bindparam("wanted"))


def get(conn: Connection, job_id: str) -> Job | None:
    """Return a job, or None."""
    row = conn.execute(ONE, {"wanted": job_id}).first()
    return job_of(row) if row else None


def listing(conn: Connection, asked: Mapping[str, str | None], *, limit: int, offset: int) -> tuple[list[Job], int]:
    """Return a page of the jobs whose columns match (None matches any), newest first, and their total number."""
    where = as_asked(asked)
    query = select(jobs).where(*where).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit).offset(offset)
    total = conn.execute(select(func.count()).select_from(jobs).where(*where)).scalar_one()
    return [job_of(row) for row in conn.execute(query)], total


def matching(conn: Connection, asked: Mapping[str, str | None], *, since: float, limit: int) -> list[Job]:
    """Return the newest jobs created since a time whose columns match (None matches any)."""
    query = select(jobs).where(jobs.c.created_at >= since, *as_asked(asked))
    return [job_of(row) for row in conn.execute(query.order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit))]


def by_ids(conn: Connection, job_ids: Sequence[str]) -> list[Job]:
    """Return those of the jobs that exist, oldest change first; takes a few hundred ids at most."""
    query = select(jobs).where(jobs.c.id.in_(job_ids)).order_by(jobs.c.updated_at, jobs.c.id)
    return [job_of(row) for row in conn.execute(query)]


def running(conn: Connection) -> list[Job]:
    """Return all jobs in the state `running`."""
    return [job_of(row) for row in conn.execute(select(jobs).where(jobs.c.state == RUNNING))]


def lapsed(conn: Connection) -> set[str]:
    """Return the ids of running jobs whose lease has ended."""
    ended = func.coalesce(jobs.c.lease_expires_at, 0) < database_time()
    return set(conn.execute(select(jobs.c.id).where(jobs.c.state == RUNNING, ended)).scalars())


def ids_in(conn: Connection, state: str, limit: int) -> list[str]:
    """Return the ids of jobs in a state."""
    return list(conn.execute(select(jobs.c.id).where(jobs.c.state == state).limit(limit)).scalars())


def ids_asked(
    conn: Connection,
    asked: Mapping[str, str | None],
    able: Sequence[ColumnElement[bool]],
    *,
    kinds: Collection[str] | None,
    limit: int,
) -> list[str]:
    """Return the ids of jobs that match and meet a condition, oldest first; of some kinds only unless that is None."""
    where = [*as_asked(asked), *able, *([] if kinds is None else [jobs.c.kind.in_(kinds)])]
    query = select(jobs.c.id).where(*where).order_by(jobs.c.created_at, jobs.c.id).limit(limit)
    return list(conn.execute(query).scalars())


def endable(created_until: float) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for jobs that can be cancelled: they wait or run, and were not asked to stop."""
    return jobs.c.state.in_((QUEUED, RUNNING)), ~jobs.c.cancel_requested, jobs.c.created_at <= created_until


def ended_until(until: float) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for jobs that have ended until a time; those that run again and end later are others."""
    return jobs.c.state.in_(ENDED), jobs.c.updated_at <= until


def unfinished_of(conn: Connection, owners: Collection[str]) -> list[tuple[str, str, str]]:
    """Return (id, kind, state) of some owners' unfinished jobs, oldest first."""
    query = select(jobs.c.id, jobs.c.kind, jobs.c.state).where(*of_owners(owners, QUEUED, RUNNING))
    return [tuple(row) for row in conn.execute(query.order_by(jobs.c.created_at))]


def active(conn: Connection, submitted_by: str, leave_out: Collection[str] = ()) -> int:
    """Return how many jobs of a submitter wait or run, without the kinds in `leave_out`."""
    mine = (jobs.c.state.in_((QUEUED, RUNNING)), jobs.c.submitted_by == submitted_by, jobs.c.kind.not_in(leave_out))
    return conn.execute(select(func.count()).select_from(jobs).where(*mine)).scalar_one()


def cancel_flags(conn: Connection, job_ids: Sequence[str]) -> set[str]:
    """Return the ids of those jobs whose cancellation was requested."""
    query = select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.cancel_requested)
    return set(conn.execute(query).scalars())


def changes_after(conn: Connection, at: float, job_id: str, limit: int) -> list[tuple[str, int, float]]:
    """Return (id, revision, time) of the rows that changed later, or at that time with a greater id."""
    behind = tuple_(jobs.c.updated_at, jobs.c.id) > tuple_(literal(at), literal(job_id))
    query = select(jobs.c.id, jobs.c.revision, jobs.c.updated_at).where(behind)
    return [tuple(row) for row in conn.execute(query.order_by(jobs.c.updated_at, jobs.c.id).limit(limit))]


def count_ended(conn: Connection, kinds: Sequence[str], *, before: float, asked: Mapping[str, str | None]) -> int:
    """Return how many jobs of the given kinds ended before a time."""
    where = (*ended_before(kinds, before), *as_asked(asked))
    return conn.execute(select(func.count()).select_from(jobs).where(*where)).scalar_one()


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
    since = case((jobs.c.not_before > jobs.c.queued_at, jobs.c.not_before), else_=jobs.c.queued_at)
    query = select(jobs.c.kind, func.min(since)).where(*ready).group_by(jobs.c.kind)
    return [(kind, max(0.0, now - waits_since)) for kind, waits_since in conn.execute(query)]


def as_asked(asked: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    """Return the conditions for jobs whose columns match (None matches any); `text` is searched in several columns."""
    given = {name: value for name, value in asked.items() if value is not None}
    return [_contain(value) if name == TEXT else jobs.c[name] == value for name, value in given.items()]


def _contain(text: str) -> ColumnElement[bool]:
    """Return the condition for jobs that contain a text, in upper or lower case; it reads every row."""
    names = (jobs.c.id, jobs.c.kind, jobs.c.message, jobs.c.error, jobs.c.submitted_by, cast(jobs.c.payload, Text))
    return or_(*(name.icontains(text, autoescape=True) for name in names))


def ended_before(kinds: Sequence[str], before: float) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for old jobs; `updated_at`, which has an index, is no earlier than the job's end."""
    return jobs.c.updated_at < before, jobs.c.state.in_(ENDED), jobs.c.kind.in_(kinds)


def of_owners(owners: Collection[str], *states: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for some owners' jobs in some states."""
    return jobs.c.submitted_by.in_(sorted(owners)), jobs.c.state.in_(states)


def job_of(row: Row[Any]) -> Job:
    """Return the job of a row with all columns."""
    return Job(**row._mapping)
