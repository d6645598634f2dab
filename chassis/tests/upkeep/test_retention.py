"""What goes by age, and what stays."""

import time
from pathlib import Path

import pytest

from chassis import jobs
from chassis.db import db
from chassis.hooks import Hooks
from chassis.jobs import registry, store
from chassis.jobs.tables import jobs as table
from chassis.security.tables import audit_log

DAY = 86_400
NO_USAGE = "usage: 0, budget_reservations: 0"


@pytest.fixture(autouse=True)
def kinds(upkeep, monkeypatch):
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    jobs.job("mail")(lambda context, payload: None)
    jobs.job("referred", own_rows=True)(lambda context, payload: None)


def job(state="succeeded", days=40.0, kind="mail"):
    at = time.time() - days * DAY
    made = jobs.new_job(kind, {})
    row = vars(made) | {"state": state, "created_at": at, "updated_at": at, "finished_at": at}
    db.write(lambda conn: conn.execute(table.insert().values(**row)))
    return made.id


def left():
    return {row.id for row in db.read(lambda conn: list(conn.execute(table.select())))}


def test_old_jobs_go_and_young_waiting_referred_to_and_unknown_ones_stay(upkeep):
    gone = [job(), job("failed"), job("interrupted", days=31)]
    stay = {job(days=29), job("queued"), job("running"), job(kind="referred")}
    with_deleted_feature = job()
    db.write(lambda conn: conn.execute(table.update().where(table.c.id == with_deleted_feature).values(kind="deleted")))
    assert (
        upkeep.run("retention")
        == f"deleted jobs: {len(gone)}, job_lines: 0, files: 0, feedback: 0, audit: 0, quota_days: 0, {NO_USAGE}"
    )
    assert left() == stay | {with_deleted_feature}


def test_none_is_for_ever(upkeep):
    job(days=4_000)
    upkeep.run("retention", retention_jobs_days=0)
    assert len(left()) == 1


def test_the_audit_log_goes_by_its_own_age(upkeep):
    line = {"actor": "ada", "action": "key.create", "target": "", "address": "", "result": "ok"}
    lines = [{**line, "at": time.time() - days * DAY} for days in (900, 366, 364, 1)]
    db.write(lambda conn: conn.execute(audit_log.insert(), lines))
    assert (
        upkeep.run("retention")
        == f"deleted jobs: 0, job_lines: 0, files: 0, feedback: 0, audit: 2, quota_days: 0, {NO_USAGE}"
    )


def test_it_goes_in_small_transactions_with_pauses_in_which_others_write(upkeep, monkeypatch):
    at = time.time() - 90 * DAY
    made = jobs.new_job("mail", {})
    rows = [
        vars(made) | {"id": str(n), "state": "succeeded", "updated_at": at, "finished_at": at} for n in range(1_700)
    ]
    db.write(lambda conn: conn.execute(table.insert(), rows))
    counts, pauses = [], []
    delete = store.delete_ended
    monkeypatch.setattr(
        store, "delete_ended", lambda *args, **kwargs: counts.append(delete(*args, **kwargs)) or counts[-1]
    )
    monkeypatch.setattr("chassis.jobs.JobContext.wait", lambda self, seconds: pauses.append(seconds))
    upkeep.run("retention")
    assert counts == [500, 500, 500, 200]
    assert len(pauses) >= 4
    assert all(pauses)


def test_features_join_with_rows_that_go_before_the_core_s(upkeep):
    order = []
    hooks = Hooks(upkeep.app, "albums", Path())
    hooks.retain("albums", lambda settings: 7, lambda conn, before, limit: order.append(before) or 0)
    hooks.retain("never", lambda settings: 0, lambda conn, before, limit: 1 / 0)
    assert (
        upkeep.run("retention")
        == f"deleted albums: 0, jobs: 0, job_lines: 0, files: 0, feedback: 0, audit: 0, quota_days: 0, {NO_USAGE}"
    )
    assert time.time() - 7 * DAY - 60 < order[0] < time.time() - 7 * DAY + 60
