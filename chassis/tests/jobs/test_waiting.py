"""A database that refuses for a while fails no job: its work waits, in every thread, or ends when it is told to."""

import contextvars
import threading
import time

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis import jobs
from chassis.db import db, state
from chassis.jobs import store
from chassis.jobs.recovery import reset_stalled
from chassis.tests.patience import LIMIT_SECONDS


@pytest.fixture
def refusing(database, monkeypatch):
    """Return a function: the next so many reads and writes of jobs' handlers are refused."""
    left, refused = [0], []

    def of(call):
        def run(work, *options):
            if left[0] > 0 and threading.current_thread().name.startswith(("job-", "helper")):
                left[0] -= 1
                refused.append(work)
                raise PoolTimeout("no free connection")
            return call(work, *options)

        return run

    monkeypatch.setattr(database, "_read", of(database._read))
    monkeypatch.setattr(database, "_write", of(database._write))

    def refuse(times):
        left[0] = times
        return refused

    return refuse


def kept():
    return db.read(lambda conn: state.get(conn, "kept"))


def ended(job, wait_for):
    return wait_for(lambda: (found := jobs.get(job.id)).state in jobs.ENDED and found)


def test_reads_and_writes_of_a_handler_and_its_threads_wait(runner, refusing, wait_for):
    @jobs.job("patient")
    def patient(context, payload):
        refused = refusing(2)
        assert kept() is None
        assert len(refused) == 2
        refusing(2)
        db.write(lambda conn: state.put(conn, "kept", 1))

        def helper():
            refusing(2)
            db.write(lambda conn: state.put(conn, "kept", kept_by(conn) + 1))

        in_context = contextvars.copy_context()
        threads = [threading.Thread(target=in_context.run, args=(helper,), name="helper")]
        threads.append(threading.Thread(target=context.write, args=(other,), name="helper"))
        for thread in threads:
            thread.start()
            thread.join()

    def other(conn):
        state.put(conn, "other", 1)

    def kept_by(conn):
        return state.get(conn, "kept")

    runner()
    assert ended(jobs.enqueue("patient", {}), wait_for).state == "succeeded"
    assert (kept(), db.read(lambda conn: state.get(conn, "other"))) == (2, 1)


def test_a_job_that_waits_for_the_database_ends_when_it_is_cancelled(runner, refusing, wait_for):
    refused = []

    @jobs.job("waiting")
    def waiting(context, payload):
        refused.append(refusing(10**9))
        try:
            kept()
        except jobs.JobStopped:
            refusing(0)
            raise

    runner()
    job = jobs.enqueue("waiting", {})
    wait_for(lambda: refused and refused[0])
    jobs.cancel(job.id)
    assert ended(job, wait_for).state == "cancelled"


@pytest.mark.parametrize(("stall", "state"), [("requeue", "succeeded"), ("interrupt", "interrupted")])
def test_an_error_of_a_thread_that_did_not_wait_is_no_failure(runner, wait_for, database, stall, state):
    raised = []

    def refused(context, payload):
        if not raised:
            raised.append(context.attempt)
            raise PoolTimeout("QueuePool limit of size 10")

    jobs.job("impatient", stall=stall)(refused)
    runner()
    job = ended(jobs.enqueue("impatient", {}), wait_for)
    assert (job.state, job.attempt) == (state, 1)
    if state == "interrupted":
        assert job.error == "The database could not be used: all of its connections are in use."


def test_a_clock_that_is_an_hour_ahead_takes_no_living_job(database, monkeypatch):
    jobs.job("living")(lambda context, payload: None)
    job, real = jobs.enqueue("living", {}), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    claimed = database.write(
        lambda conn: store.claim(conn, kinds=["living"], owner="other:1:1:1:c", now=time.time(), lease_seconds=60)
    )
    assert claimed.id == job.id
    assert claimed.lease_expires_at - real() < LIMIT_SECONDS
    assert reset_stalled(database) == []
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert reset_stalled(database) == []
    database.write(lambda conn: store.heartbeat(conn, job_id=job.id, owner="other:1:1:1:c", lease_seconds=-1))
    assert [job.state for job in reset_stalled(database)] == ["interrupted"]
