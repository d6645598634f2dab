"""What an admin did to jobs is taken back, in time and while nothing else has changed them."""

import time

import pytest
from sqlalchemy import select, update

from chassis.db import db
from chassis.jobs import endings, lines, queries, undo
from chassis.jobs.tables import jobs
from chassis.jobs.tables import undo as table
from chassis.observability.job_lines import Line
from chassis.parts.console.tests.conftest import FROM_HERE, insert, made_up
from chassis.security import audit

JSON = FROM_HERE | {"Accept": "application/json"}


@pytest.fixture
def act(make):
    """Return a function that does something to jobs as an admin: `act("cancel", ids=[...])`; nothing runs them."""
    client = make()
    client.set_cookie("tester", "admin")
    return lambda action, **body: client.post(f"/admin/console/jobs/{action}", json=body, headers=JSON).json


def made(number, state, **changes):
    found = made_up(number, state, "cleanup", {"words": "grey"})
    insert(db, found)
    ids = [job.id for job in found]
    if changes:
        db.write(lambda conn: conn.execute(update(jobs).where(jobs.c.id.in_(ids)).values(**changes)))
    return ids


def shown(ids):
    """Return what the jobs' rows hold, but for the two columns that any change sets."""
    found = db.read(lambda conn: list(conn.execute(select(jobs).where(jobs.c.id.in_(ids)).order_by(jobs.c.id))))
    return [
        {name: row._mapping[name] for name in row._mapping if name not in ("updated_at", "revision")} for row in found
    ]


@pytest.mark.parametrize(
    ("action", "state"), [("requeue", "failed"), ("requeue", "interrupted"), ("cancel", "queued"), ("delete", "failed")]
)
def test_an_action_is_taken_back_with_all_that_it_changed(act, monkeypatch, action, state):
    ids = made(250, state, error="it broke", attempt=3, message="half way")
    before = shown(ids)
    token = act(action, matching={})["undo"]
    assert shown(ids) != before
    ended = []
    monkeypatch.setitem(endings._hooks, "test", lambda conn, job: ended.append(job.id))
    assert act("undo", token=token) == {"changed": 250, "missed": 0}
    assert shown(ids) == before
    assert ended == [], "what waits for the end of a job has heard of it before"
    assert act("undo", token=token)["error"]["code"] == "conflict"
    assert audit.listing(limit=1)[0]["action"] == "job.undo"


def test_what_was_begun_or_changed_since_stays_as_it_is(act):
    ids = made(3, "failed")
    token = act("requeue", ids=ids)["undo"]
    db.write(lambda conn: conn.execute(update(jobs).where(jobs.c.id == ids[0]).values(state="running", revision=7)))
    assert act("undo", token=token) == {"changed": 2, "missed": 1}
    assert [job["state"] for job in shown(ids)].count("running") == 1


def test_a_running_job_that_was_told_to_stop_cannot_be_told_to_go_on(act):
    assert act("cancel", ids=made(1, "running")) == {"changed": 1, "undo": None, "more": False}


def test_what_is_too_old_is_gone_with_the_lines_of_deleted_jobs(act):
    kept, deleted = made(1, "failed"), made(1, "failed")
    for job_id in (*kept, *deleted):
        line = Line(job_id, time.time(), "info", None, None, "a line")
        db.write(lambda conn, line=line: lines.store(conn, [line]))
    tokens = [act("requeue", ids=kept)["undo"], act("delete", ids=deleted)["undo"]]
    undo.expire()
    assert db.read(lambda conn: len(lines.of(conn, deleted[0]))) == 1, "the deletion can be taken back"
    past = {"at": time.time() - undo.KEPT_SECONDS - 1}
    db.write(lambda conn: conn.execute(update(table).values(**past)))
    assert [act("undo", token=token)["error"]["code"] for token in tokens] == ["conflict", "conflict"]
    undo.expire()
    assert db.read(lambda conn: [len(lines.of(conn, job_id)) for job_id in (*kept, *deleted)]) == [1, 0]
    assert db.read(lambda conn: list(conn.execute(select(table)))) == []
    assert db.read(lambda conn: queries.get(conn, deleted[0])) is None


def test_only_a_token_of_a_change_takes_it_back(act):
    assert act("undo", token="0" * 32)["error"]["code"] == "conflict"
    assert act("undo", token="../x")["error"]["code"] == "invalid_body"
