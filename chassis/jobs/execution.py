"""Runs a job's handler once, and stores the result in the job's row."""

import threading
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis.base.texts import storable
from chassis.db import clock, db
from chassis.db.faults import fault_of, may_pass, reason_of
from chassis.db.patience import patient
from chassis.errors import AppError
from chassis.jobs import registry, schedule_store, store
from chassis.jobs.context import JobContext, JobStopped
from chassis.jobs.cpu import Pool, Raised
from chassis.jobs.model import CANCELLED, ENDED, FAILED, QUEUED, SUCCEEDED, Job
from chassis.jobs.recovery import let_go
from chassis.jobs.service import announce
from chassis.observability import tracing
from chassis.observability.metrics import JOB_DURATION, JOBS_FINISHED, JOBS_REQUEUED
from chassis.security import payer

log = structlog.get_logger(__name__)
UNEXPECTED = "The job failed with an unexpected error; see its log lines."


def execute(job: Job, context: JobContext, owner: str, stopping: threading.Event, pool: Pool | None = None) -> None:
    """Run the job's handler and store its result; an exception fails the job, never the runner.

    With a pool the handlers of `cpu_bound` kinds run in its processes.
    """
    error: Exception | None = None
    with structlog.contextvars.bound_contextvars(job_id=job.id):
        log.info("job_started", kind=job.kind, attempt=job.attempt)
        try:
            attributes = {"kind": "consumer", "job.id": job.id, "job.kind": job.kind, "job.attempt": job.attempt}
            paying = payer.paying(payer.of(job.submitted_by, job.submitted_with))
            with tracing.span(f"job {job.kind}", attributes), patient(context.wait), paying:
                kind = registry.kind(job.kind)
                handler = pool.run if pool is not None and kind.cpu_bound else kind.handler
                handler(context, job.payload)
        except Exception as raised:
            error = raised
            if not is_expected(raised, told_to_end=context.cancelled):
                log.exception("job_raised", kind=job.kind)
        context.settle()
        _finish(job, context, owner, error, stopping)


def is_expected(error: Exception, *, told_to_end: bool) -> bool:
    """Return whether a handler may end like this: the job's last line says why, and a traceback would add nothing."""
    return told_to_end or isinstance(error, (AppError, JobStopped, Raised)) or bool(fault_of(error))


def release(job: Job, context: JobContext, owner: str) -> None:
    """Give up a job that was told to end and whose handler does not; store why it was told to."""
    _leave(job, context, owner, **_outcome(job, context, JobStopped()))


def _finish(job: Job, context: JobContext, owner: str, error: Exception | None, stopping: threading.Event) -> None:
    """Store the job's result; retry while the database refuses (full, locked), until the process stops."""
    while True:
        try:
            _leave(job, context, owner, **_outcome(job, context, error))
            return
        except Exception as refused:
            if may_pass(refused):
                log.warning("job_end_not_stored", kind=job.kind, reason=reason_of(refused))
            else:
                log.exception("job_end_not_stored", kind=job.kind)
            if stopping.wait(1.0):
                return


def _outcome(job: Job, context: JobContext, error: Exception | None) -> dict[str, Any]:
    """Return the job's new values: a handler that returned has done its work, also if it was told to end meanwhile."""
    if error is None:
        return {"state": SUCCEEDED, "error": None}
    if context.reason == "cancel":
        return {"state": CANCELLED}
    if context.reason == "time_limit":
        return {"state": FAILED, "error": f"The job exceeded its time limit of {context.time_limit_seconds:g} s."}
    if context.cancelled and not isinstance(error, AppError):
        return let_go(job)
    return _after_error(job, error)


def _after_error(job: Job, error: Exception) -> dict[str, Any]:
    kind = registry.kind(job.kind)
    fault = fault_of(error)  # of a thread that did not wait for the database
    if fault and (kind.survives_stop or job.attempt >= kind.max_attempts):
        sentence = f"The database could not be used: {fault.value}."
        return let_go(job) | {"error": sentence, "not_before": clock.now() + kind.backoff(1)}
    sentence = storable(error.message) if isinstance(error, AppError) else UNEXPECTED
    lasting = isinstance(error, AppError) and error.lasting
    if job.attempt < kind.max_attempts and not lasting:
        return {"state": QUEUED, "error": sentence, "not_before": clock.now() + kind.backoff(job.attempt)}
    return {"state": FAILED, "error": sentence}


def _leave(job: Job, context: JobContext, owner: str, **values: Any) -> None:
    progress, now = dict[str, Any](), clock.now()
    if context.latest is not None:
        progress = dict(zip(("done", "total", "message"), context.latest, strict=True))

    def write(conn: Connection) -> Job | None:
        left = store.leave(conn, job_id=job.id, owner=owner, now=now, **progress, **values)
        if left is None and values["state"] == SUCCEEDED:
            left = store.finish_late(conn, job, now, **progress)
        if left is not None and left.state == SUCCEEDED and registry.kind(job.kind).schedule:
            schedule_store.succeeded(conn, job.id, now)
        return left

    changed = db.write(write)
    if changed is None:
        log.warning("job_lease_lost", kind=job.kind, job_id=job.id)
        return
    say = log.warning if changed.error else log.info
    if changed.state in ENDED:
        JOBS_FINISHED.labels(job.kind, changed.state).inc()
        JOB_DURATION.labels(job.kind).observe(now - (job.started_at or now))
        say("job_ended", kind=job.kind, job_id=job.id, state=changed.state, error=changed.error)
    else:
        reason = "stop" if context.cancelled else "retry"
        JOBS_REQUEUED.labels(job.kind, reason).inc()
        say("job_requeued", kind=job.kind, job_id=job.id, state=changed.state, reason=reason, error=changed.error)
    announce(changed)
