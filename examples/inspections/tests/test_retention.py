"""Old inspections are deleted with their images and jobs, and no others."""

import time

import pytest
from flask import current_app
from sqlalchemy import func, select

from app import create_app
from app.features.inspections import jobs as kinds
from app.features.inspections import service, store
from chassis import jobs
from chassis.db import db
from chassis.files.tables import files
from chassis.security import identity, leaving
from chassis.settings import Settings
from chassis.tests.conftest import new_database
from chassis.tests.security.conftest import CLIENT, GUARDED
from chassis.wiring import current_wiring

assert kinds


@pytest.fixture
def database(tmp_path):
    keys = {name.lower(): value for name, value in GUARDED.items()}
    settings = Settings(app_env="test", database_url=new_database(tmp_path), **keys)
    app = create_app(settings)
    db.open(settings)
    with app.app_context():
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
    return [one["id"] for one in db.read(lambda conn: conn.execute(store.newest_first()).mappings().all())]


def test_those_from_before_a_time_are_deleted_unless_they_run(database):
    for number, state in ((1, "succeeded"), (2, "running"), (3, "failed"), (4, "succeeded")):
        made(number, state)
    assert database.write(lambda conn: store.delete_old(conn, 4.0, 2)) == 3
    assert database.write(lambda conn: store.delete_old(conn, 4.0, 2)) == 3
    assert database.write(lambda conn: store.delete_old(conn, 4.0, 2)) == 0
    assert left() == ["4", "2"]


def test_jobs_whose_inspection_went_with_an_account_are_deleted_by_age(database):
    made(1, "succeeded")
    made(2, "running")
    for part in current_wiring().leaving:
        database.write(lambda conn, part=part: part.end(conn, leaving.Departure("ada")))
    everything = select(func.count()).select_from(jobs.jobs_table)
    assert (left(), database.read(lambda conn: conn.execute(everything).scalar())) == ([], 2)
    assert database.write(lambda conn: store.delete_old(conn, time.time() + 60, 10)) == 1
    assert database.read(lambda conn: conn.execute(everything).scalar()) == 1


def test_an_heir_may_delete_what_was_handed_over(database):
    made(1, "succeeded")
    with current_app.test_request_context(headers={"X-API-Key": CLIENT}):
        departure = leaving.Departure("ada", heir=identity.current().owner)
        for part in current_wiring().leaving:
            database.write(lambda conn, part=part: part.end(conn, departure))
        assert service.remove("1")["status"] == "succeeded"


def test_the_rows_of_the_files_go_with_the_inspection(database):
    file = {"owner": "ada", "label": "inspections", "name": "a.jpg", "kind": "image/jpeg", "size": 1, "sha256": "s"}
    database.write(lambda conn: conn.execute(files.insert().values(id="f", created_at=1.0, **file)))
    made(1, "succeeded")
    database.write(lambda conn: store.delete_old(conn, 4.0, 10))
    assert database.read(lambda conn: conn.execute(select(files)).first()) is None
