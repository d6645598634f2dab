"""Limits of all processes together, and the time limit of kinds that have none of their own."""

import threading

from flask import Flask

from chassis import jobs
from chassis.db import db
from chassis.jobs import registry
from chassis.jobs.claims import Claims
from chassis.jobs.runner import Runner
from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS


def state(job):
    return jobs.get(job.id).state


def with_settings(settings, **changed):
    return Settings(database_url=settings.database_url, **changed)


def test_all_processes_together_run_no_more_jobs_than_the_limit(database, settings, wait_for):
    go = threading.Event()
    jobs.job("slow")(lambda context, payload: go.wait(LIMIT_SECONDS))
    limited = with_settings(settings, jobs_max_concurrency=3)
    one, two = (Claims(Flask("jobs"), limited, threading.Event()) for _ in range(2))
    queued = [jobs.enqueue("slow", {}) for _ in range(5)]
    assert all(claims.take_next(["slow"]) for claims in (one, two, one))
    assert not two.take_next(["slow"])
    assert not one.take(queued[-1].id)
    go.set()
    wait_for(lambda: not one.all() and not two.all())
    assert two.take_next(["slow"])
    wait_for(lambda: not two.all())


def test_free_slots_are_filled_in_one_transaction_but_not_beyond_the_limits(database, settings, wait_for, monkeypatch):
    go, writes = threading.Event(), []
    jobs.job("slow")(lambda context, payload: go.wait(LIMIT_SECONDS))
    limited = with_settings(settings, jobs_concurrency=4, jobs_max_concurrency=5)
    one, two = (Claims(Flask("jobs"), limited, threading.Event()) for _ in range(2))
    for _ in range(7):
        jobs.enqueue("slow", {})
    write = db.write
    monkeypatch.setattr(db, "write", lambda work: (writes.append(work), write(work))[1])
    assert [len(claims.take_ready(["slow"], 10)) for claims in (one, two, one)] == [4, 1, 0]
    assert len(writes) == 2, "with no slot free the database is not asked"
    go.set()
    wait_for(lambda: not one.all() and not two.all())
    assert len({claim.owner for claim in two.take_ready(["slow"], 10)}) == 2, "each claim has an owner of its own"
    wait_for(lambda: not two.all())


def test_many_runners_at_once_keep_the_limit(database, settings, wait_for):
    running, most, two = [], [], threading.Event()

    @jobs.job("busy")
    def busy(context, payload):
        running.append(1)
        most.append(len(running))
        if len(running) == 2:
            two.set()
        two.wait(LIMIT_SECONDS)
        context.wait(0.02)
        running.pop()

    queued = [jobs.enqueue("busy", {}) for _ in range(20)]
    runners = [Runner(Flask("jobs"), with_settings(settings, jobs_max_concurrency=2)) for _ in range(3)]
    for runner in runners:
        runner.start()
    wait_for(lambda: all(state(job) == "succeeded" for job in queued))
    for runner in runners:
        runner.stop()
    assert max(most) == 2


def test_a_kind_without_a_time_limit_has_that_of_the_setting(database, settings, wait_for):
    limited = with_settings(settings, jobs_time_limit_seconds=0.5)
    jobs.job("endless")(lambda context, payload: context.wait(1000))
    jobs.job("own", time_limit_seconds=60)(lambda context, payload: None)
    jobs.job("never", time_limit_seconds=0)(lambda context, payload: None)
    limits = [registry.kind(name).time_limit(limited) for name in ("endless", "own", "never")]
    assert limits == [0.5, 60, None]
    assert registry.kind("endless").time_limit(settings) is None
    runner, job = Runner(Flask("jobs"), limited), jobs.enqueue("endless", {})
    runner.start()
    wait_for(lambda: state(job) == "failed")
    runner.stop()
    assert jobs.get(job.id).error == "The job exceeded its time limit of 0.5 s."
