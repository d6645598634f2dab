"""Answers of many threads are stored in groups: each once, numbered in order, and counted."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from app import create_app
from app.features.predictions import known, store
from app.features.predictions.answers import Answers
from app.features.predictions.store import FAILED, SUCCEEDED, Answer
from app.features.predictions.tables import rows
from chassis.db import db
from chassis.jobs import insert, new_job
from chassis.settings import Settings
from chassis.tests.patience import wait_until
from chassis.tests.servers import new_database

COUNT = 40


class Context:
    """What `Answers` needs of a job: writes, which are counted, and its progress."""

    def __init__(self):
        self.writes, self.told = 0, []
        self.first, self.go = threading.Event(), threading.Event()

    def write(self, work):
        self.writes += 1
        self.first.set()
        self.go.wait()
        return db.write(work)

    def progress(self, done, total):
        self.told.append((done, total))


@pytest.fixture
def batch_id(tmp_path):
    """The id of a batch with rows that wait."""
    app = create_app(Settings(app_env="test", database_url=new_database(tmp_path)))
    with app.app_context():
        job = replace(new_job("predictions", {}), submitted_by="")
        batch = {"id": job.id, "job_id": job.id, "name": "n", "prompt": "{a}", "columns": ["a"], "model": "m"}
        batch |= {"created_at": 0.0, "stored_bytes": 0}

        def write(conn):
            insert(conn, job)
            store.insert(conn, batch, [{"a": str(number)} for number in range(COUNT)])

        db.write(write)
    yield job.id
    db.close()


def stored(batch_id):
    query = select(rows.c.position, rows.c.status, rows.c.output, rows.c.finish_no).where(
        rows.c.prediction_id == batch_id
    )
    return {row.position: row for row in db.read(lambda conn: conn.execute(query).all())}


def test_those_who_wait_are_stored_together(batch_id):
    context = Context()
    answers = Answers(context, batch_id, COUNT)

    def answer(position):
        status = FAILED if position % 4 == 0 else SUCCEEDED
        answers.store(position, Answer(status, output=f"o{position}", cache_key=f"key{position % 10}"))

    threads = [threading.Thread(target=answer, args=(position,)) for position in range(COUNT)]
    threads[0].start()
    context.first.wait()
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(answers._grouped._waiting) == COUNT - 1)  # all others wait for their turn
    context.go.set()
    for thread in threads:
        thread.join()
    assert context.writes == 2
    assert context.told == [(1, COUNT), (COUNT, COUNT)]
    found = stored(batch_id)
    assert {position: row.output for position, row in found.items()} == {n: f"o{n}" for n in range(COUNT)}
    assert sorted(row.finish_no for row in found.values()) == list(range(1, COUNT + 1))
    batch = db.read(lambda conn: store.get(conn, batch_id))
    assert (batch["done"], batch["failed"], batch["finish_seq"]) == (COUNT, COUNT // 4, COUNT)
    assert db.read(lambda conn: known.find(conn, "key9", 0)) in {f"o{n}" for n in (9, 19, 29, 39)}


def test_a_row_that_has_its_answer_is_not_counted_again(batch_id):
    context = Context()
    context.go.set()
    answers = Answers(context, batch_id, COUNT)
    answers.store(3, Answer(SUCCEEDED, output="first"))
    answers.store(3, Answer(SUCCEEDED, output="second"))
    assert stored(batch_id)[3].output == "first"
    assert context.told == [(1, COUNT)]
    assert db.read(lambda conn: store.get(conn, batch_id))["finish_seq"] == 1
