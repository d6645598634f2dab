"""The batches of a person who leaves: they are handed over or deleted, and nobody else's are."""

import time

import pytest
from sqlalchemy import func, select

from app.features.predictions import jobs as _kinds  # noqa: F401
from app.features.predictions import leaving, store
from app.features.predictions.tables import predictions, rows
from chassis.db import db
from chassis.jobs import jobs_table as jobs
from chassis.jobs import new_job
from chassis.jobs import store as jobs_store
from chassis.security.leaving import Departure
from chassis.settings import Settings
from chassis.tests.conftest import new_database

ADA, GRACE = "ada@example.org", "grace@example.org"


@pytest.fixture(autouse=True)
def database(tmp_path):
    db.open(Settings(database_url=new_database(tmp_path)))
    yield
    db.close()


def batch(owner, *, state="succeeded", name="plants"):
    job = new_job("predictions", {})
    values = {"id": job.id, "job_id": job.id, "name": name, "prompt": "{a}", "columns": ["a"], "model": "m"}

    def write(conn):
        jobs_store.insert(conn, job)
        store.insert(conn, values | {"created_at": time.time()}, [{"a": "1"}] * 2)
        conn.execute(jobs.update().where(jobs.c.id == job.id).values(state=state, submitted_by=owner))

    db.write(write)
    return job.id


def left():
    """Return the ids of batches and jobs, and the number of rows."""

    def read(conn):
        ids = [set(conn.execute(select(table.c.id)).scalars()) for table in (predictions, jobs)]
        return *ids, conn.execute(select(func.count()).select_from(rows)).scalar()

    return db.read(read)


def test_without_an_heir_they_are_deleted_with_their_ended_jobs():
    batch(ADA, name="oaks")
    running, others = batch(ADA, state="running"), batch(GRACE)
    departure, part = Departure(ADA), leaving.part()
    found = db.read(lambda conn: part.find(conn, departure))
    assert (found.what, found.fate, found.names) == ("batches", "deleted", ["oaks", "plants"])
    db.write(lambda conn: part.end(conn, departure))
    assert left() == ({others}, {running, others}, 2)
    assert db.write(lambda conn: store.finish_rows(conn, running, [(0, store.Answer("succeeded", "x"))], 1.0)) is None


def test_the_job_that_ran_then_is_deleted_by_age():
    running = batch(ADA, state="running")
    db.write(lambda conn: leaving.part().end(conn, Departure(ADA)))
    db.write(lambda conn: store.delete_old(conn, time.time() + 60, 100))
    assert left()[1] == {running}
    db.write(lambda conn: conn.execute(jobs.update().values(state="cancelled")))
    db.write(lambda conn: store.delete_old(conn, time.time() + 60, 100))
    assert left() == (set(), set(), 0)


def test_an_heir_gets_them_with_their_jobs():
    ended = batch(ADA)
    departure, part = Departure(ADA, heir=GRACE), leaving.part()
    assert GRACE in db.read(lambda conn: part.find(conn, departure)).fate
    db.write(lambda conn: part.end(conn, departure))
    assert left() == ({ended}, {ended}, 2)
    owner = db.read(lambda conn: conn.execute(select(jobs.c.submitted_by)).scalar())
    assert owner == GRACE
