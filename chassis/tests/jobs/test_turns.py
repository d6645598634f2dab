"""Whose turn it is: nobody's many jobs hold up another's few."""

import threading
import time
from dataclasses import asdict, replace

import pytest

from chassis import jobs
from chassis.db import db
from chassis.jobs import registry, store
from chassis.jobs.owner import claim_owner
from chassis.jobs.tables import jobs as table
from chassis.settings import Settings
from chassis.tests.conftest import new_database


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Return a function that queues a number of jobs of somebody."""
    monkeypatch.setattr(registry, "_kinds", {})
    jobs.job("work")(lambda context, payload: None)
    db.open(Settings(database_url=new_database(tmp_path)))

    def put(submitter, number=1, **values):
        made = [replace(jobs.new_job("work", {}), submitted_by=submitter, **values) for _ in range(number)]
        db.write(lambda conn: conn.execute(table.insert(), [asdict(job) for job in made]))
        return [job.id for job in made]

    yield put
    db.close()


def claim():
    now = time.time()
    return db.write(lambda conn: store.claim(conn, kinds=["work"], owner=claim_owner(), now=now, lease_seconds=60))


def end(job):
    db.write(lambda conn: store.leave(conn, job_id=job.id, owner=job.owner, now=time.time(), state="succeeded"))


def test_sixty_jobs_of_one_key_do_not_hold_up_one_of_another(queue):
    queue("key:many", 60)
    queue("key:few")
    assert [claim().submitted_by for _ in range(4)] == ["key:many", "key:few", "key:many", "key:many"]


def test_the_fewest_running_come_first_then_priority_then_age(queue):
    (old,), (urgent,), (late,) = queue("a"), queue("b", priority=5), queue("c")
    taken = [claim() for _ in range(3)]
    assert [job.id for job in taken] == [urgent, old, late]
    end(taken[1])
    queue("b", priority=9)
    queue("a")
    assert claim().submitted_by == "a", "b has one running"


def test_priority_counts_within_the_jobs_of_one(queue):
    (plain,), (urgent,) = queue("a"), queue("a", priority=1)
    assert [claim().id, claim().id] == [urgent, plain]


def test_the_job_of_a_schedule_goes_before_all_turns(queue):
    jobs.job("backup", schedule="0 2 * * *")(lambda context, payload: None)
    queue("")
    assert claim().submitted_by == ""
    queue("a", 3)
    (backup,) = queue("", priority=jobs.new_job("backup", {}).priority)
    assert claim().id == backup, "although one without a submitter runs, and none of a"
    assert registry.kind("work").priority == 0


def test_what_is_not_ready_is_passed_over(queue):
    queue("a", not_before=time.time() + 3600)
    queue("b", kind="unknown")
    assert claim() is None
    (ready,) = queue("c")
    assert claim().id == ready
    assert claim() is None


def test_many_that_claim_at_once_get_all_jobs_each_once(queue):
    queued = {*queue("a", 40), *queue("b", 3), *queue("")}
    won = []

    def work():
        while (job := claim()) is not None:
            won.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(queued)
    assert set(won) == queued
