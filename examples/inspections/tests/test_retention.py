"""Old inspections are deleted with their images and jobs, and no others."""

import pytest

from app.features.inspections import jobs as kinds
from app.features.inspections import store
from chassis import jobs
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import new_database

assert kinds


@pytest.fixture
def database(tmp_path):
    db.open(Settings(database_url=new_database(tmp_path)))
    yield db
    db.close()


def made(number: int, state: str) -> None:
    job = jobs.new_job("inspections", {})

    def write(conn):
        jobs.insert(conn, job)
        conn.execute(jobs.jobs_table.update().where(jobs.jobs_table.c.id == job.id).values(state=state))
        inspection = {"id": str(number), "job_id": job.id, "owner": "ada", "source": "upload", "name": "parts"}
        rows = [{"id": f"{number}-{n}", "name": "a.jpg", "file_id": "f", "sha256": "s", "origin": None} for n in (0, 1)]
        store.insert(conn, inspection | {"created_at": float(number)}, rows)

    db.write(write)


def left() -> list[str]:
    return [one["id"] for one in db.read(lambda conn: store.listing(conn, "ada", limit=10, offset=0))[0]]


def test_those_from_before_a_time_are_deleted_unless_they_run(database):
    for number, state in ((1, "succeeded"), (2, "running"), (3, "failed"), (4, "succeeded")):
        made(number, state)
    assert database.write(lambda conn: store.delete_old(conn, 4.0, 2)) == 3
    assert database.write(lambda conn: store.delete_old(conn, 4.0, 2)) == 3
    assert database.write(lambda conn: store.delete_old(conn, 4.0, 2)) == 0
    assert left() == ["4", "2"]
