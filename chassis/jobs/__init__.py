"""Jobs: work that outlives a request. Each is a row of a table, and is found again after a crash."""

from chassis.jobs.context import GiveUp, JobContext, JobStopped
from chassis.jobs.model import CANCELLED, ENDED, FAILED, INTERRUPTED, QUEUED, RUNNING, SUCCEEDED, Job, State
from chassis.jobs.processes import Processes, ProcessFailed
from chassis.jobs.registry import Kind, job
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
from chassis.jobs.side_by_side import side_by_side
from chassis.jobs.store import forget
from chassis.jobs.tables import jobs as jobs_table

__all__ = [
    "CANCELLED",
    "ENDED",
    "FAILED",
    "INTERRUPTED",
    "QUEUED",
    "RUNNING",
    "SUCCEEDED",
    "GiveUp",
    "Job",
    "JobContext",
    "JobStopped",
    "Kind",
    "ProcessFailed",
    "Processes",
    "State",
    "announce",
    "cancel",
    "check_changed",
    "enqueue",
    "forget",
    "get",
    "insert",
    "job",
    "jobs_table",
    "listing",
    "new_job",
    "put_back",
    "requeue",
    "seen",
    "side_by_side",
]
