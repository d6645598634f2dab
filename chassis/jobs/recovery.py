"""Finds jobs whose owner is dead, and applies their kind's policy."""

from typing import Any

import structlog

from chassis.db import Database, clock
from chassis.jobs import queries, registry, store
from chassis.jobs.model import CANCELLED, FAILED, INTERRUPTED, QUEUED, Job
from chassis.jobs.owner import is_dead
from chassis.jobs.service import announce
from chassis.observability.metrics import JOBS_REQUEUED

log = structlog.get_logger(__name__)


def reset_stalled(database: Database) -> list[Job]:
    """Reset the jobs of dead owners, found by lease and by process; return them in their new state."""
    now = clock.now()
    reset = [job for job in (_reset(database, job, now) for job in stalled(database)) if job is not None]
    for job in reset:
        log.warning("stalled_job_reset", job_id=job.id, kind=job.kind, state=job.state)
        if job.state == QUEUED:
            JOBS_REQUEUED.labels(job.kind, "crash").inc()
        announce(job)
    return reset


def stalled(database: Database) -> list[Job]:
    """Return the running jobs whose owner is dead."""
    running, lapsed = database.read(lambda conn: (queries.running(conn), queries.lapsed(conn)))
    return [job for job in running if not job.owner or job.id in lapsed or is_dead(job.owner)]


def let_go(job: Job) -> dict[str, Any]:
    """Return the new values of a job whose process stops in an orderly way.

    A job that another attempt can continue is queued again, at its old place; the attempt is not counted.
    """
    kind = registry.find(job.kind)
    if job.cancel_requested or kind is None or not kind.survives_stop:
        state, error = _policy(job)
        return {"state": state, "error": error}
    place = {"queued_at": job.queued_at, "not_before": clock.now()}
    return {"state": QUEUED, "error": None, "attempt": job.attempt - 1} | place


def _after_death(job: Job) -> tuple[str, str | None]:
    """Return the state and error of a job whose process died; a job that kills its process is not retried forever."""
    kind = registry.find(job.kind)
    state, error = _policy(job)
    if state == QUEUED and kind and job.attempt >= max(kind.max_attempts, registry.STALL_REQUEUES):
        return FAILED, f"The job's process died in attempt {job.attempt}, the last one."
    return state, error


def _policy(job: Job) -> tuple[str, str | None]:
    kind = registry.find(job.kind)
    if job.cancel_requested:
        return CANCELLED, None
    if kind is None or kind.stall == "interrupt":
        return INTERRUPTED, "The job's process stopped. Retry the job to continue."
    return QUEUED, None


def _reset(database: Database, job: Job, now: float) -> Job | None:
    state, error = _after_death(job)
    return database.write(lambda conn: store.take_from_owner(conn, job, now=now, state=state, error=error))
