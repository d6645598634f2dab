"""A job that ends by an error with a sentence, or because it was told to, is one line of the log."""

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from structlog.testing import capture_logs

from chassis import jobs
from chassis.errors import AppError, BudgetExceeded
from chassis.jobs.cpu import Raised
from chassis.jobs.execution import UNEXPECTED
from chassis.tests.jobs.stored import FOREVER, state
from chassis.upstream import UpstreamError

ENDS = {
    "no credit": (AppError("The account has no credit."), 1, "failed", "The account has no credit."),
    "gave up": (jobs.GiveUp("It was removed."), 3, "failed", "It was removed."),
    "no room": (BudgetExceeded("It is used up.", details={}), 3, "failed", "It is used up."),
    "a wrong key": (UpstreamError("upstream_unauthorized", "Check the key."), 3, "failed", "Check the key."),
    "the API is away": (UpstreamError("upstream_unavailable", "Away."), 2, "queued", "Away."),
    "told in its process": (Raised("ValueError"), 1, "failed", UNEXPECTED),
    "another attempt": (AppError("Not yet."), 2, "queued", "Not yet."),
    "a fault of the database": (PoolTimeout(), 1, "interrupted", "all of its connections are in use"),
}


@pytest.mark.parametrize("how", ENDS)
def test_an_expected_end_is_one_line_with_its_reason_and_no_traceback(runner, wait_for, how):
    raised, attempts, state_then, reason = ENDS[how]

    @jobs.job("ends", max_attempts=attempts, backoff_seconds=FOREVER)
    def ends(context, payload):
        raise raised

    with capture_logs() as lines:
        runner()
        job = jobs.enqueue("ends", {})
        (end,) = wait_for(lambda: said(lines, job))
    assert reason in end["error"]
    assert (end["state"], end["log_level"]) == (state_then, "warning")
    assert not [line for line in lines if line["event"] == "job_raised"]


@pytest.mark.parametrize("ends_as", ["cancelled", "failed"])
def test_what_a_job_raises_that_was_told_to_end_is_no_traceback(runner, wait_for, ends_as):
    """As a call outside does, and a thread that the handler waits for."""

    @jobs.job("told", time_limit_seconds=None if ends_as == "cancelled" else 0.2)
    def told(context, payload):
        wait_for(lambda: context.cancelled)
        raise RuntimeError("The call was cancelled.")

    with capture_logs() as lines:
        runner()
        job = jobs.enqueue("told", {})
        wait_for(lambda: state(job) != "queued")
        if ends_as == "cancelled":
            jobs.cancel(job.id)
        (end,) = wait_for(lambda: said(lines, job))
    assert end["state"] == ends_as
    assert not [line for line in lines if line["event"] == "job_raised"]


def test_an_unexpected_error_is_logged_once_with_its_traceback(runner, wait_for):
    @jobs.job("broken")
    def broken(context, payload):
        raise ValueError("a mistake")

    with capture_logs() as lines:
        runner()
        job = jobs.enqueue("broken", {})
        (end,) = wait_for(lambda: said(lines, job))
    assert end["error"] == UNEXPECTED
    assert [line["exc_info"] for line in lines if line["event"] == "job_raised"] == [True]


def said(lines, job):
    """Return the lines of a job's end."""
    return [line for line in lines if line["event"] in ("job_ended", "job_requeued") and line["job_id"] == job.id]
