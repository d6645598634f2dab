"""What features and pages do with jobs: enqueue, look up, cancel, requeue."""

import uuid
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.errors import Conflict, NotFound
from chassis.jobs import queries, registry, store
from chassis.jobs.model import QUEUED, RUNNING, Job
from chassis.jobs.signals import job_changed, job_queued
from chassis.observability import tracing
from chassis.security import identity, ownership, payer, quotas
from chassis.security.quotas import Quota

QUOTA = "jobs"


def new_job(kind: str, payload: dict[str, Any], *, priority: int | None = None, total: int = 0) -> Job:
    """Return a job that is not stored yet, to be stored with other rows in one transaction (see `insert`)."""
    who = identity.current()
    job = made(kind, payload, submitted_by=who.owner, priority=priority, total=total)
    job = replace(job, submitted_with=payer.key_of(who))
    tracing.note({"job.id": job.id})
    return job


def made(kind: str, payload: dict[str, Any], *, submitted_by: str, priority: int | None = None, total: int = 0) -> Job:
    """Return a job of an owner that is not stored; can be called inside a transaction."""
    now = clock.now()
    return Job(
        id=uuid.uuid4().hex,
        kind=kind,
        state=QUEUED,
        payload=payload,
        priority=registry.kind(kind).priority if priority is None else priority,
        attempt=0,
        done=0,
        total=total,
        message="",
        error=None,
        owner=None,
        lease_expires_at=None,
        cancel_requested=False,
        not_before=now,
        created_at=now,
        queued_at=now,
        started_at=None,
        finished_at=None,
        updated_at=now,
        revision=1,
        submitted_by=submitted_by,
    )


def insert(conn: Connection, job: Job) -> Job:
    """Store a new job in a transaction of the caller; raise OverQuota when its owner has too many at once."""
    quotas.take(conn, job.submitted_by, **{QUOTA: 1})
    return store.insert(conn, job)


def put_back(conn: Connection, job_id: str, owner: str) -> Job | None:
    """Queue an ended job again in a transaction of the caller; return None when it has not ended. Raises OverQuota."""
    quotas.take(conn, owner, **{QUOTA: 1})
    return store.requeue(conn, job_id, clock.now())


def enqueue(kind: str, payload: dict[str, Any], *, priority: int | None = None) -> Job:
    """Store a job; a runner in this process takes it at once, others within a second. Raises OverQuota."""
    job = new_job(kind, payload, priority=priority)
    db.write(lambda conn: insert(conn, job))
    announce(job)
    return job


def announce(job: Job) -> None:
    """Notify viewers of a change, and runners of a job that waits; call it after the commit."""
    job_changed.send(job)
    if job.state == QUEUED:
        job_queued.send(job)


def get(job_id: str) -> Job:
    """Return a job; raise NotFound if it does not exist."""
    job = db.read(lambda conn: queries.get(conn, job_id))
    if job is None:
        raise NotFound("There is no such job.")
    return job


def seen(job_id: str) -> Job:
    """Return a job that the caller can see; raise NotFound otherwise."""
    job = get(job_id)
    ownership.check_seen(job.submitted_by, "job")
    return job


def check_changed(job: Job) -> None:
    """Raise NotFound or Forbidden if the caller cannot change a job."""
    ownership.check_changed(job.submitted_by, "job")


def listing(*, state: str | None = None, kind: str | None = None, page: int = 1, per_page: int = 20) -> dict[str, Any]:
    """Return a page of the jobs that the caller can see, newest first, as APIs show it; it may lag."""
    asked = {"state": state, "kind": kind, "submitted_by": ownership.seen_owner()}
    offset = (page - 1) * per_page
    found, total = db.read(
        lambda conn: queries.listing(conn, asked, limit=per_page, offset=offset), unbounded=True, may_lag=True
    )
    return {"items": [job.as_dict() for job in found], "page": page, "per_page": per_page, "total": total}


def cancel(job_id: str) -> Job:
    """Cancel a waiting job, or ask a running one to stop; raise Conflict if it has ended."""
    job = get(job_id)
    check_changed(job)
    changed = db.write(lambda conn: store.cancel(conn, job_id, clock.now()))
    if changed is None:
        raise Conflict(f"The job has already ended: it is {job.state}.")
    announce(changed)
    return changed


def requeue(job_id: str) -> Job:
    """Queue an ended job again; raise Conflict if it waits or runs, OverQuota if there are too many."""
    job, owner = get(job_id), identity.current().owner
    check_changed(job)
    changed = db.write(lambda conn: put_back(conn, job_id, owner))
    if changed is None:
        doing = "running" if job.state == RUNNING else "waiting"
        raise Conflict(f"The job is already {doing}.")
    announce(changed)
    return changed


def _active(conn: Connection, owner: str) -> int:
    return queries.active(conn, owner, registry.outside_quota())


quotas.declare(Quota(QUOTA, "queued or running jobs", lambda settings: settings.quota_jobs, _active))
