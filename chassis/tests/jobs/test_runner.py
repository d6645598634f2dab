"""The runner picks up jobs in their order, tells their progress, and holds up nothing else."""

import threading
import time

from flask import Flask
from sqlalchemy import update

from chassis import jobs
from chassis.db import db
from chassis.jobs import schedules
from chassis.jobs.claims import Claims
from chassis.jobs.delivery import Delivery
from chassis.jobs.tables import jobs as table
from chassis.jobs.tables import schedules as schedules_table
from chassis.tests.jobs.stored import FOREVER, state
from chassis.tests.patience import LIMIT_SECONDS


def test_a_job_enqueued_here_is_picked_up_without_being_looked_for(runner, wait_for, monkeypatch):
    turns, turn = [], Delivery.turn
    monkeypatch.setattr("chassis.jobs.delivery.POLL_SECONDS", FOREVER)
    monkeypatch.setattr(Delivery, "turn", lambda self: turns.append(turn(self)))
    jobs.job("quick")(lambda context, payload: None)
    runner()
    wait_for(lambda: turns)  # it has looked once, and would not again
    job = jobs.enqueue("quick", {})
    wait_for(lambda: state(job) == "succeeded")


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


def test_a_cpu_bound_kind_runs_only_where_it_may(runner, wait_for):
    jobs.job("burn", cpu_bound=True)(lambda context, payload: None)
    jobs.job("plain")(lambda context, payload: None)
    job, later = jobs.enqueue("burn", {}, priority=1), jobs.enqueue("plain", {})
    runner()
    wait_for(lambda: state(later) == "succeeded")
    assert state(job) == "queued"
    runner(cpu_bound=True)
    wait_for(lambda: state(job) == "succeeded")
