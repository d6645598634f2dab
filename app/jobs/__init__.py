"""Jobs: work that outlives a request, kept in a row, found again after a crash."""

from app.jobs.context import GiveUp, JobContext, JobStopped
from app.jobs.model import Job
from app.jobs.registry import job
from app.jobs.service import (
    announce,
    cancel,
    check_changed,
    enqueue,
    get,
    insert,
    listing,
    new_job,
    put_back,
    requeue,
    seen,
)

__all__ = [
    "GiveUp",
    "Job",
    "JobContext",
    "JobStopped",
    "announce",
    "cancel",
    "check_changed",
    "enqueue",
    "get",
    "insert",
    "job",
    "listing",
    "new_job",
    "put_back",
    "requeue",
    "seen",
]
