"""What is stored of a job."""

from chassis import jobs
from chassis.tests.patience import LIMIT_SECONDS

FOREVER = 10 * LIMIT_SECONDS  # what a handler waits when its job ends only because it was told to


def state(job):
    return jobs.get(job.id).state
