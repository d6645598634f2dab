"""A pool without a free connection loses no job: heartbeats have connections of their own."""

import threading

import pytest
from sqlalchemy import text

from chassis import jobs
from chassis.boot import branches
from chassis.db import db
from chassis.db.schema import upgrade
from chassis.jobs.recovery import reset_stalled
from chassis.settings import Settings
from chassis.tests.patience import let_pass

LEASE_SECONDS = 3.0


@pytest.fixture
def settings(postgres_url):
    return Settings(
        app_env="test",
        database_url=postgres_url,
        database_pool_size=2,
        database_max_overflow=0,
        database_pool_timeout_seconds=0.2,
        job_lease_seconds=LEASE_SECONDS,
        jobs_grace_seconds=0.5,
    )


@pytest.fixture
def occupied():
    """Return a function that takes the whole pool, and gives the one that returns it."""
    end, holders = threading.Event(), []

    def hold(conn):
        conn.execute(text("SELECT 1"))
        taken.release()
        end.wait()

    taken = threading.Semaphore(0)

    def occupy():
        for _ in range(2):
            holders.append(threading.Thread(target=db.write, args=(hold,)))
            holders[-1].start()
            taken.acquire()
        return end.set

    yield occupy
    end.set()
    for holder in holders:
        holder.join()


def lease_of(job):
    with db.reserved():
        return jobs.get(job.id).lease_expires_at


def test_a_full_pool_takes_no_job_from_its_process(runner, database, occupied, wait_for, monkeypatch):
    upgrade(database, branches())
    asked, goes_on = threading.Event(), threading.Event()

    @jobs.job("long")
    def long(context, payload):
        asked.set()
        goes_on.wait()
        context.progress(1, 1)
        return db.read(lambda conn: conn.execute(text("SELECT 1")).scalar())

    monkeypatch.setattr("chassis.jobs.recovery.is_dead", lambda owner: False)
    runner()
    job = jobs.enqueue("long", {})
    asked.wait()
    release, lease = occupied(), lease_of(job)
    goes_on.set()
    let_pass(2 * LEASE_SECONDS)
    assert lease_of(job) > lease + LEASE_SECONDS
    with db.reserved():
        assert reset_stalled(db) == []
        assert jobs.get(job.id).state == "running"
    release()
    wait_for(lambda: jobs.get(job.id).state == "succeeded")
