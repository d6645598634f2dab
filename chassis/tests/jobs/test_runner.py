"""The runner: what happens to a job from its claim to its end."""

import threading
import time
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text, update

from chassis import jobs
from chassis.db import db
from chassis.errors import AppError, Conflict, NotFound
from chassis.jobs import schedules, store
from chassis.jobs.claims import Claims
from chassis.jobs.delivery import Delivery
from chassis.jobs.tables import jobs as table
from chassis.jobs.tables import schedules as schedules_table
from chassis.tests.patience import LIMIT_SECONDS

FOREVER = 10 * LIMIT_SECONDS  # what a handler waits when its job ends only because it was told to


def state(job):
    return jobs.get(job.id).state


def test_a_job_enqueued_here_is_picked_up_without_being_looked_for(runner, wait_for, monkeypatch):
    turns, turn = [], Delivery.turn
    monkeypatch.setattr("chassis.jobs.delivery.POLL_SECONDS", FOREVER)
    monkeypatch.setattr(Delivery, "turn", lambda self: turns.append(turn(self)))
    jobs.job("quick")(lambda context, payload: None)
    runner()
    wait_for(lambda: turns)  # it has looked once, and would not again
    job = jobs.enqueue("quick", {})
    wait_for(lambda: state(job) == "succeeded")


def test_progress_is_stored_and_told_at_most_ten_times_a_second(runner, wait_for, monkeypatch):
    from chassis.jobs.signals import job_changed

    told, clock = [], SimpleNamespace(now=1.0)
    monkeypatch.setattr("chassis.jobs.caretaker.LOOK_SECONDS", FOREVER)
    monkeypatch.setattr("chassis.jobs.context.time", SimpleNamespace(monotonic=lambda: clock.now))

    def note(job):
        told.append(job.done)

    @jobs.job("steps")
    def steps(context, payload):
        for number in range(1, 51):
            context.progress(number, 50, f"step {number}")
            clock.now += 0.01

    with job_changed.connected_to(note):
        runner()
        job = jobs.enqueue("steps", {})
        wait_for(lambda: state(job) == "succeeded")
    found = jobs.get(job.id)
    assert (found.done, found.total, found.message) == (50, 50, "step 50")
    assert 4 < len(told) < (clock.now - 1) * 10 + 8


