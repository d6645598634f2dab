"""The former rows of jobs that an operator changed, kept for minutes, to take the change back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from sqlalchemy import Connection, delete, select, tuple_, update

from chassis.db import clock, db
from chassis.jobs import lines, queries
from chassis.jobs.model import CANCELLED, QUEUED, Job
from chassis.jobs.tables import jobs, undo

KEPT_SECONDS = 120.0
EXPIRE_SECONDS = 60.0
AT_ONCE = 500  # rows in a transaction
GONE = 0  # the revision of a deleted job


def note(conn: Connection, token: str, former: Mapping[str, Job], changed: Sequence[Job]) -> int:
    """Store the former rows of the changed jobs under a token; return how many.

    A job that equals its former row was deleted. A running job that was asked to stop cannot be taken back.
    """
    rows = [
        {"token": token, "job_id": job.id, "revision": revision, "at": clock.now(), "former": asdict(former[job.id])}
        for job in changed
        if (revision := _revision(former[job.id], job)) is not None
    ]
    if rows:
        conn.execute(undo.insert(), rows)
    return len(rows)


def restore(conn: Connection, token: str) -> tuple[list[Job], int]:
    """Give jobs their former rows; return them, and how many have changed since."""
    mine = (undo.c.token == token, undo.c.at > clock.now() - KEPT_SECONDS)
    noted = list(conn.execute(select(undo).where(*mine)))
    restored = [job for row in noted if (job := _restore(conn, Job(**row.former), row.revision)) is not None]
    _forget(conn, [(token, row.job_id) for row in noted])
    return restored, len(noted) - len(restored)


def expire() -> None:
    """Delete the rows that are too old to be used, with the log lines of deleted jobs."""
    query = select(undo.c.token, undo.c.job_id).where(undo.c.at <= clock.now() - KEPT_SECONDS).limit(AT_ONCE)
    while found := [(row.token, row.job_id) for row in db.read(lambda conn: list(conn.execute(query)))]:
        db.write(lambda conn, found=found: _forget(conn, found))  # type: ignore[misc]


def _forget(conn: Connection, keys: Sequence[tuple[str, str]]) -> None:
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first:][:AT_ONCE]
        conn.execute(delete(undo).where(tuple_(undo.c.token, undo.c.job_id).in_(some)))
        ids = {job_id for _, job_id in some}
        here = set(conn.execute(select(jobs.c.id).where(jobs.c.id.in_(ids))).scalars())
        lines.delete_of(conn, sorted(ids - here))


def _revision(former: Job, now: Job) -> int | None:
    """Return the revision at which a change can be taken back, or None if it cannot."""
    if former == now:
        return GONE
    return now.revision if now.state in (QUEUED, CANCELLED) else None


def _restore(conn: Connection, former: Job, revision: int) -> Job | None:
    """Store a former row unless the job has changed; what is called when a job ends is not called again."""
    job = replace(former, updated_at=clock.now(), revision=max(revision, former.revision) + 1)
    if revision == GONE:
        if queries.get(conn, job.id) is not None:
            return None
        conn.execute(jobs.insert().values(**asdict(job)))
        return job
    same = (jobs.c.id == job.id, jobs.c.revision == revision)
    return job if conn.execute(update(jobs).where(*same).values(**asdict(job))).rowcount == 1 else None
