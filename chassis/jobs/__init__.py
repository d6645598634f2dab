"""Jobs: work that outlives a request, stored in a row and recovered after a crash."""

from chassis.jobs.context import GiveUp, JobContext, JobStopped
from chassis.jobs.model import Job
from chassis.jobs.registry import job
from chassis.jobs.service import (
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