def test_no_more_jobs_run_at_once_than_allowed_and_priority_goes_first(runner, wait_for):
    running, most, order, four = [], [], [], threading.Barrier(4, timeout=LIMIT_SECONDS)

    @jobs.job("slow")
    def slow(context, payload):
        running.append(1)
        most.append(len(running))
        order.append(payload["n"])
        four.wait()
        running.pop()

    queued = [jobs.enqueue("slow", {"n": n}, priority=n // 6) for n in range(12)]
    runner()
    wait_for(lambda: all(state(job) == "succeeded" for job in queued))
    assert max(most) == 4
    assert set(order[:4]) <= set(range(6, 12))


def test_a_backlog_of_short_jobs_holds_up_neither_heartbeats_nor_cancelling_nor_schedules(runner, wait_for, settings):
    jobs.job("nothing")(lambda context, payload: None)
    jobs.job("long")(lambda context, payload: context.wait(FOREVER))
    jobs.job("nightly", schedule="0 2 * * *")(lambda context, payload: None)
    schedules.configure(settings)
    schedules.start_due()
    one = runner()
    kept, cancelled = jobs.enqueue("long", {}), jobs.enqueue("long", {})
    wait_for(lambda: state(kept) == state(cancelled) == "running")
    backlog = [vars(jobs.new_job("nothing", {})) for _ in range(4000)]
    db.write(lambda conn: conn.execute(table.insert(), backlog))
    lease = jobs.get(kept.id).lease_expires_at
    jobs.cancel(cancelled.id)
    db.write(lambda conn: conn.execute(update(schedules_table).values(next_at=time.time())))
    wait_for(lambda: state(cancelled) == "cancelled" and jobs.listing(kind="nightly")["total"])
    wait_for(lambda: jobs.get(kept.id).lease_expires_at > lease)
    assert jobs.listing(kind="nothing", state="queued")["total"], "it was all done before the rest"
    assert one.problem() is None


def test_one_job_is_claimed_by_its_id_while_it_waits_and_its_time_has_come(database, settings, wait_for):
    go = threading.Event()
    jobs.job("one")(lambda context, payload: go.wait(LIMIT_SECONDS))
    claims = Claims(Flask("jobs"), settings, threading.Event())
    first, second = jobs.enqueue("one", {}), jobs.enqueue("one", {})
    database.write(lambda conn: conn.execute(update(table).where(table.c.id == first.id).values(not_before=9e9)))
    assert not claims.take(first.id), "its time has not come"
    assert claims.take(second.id)
    assert not claims.take(second.id), "it runs"
    go.set()
    wait_for(lambda: state(second) == "succeeded")
    assert not claims.take(second.id), "it has ended"
    assert not claims.take("none")


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


def test_a_late_finisher_whose_lease_was_lost_changes_nothing(runner, wait_for, database):
    go = threading.Event()
    jobs.job("late")(lambda context, payload: go.wait(LIMIT_SECONDS))
    one = runner()
    job = jobs.enqueue("late", {})
    held = wait_for(lambda: (found := jobs.get(job.id)).state == "running" and found)
    database.write(
        lambda conn: store.take_from_owner(conn, jobs.get(job.id), now=time.time(), state="interrupted", error="taken")
    )
    go.set()
    wait_for(lambda: not one.claims.all())
    found = jobs.get(job.id)
    assert (found.state, found.error, found.owner) == ("interrupted", "taken", None)
    assert held.owner


def test_a_cpu_bound_kind_runs_only_where_it_may(runner, wait_for):
    jobs.job("burn", cpu_bound=True)(lambda context, payload: None)
    jobs.job("plain")(lambda context, payload: None)
    job, later = jobs.enqueue("burn", {}, priority=1), jobs.enqueue("plain", {})
    runner()
    wait_for(lambda: state(later) == "succeeded")
    assert state(job) == "queued"
    runner(cpu_bound=True)
    wait_for(lambda: state(job) == "succeeded")


def test_a_stopping_runner_lets_go_of_its_jobs_as_their_kind_wants(runner, wait_for):
    jobs.job("again", stall="requeue")(lambda context, payload: context.wait(FOREVER))
    jobs.job("once")(lambda context, payload: context.wait(FOREVER))
    heard, ended = threading.Event(), []
    jobs.job("deaf")(lambda context, payload: ended.append(heard.wait(LIMIT_SECONDS)))
    one = runner()
    queued = [jobs.enqueue(kind, {}) for kind in ("again", "once", "deaf")]
    wait_for(lambda: all(state(job) == "running" for job in queued))
    one.stop()
    assert ended == [], "it waited for a job that does not end"
    heard.set()
    assert [state(job) for job in queued] == ["queued", "interrupted", "interrupted"]


def test_an_orderly_stop_is_no_attempt_however_often_it_comes(runner, wait_for):
    jobs.job("again", stall="requeue")(lambda context, payload: context.wait(FOREVER))
    job = jobs.enqueue("again", {})
    for _ in range(4):
        one = runner()
        wait_for(lambda: state(job) == "running")
        one.stop()
        assert (state(job), jobs.get(job.id).attempt) == ("queued", 0)


def test_of_several_threads_the_furthest_progress_counts(runner, wait_for):
    @jobs.job("threads")
    def threads(context, payload):
        def tell(numbers):
            for number in numbers:
                context.progress(number, 1000)

        tellers = [threading.Thread(target=tell, args=(range(first, 1001, 4),)) for first in (1, 2, 3, 4)]
        for teller in reversed(tellers):
            teller.start()
        for teller in tellers:
            teller.join()
        context.progress(998, 1000)

    runner()
    job = jobs.enqueue("threads", {})
    wait_for(lambda: state(job) == "succeeded")
    assert (jobs.get(job.id).done, jobs.get(job.id).total) == (1000, 1000)


def test_a_full_database_does_not_end_the_runner(runner, wait_for, database, monkeypatch):
    jobs.job("quick")(lambda context, payload: None)
    one = runner()
    write, refused = database.write, []

    def refuse(work):
        refused.append(work)
        raise OSError("No space left on device")

    monkeypatch.setattr(database, "write", refuse)
    wait_for(lambda: len(refused) >= 2)  # it has tried again after the first
    monkeypatch.setattr(database, "write", write)
    job = jobs.enqueue("quick", {})
    wait_for(lambda: state(job) == "succeeded")
    assert one.problem() is None
