"""Jobs that fail, are cancelled, run out of time or are given back by a stop."""

import threading
import time

import pytest
from sqlalchemy import text

from chassis import jobs
from chassis.db import db
from chassis.errors import AppError, Conflict, NotFound
from chassis.jobs import store
from chassis.tests.jobs.stored import FOREVER, state
from chassis.tests.patience import LIMIT_SECONDS


def test_a_job_that_raises_fails_with_its_words_and_is_retried_when_its_kind_says_so(runner, wait_for):
    attempts = []

    @jobs.job("shaky", max_attempts=3, backoff_seconds=0.1)
    def shaky(context, payload):
        attempts.append(context.attempt)
        if context.attempt < 3:
            raise ValueError("not yet")

    jobs.job("broken")(lambda context, payload: 1 / 0)
    runner()
    good, bad = jobs.enqueue("shaky", {}), jobs.enqueue("broken", {})
    wait_for(lambda: state(bad) == "failed" and state(good) == "succeeded")
    assert attempts == [1, 2, 3]
    assert jobs.get(bad.id).error == "The job failed with an unexpected error; see its log lines."


def test_people_are_told_neither_statements_nor_values_nor_types(runner, wait_for):
    def told(context, payload):
        raise AppError("half \ud800 a sentence \x00")

    jobs.job("database")(
        lambda context, payload: db.write(lambda conn: conn.execute(text("insert into x values ('y')")))
    )
    jobs.job("told")(told)
    runner()
    unexpected, expected = jobs.enqueue("database", {}), jobs.enqueue("told", {})
    wait_for(lambda: state(unexpected) == "failed" and state(expected) == "failed")
    assert not {"insert", "Error:", db.writer.dialect.dbapi.__name__} & set(jobs.get(unexpected.id).error.split())
    assert jobs.get(expected.id).error == "half \ufffd a sentence \ufffd"


def test_a_running_job_is_cancelled_whatever_it_waits_for(runner, wait_for):
    jobs.job("long")(lambda context, payload: context.wait(FOREVER))
    runner()
    job = jobs.enqueue("long", {})
    wait_for(lambda: state(job) == "running")
    jobs.cancel(job.id)
    wait_for(lambda: state(job) == "cancelled")
    with pytest.raises(Conflict):
        jobs.cancel(job.id)
    with pytest.raises(NotFound):
        jobs.cancel("none")


def test_a_waiting_job_is_cancelled_at_once_and_can_be_queued_again(database):
    jobs.job("later")(lambda context, payload: None)
    job = jobs.enqueue("later", {})
    with pytest.raises(Conflict):
        jobs.requeue(job.id)
    assert jobs.cancel(job.id).state == "cancelled"
    assert jobs.requeue(job.id).state == "queued"


def test_a_job_over_its_time_limit_fails(runner, wait_for):
    jobs.job("endless", time_limit_seconds=0.3)(lambda context, payload: context.wait(FOREVER))
    runner()
    job = jobs.enqueue("endless", {})
    wait_for(lambda: state(job) == "failed")
    assert "limit of 0.3 s" in jobs.get(job.id).error


@pytest.mark.parametrize("ends_as", ["succeeded", "interrupted", "queued"])
def test_a_job_whose_lease_was_lost_has_succeeded_if_it_did_and_nobody_touched_it(runner, wait_for, database, ends_as):
    go = threading.Event()

    @jobs.job("late")
    def late(context, payload):
        go.wait(LIMIT_SECONDS)
        if ends_as == "interrupted":
            raise AppError("It failed.")

    one = runner()
    job = jobs.enqueue("late", {})
    wait_for(lambda: state(job) == "running")
    database.write(
        lambda conn: store.take_from_owner(conn, jobs.get(job.id), now=time.time(), state="interrupted", error="taken")
    )
    if ends_as == "queued":
        database.write(lambda conn: store.requeue(conn, job.id, time.time() + FOREVER))
    go.set()
    wait_for(lambda: not one.claims.all())
    found = jobs.get(job.id)
    assert (found.state, found.owner) == (ends_as, None)


