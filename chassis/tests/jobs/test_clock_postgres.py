"""A machine whose clock is wrong: its jobs and schedules go by the database's clock."""

import time

import pytest
from sqlalchemy import select, update

from chassis import jobs
from chassis.boot import branches
from chassis.db import clock, db
from chassis.db.clock import database_time
from chassis.db.schema import upgrade
from chassis.jobs import schedules, store
from chassis.jobs.tables import schedules as table
from chassis.settings import Settings

HOUR = 3600
SURE = HOUR / 2


@pytest.fixture
def settings(postgres_url):
    return Settings(app_env="test", database_url=postgres_url)


@pytest.fixture
def wrong_by(database, settings, monkeypatch):
    """Return a function that sets this machine's clock wrong by some seconds, and connects again."""
    upgrade(database, branches())
    monkeypatch.setattr(clock._Machine, "ahead", 0.0)
    real = time.time

    def wrong(seconds):
        monkeypatch.setattr(time, "time", lambda: real() + seconds)
        db.open(settings)

    yield wrong
    monkeypatch.undo()


def run_next(kind):
    """Claim a job, which is in its database alone."""
    return db.write(lambda conn: store.claim(conn, kinds=[kind], owner="b", now=clock.now(), lease_seconds=60))


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_the_time_is_the_databases_with_the_first_connection(wrong_by, seconds):
    wrong_by(seconds)
    theirs = db.read(lambda conn: conn.scalar(select(database_time())))
    assert abs(clock.now() - theirs) < SURE < abs(time.time() - theirs)
    wrong_by(0)
    db.read(lambda conn: None)
    assert clock.now() == pytest.approx(time.time(), abs=1)


@pytest.mark.parametrize(("here", "there"), [(HOUR, 0), (0, -HOUR)])
def test_a_job_of_a_machine_that_is_ahead_is_run_by_another(wrong_by, here, there):
    jobs.job("work")(lambda context, payload: None)
    wrong_by(here)
    db.read(lambda conn: None)
    job = jobs.enqueue("work", {})
    wrong_by(there)
    db.read(lambda conn: None)
    assert run_next("work").id == job.id


def test_a_machine_that_is_ahead_starts_no_schedule_early(wrong_by, settings):
    jobs.job("nightly", schedule="0 2 * * *")(lambda context, payload: None)
    wrong_by(0)
    schedules.configure(settings)
    schedules.start_due()
    soon = time.time() + SURE
    db.write(lambda conn: conn.execute(update(table).values(next_at=soon)))
    wrong_by(HOUR)
    schedules.configure(settings)
    schedules.start_due()
    assert schedules.listing()[0].next_at == soon
    assert jobs.listing(kind="nightly")["total"] == 0
    wrong_by(-HOUR)
    db.write(lambda conn: conn.execute(update(table).values(next_at=soon - HOUR)))
    schedules.configure(settings)
    schedules.start_due()
    assert jobs.listing(kind="nightly")["total"] == 1
