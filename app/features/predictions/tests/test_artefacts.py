"""The files made of all results, and the age at which results go."""

import csv
import io
import time
import xml.etree.ElementTree as ElementTree

import pytest
from sqlalchemy import func, select

from app import create_app
from app.features.predictions import artefacts, figure, known, store
from app.features.predictions.tables import cache, predictions, rows
from chassis.db import db, older
from chassis.jobs import new_job, registry
from chassis.jobs import store as jobs_store
from chassis.jobs.tables import jobs
from chassis.settings import Settings
from chassis.tests.conftest import new_database
from chassis.tests.patience import wait_until

ADMIN, CLIENT = "an-admin-key-of-the-artefacts-01234", "a-client-key-of-the-artefacts-56789"


@pytest.mark.long
def test_all_results_are_downloaded_as_csv_and_figure_by_those_who_may_see_them(serve):
    guarded = {"REQUIRE_CLIENT_API_KEY": "true", "ADMIN_API_KEY": ADMIN, "CLIENT_API_KEYS": CLIENT}
    server = serve(ARTEFACTS_SCHEDULE="* * * * * *", DEMO_PREDICTOR="true", **guarded)
    admin, client = {"X-API-Key": ADMIN}, {"X-API-Key": CLIENT}
    body = b'{"name": "=two", "prompt": "Is {s} harmful?", "rows": [{"s": "Vibrio"}, {"s": "Bacillus"}]}'
    assert server.request("POST", "/api/predictions", body, client | {"Content-Type": "application/json"})[0] == 202

    def whole():
        status, text = server.get("/predictions/artefacts/results.csv", admin)
        found = list(csv.reader(io.StringIO(text))) if status == 200 else []
        return found if len(found) == 3 else None

    header, first, second = wait_until(whole)
    assert header == artefacts.COLUMNS
    assert (first[:4], second[4]) == (["'=two", "1", "demo", "succeeded"], '{"s": "Bacillus"}')
    drawn = wait_until(
        lambda: "demo: 2 succeeded" in (text := server.get("/predictions/artefacts/figure.svg", admin)[1]) and text
    )
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert "figure.svg" in server.get("/predictions", admin)[1]
    for path in ("figure.svg", "results.csv"):
        assert server.get(f"/predictions/artefacts/{path}", client)[0] == 404
    assert "figure.svg" not in server.get("/predictions", client)[1]
    assert not list((server.folder / "artefacts").glob(".*"))


def test_a_download_names_its_charset_once(tmp_path):
    app = create_app(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    (tmp_path / "artefacts").mkdir()
    for name, kind in (("results.csv", "text/csv"), ("figure.svg", "image/svg+xml")):
        (tmp_path / "artefacts" / name).write_text("x")
        answer = app.test_client().get(f"/predictions/artefacts/{name}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")


def test_a_figure_says_everything_and_trusts_no_name():
    drawn = figure.draw([("a<b>&", "succeeded", 3), ("a<b>&", "failed", 1), ("m" * 40, "failed", 2)], "today")
    texts = [element.text for element in ElementTree.fromstring(drawn).iter() if element.text]
    assert "a<b>&: 3 succeeded" in texts
    assert "3 / 1" in texts
    assert "0 / 2" in texts
    assert "No row" in figure.draw([], "today")


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("whole")

    def broken():
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        artefacts._replace(path, broken())
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("results.csv", "whole")]


@pytest.fixture
def database(tmp_path):
    db.open(Settings(database_url=new_database(tmp_path)))
    yield db
    db.close()


def batch(count, *, days, state="succeeded"):
    at = time.time() - days * 86_400
    job = new_job("predictions", {}) if registry.find("predictions") else None
    assert job is not None
    values = {"id": job.id, "job_id": job.id, "name": "n", "prompt": "{a}", "columns": ["a"], "model": "m"}

    def write(conn):
        jobs_store.insert(conn, job)
        store.insert(conn, values | {"created_at": at}, [{"a": "1"}] * count)
        conn.execute(jobs.update().where(jobs.c.id == job.id).values(state=state, updated_at=at, finished_at=at))

    db.write(write)
    return job.id


def count(table):
    return db.read(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar())


def test_old_batches_go_with_their_rows_and_jobs_a_little_at_a_time(database):
    from app.features.predictions import jobs as _kinds  # noqa: F401

    batch(7, days=40)
    batch(2, days=50)
    young, waiting = batch(3, days=5), batch(3, days=90, state="queued")
    before, gone = time.time() - 30 * 86_400, []
    while not gone or gone[-1] >= 4:
        gone.append(db.write(lambda conn: store.delete_old(conn, before, 4)))
    assert sum(gone) == 7 + 2 + 2
    assert max(gone) <= 5
    assert (count(rows), count(predictions), count(jobs)) == (6, 2, 2)
    assert {row.id for row in db.read(lambda conn: list(conn.execute(select(jobs.c.id))))} == {young, waiting}


def test_answers_too_old_to_be_used_again_go(database):
    now = time.time()
    for age in (1, 10, 20):
        db.write(lambda conn, age=age: known.remember(conn, {str(age): "x"}, now - age * 86_400))
    assert db.write(lambda conn: older(cache.c.created_at)(conn, now - 7 * 86_400, 500)) == 2
    assert count(cache) == 1
