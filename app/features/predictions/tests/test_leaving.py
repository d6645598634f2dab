"""Batches of people whose account ends pass to an heir, or are deleted with their rows."""

import time

import pytest
from sqlalchemy import func, select

from app import create_app
from app.features.predictions import store
from app.features.predictions.tables import predictions, rows
from chassis import jobs
from chassis.db import db
from chassis.jobs import jobs_table
from chassis.security import leaving
from chassis.settings import Settings
from chassis.tests.conftest import new_database


@pytest.fixture
def database(tmp_path):
    settings = Settings(app_env="test", database_url=new_database(tmp_path))
    app = create_app(settings)
    db.open(settings)
    with app.app_context():
        yield db
    db.close()


def batch(owner: str, state: str) -> None:
    job = jobs.new_job(store.KIND, {})
    values = {"id": f"{owner} {state}", "job_id": job.id, "name": f"{owner}'s", "prompt": "p", "model": "m"}

    def write(conn):
        jobs.insert(conn, job)
        store.insert(conn, values | {"columns": ["a"], "created_at": time.time()}, [{"a": "1"}] * 3)
        mine = jobs_table.update().where(jobs_table.c.id == job.id)
        conn.execute(mine.values(state=state, submitted_by=owner))

    db.write(write)


def leave(departure: leaving.Departure) -> list[str]:
    """End all parts; return what was found of batches."""
    known = leaving.parts()
    found = db.write(lambda conn: leaving.carry_out(conn, known, departure))
    return [str(one) for one in found if "batches" in one.what]


def listed(owner: str) -> list[str]:
    return [one["id"] for one in db.read(lambda conn: store.listing(conn, owner=owner, limit=9, offset=0))[0]]


def count(table) -> int:
    return db.read(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar())


def test_batches_are_handed_over_with_those_that_have_ended(database):
    for state in ("succeeded", "running"):
        batch("ada", state)
    assert leave(leaving.Departure("ada", heir="bob")) == [
        "batches of predictions (2, handed over to bob): ada's, ada's"
    ]
    assert (sorted(listed("bob")), listed("ada")) == (["ada running", "ada succeeded"], [])


def test_batches_without_an_heir_are_deleted_and_their_jobs_by_age(database):
    for owner, state in (("ada", "succeeded"), ("ada", "running"), ("eve", "succeeded")):
        batch(owner, state)
    assert leave(leaving.Departure("ada")) == ["batches of predictions (2, deleted): ada's, ada's"]
    assert (listed("ada"), listed("eve")) == ([], ["eve succeeded"])
    assert (count(predictions), count(rows), count(jobs_table)) == (1, 3, 3)
    before = time.time() + 60
    assert db.write(lambda conn: store.delete_old(conn, before, 1)) == 1
    assert (count(predictions), count(jobs_table)) == (1, 2)  # the job that runs stays until it has ended