@pytest.mark.parametrize("reason", ["stop", "cancel", "time_limit"])
def test_a_job_that_does_its_work_after_it_was_told_to_end_has_succeeded(runner, wait_for, reason):
    @jobs.job("thorough", time_limit_seconds=0.2 if reason == "time_limit" else None)
    def thorough(context, payload):
        wait_for(lambda: context.cancelled)
        context.progress(2, 2)

    one = runner()
    job = jobs.enqueue("thorough", {})
    wait_for(lambda: state(job) == "running")
    if reason == "cancel":
        jobs.cancel(job.id)
    if reason == "stop":
        one.stop()
    wait_for(lambda: not one.claims.all())
    found = jobs.get(job.id)
    assert (found.state, found.error, found.done) == ("succeeded", None, 2)


def test_a_stopping_runner_queues_the_jobs_again_that_another_can_continue(runner, wait_for):
    jobs.job("again", stall="requeue")(lambda context, payload: context.wait(FOREVER))
    jobs.job("goes on", resumable=True)(lambda context, payload: context.wait(FOREVER))
    jobs.job("once")(lambda context, payload: context.wait(FOREVER))
    heard, ended = threading.Event(), []

    @jobs.job("deaf")
    def deaf(context, payload):
        ended.append(heard.wait(LIMIT_SECONDS))
        context.progress(1, 1)

    one = runner()
    queued = [jobs.enqueue(kind, {}) for kind in ("again", "goes on", "once", "deaf")]
    wait_for(lambda: all(state(job) == "running" for job in queued))
    one.stop()
    assert ended == [], "it waited for a job that does not end"
    assert [state(job) for job in queued] == ["queued", "queued", "interrupted", "interrupted"]
    assert jobs.get(queued[1].id).queued_at == queued[1].queued_at, "it lost its place"
    heard.set()
    wait_for(lambda: state(queued[3]) == "succeeded")
    assert jobs.get(queued[3].id).done == 1


def test_a_cancelled_job_that_does_not_end_is_cancelled_when_its_process_stops(runner, wait_for):
    heard = threading.Event()
    jobs.job("deaf")(lambda context, payload: heard.wait(LIMIT_SECONDS))
    one = runner()
    job = jobs.enqueue("deaf", {})
    wait_for(lambda: state(job) == "running")
    jobs.cancel(job.id)
    wait_for(lambda: one.claims.all()[0].context.reason == "cancel")
    one.stop()
    assert state(job) == "cancelled"
    heard.set()
    wait_for(lambda: not one.claims.all())
    assert state(job) == "cancelled"


@pytest.mark.parametrize("left_as", ["queued", "interrupted"])
def test_a_job_that_was_cancelled_is_left_for_nobody(database, left_as):
    jobs.job("once")(lambda context, payload: None)
    job, now = jobs.enqueue("once", {}), time.time() + 1
    database.write(lambda conn: store.claim_one(conn, job.id, owner="me", now=now, lease_seconds=FOREVER))
    jobs.cancel(job.id)
    left = database.write(lambda conn: store.leave(conn, job_id=job.id, owner="me", now=now, state=left_as))
    assert (left.state, left.error, left.finished_at) == ("cancelled", None, now)


def test_a_job_that_was_cancelled_during_a_stop_is_not_queued_again(runner, wait_for):
    told = threading.Event()

    @jobs.job("goes on", resumable=True)
    def goes_on(context, payload):
        wait_for(lambda: context.cancelled)
        jobs.cancel(context.id)
        told.set()
        raise jobs.JobStopped

    one = runner()
    job = jobs.enqueue("goes on", {})
    wait_for(lambda: state(job) == "running")
    one.stop()
    assert told.is_set()
    wait_for(lambda: state(job) == "cancelled")


def test_an_orderly_stop_is_no_attempt_however_often_it_comes(runner, wait_for):
    jobs.job("again", stall="requeue")(lambda context, payload: context.wait(FOREVER))
    job = jobs.enqueue("again", {})
    for _ in range(4):
        one = runner()
        wait_for(lambda: state(job) == "running")
        one.stop()
        assert (state(job), jobs.get(job.id).attempt) == ("queued", 0)
