"""Celery's workers, messages and broker may fail, and no job is lost."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import update

from chassis import jobs
from chassis.db import db
from chassis.jobs import broker
from chassis.jobs.tables import jobs as table
from chassis.tests.jobs.live.workers import APP, CELERY, lines
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT, same_in_every_mode

pytest.importorskip("celery")
pytestmark = [pytest.mark.server, same_in_every_mode]


def test_a_killed_child_of_a_celery_worker_is_replaced_and_its_job_runs_again(celery, tmp_path):
    go = tmp_path / "go"
    celery.start()
    job_id = celery.enqueue("wait", path=str(go))
    os.kill(celery.running(job_id), signal.SIGKILL)
    go.touch()
    assert celery.wait(job_id, "succeeded").attempt == 2


def test_children_end_with_a_worker_that_is_killed(celery, tmp_path):
    worker = celery.start()
    job_id = celery.enqueue("wait", path=str(tmp_path / "go"))
    child = celery.running(job_id)
    worker.kill()
    celery.wait(job_id, "queued")
    wait_until(lambda: not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text())


def test_kinds_have_queues_and_workers_may_take_some_of_them(celery, tmp_path):
    celery.start("-Q", broker.full_name("jobs"))
    celery.wait(celery.enqueue("note", path=str(tmp_path / "notes")), "succeeded")
    slow = celery.enqueue("shaky")
    assert "no worker for shaky" in celery.server.json("/readyz")["checks"]["workers"]["detail"]
    wait_until(lambda: celery.tell_broker("llen", broker.full_name("slow")) == "1")
    assert jobs.get(slow).state == "queued"
    celery.start("-Q", broker.full_name("slow"), "-n", "slow@%h")
    celery.wait(slow, "succeeded")


def test_priorities_and_turns_are_those_of_the_database(celery, tmp_path):
    notes = tmp_path / "notes"
    queued = [celery.enqueue("note", path=str(notes)) for _ in range(6)]
    db.write(lambda conn: conn.execute(update(table).where(table.c.id == queued[-1]).values(priority=5)))
    celery.start("-c", "1")
    for job_id in queued:
        celery.wait(job_id, "succeeded")
    assert lines(notes) == [queued[-1], *queued[:-1]]


def test_celery_s_own_tools_see_the_tasks(celery, tmp_path):
    celery.start()
    job_id = celery.enqueue("wait", path=str(tmp_path / "go"))
    celery.running(job_id)
    env = {**celery.server.env, "FLASK_APP": str(APP)}
    command = [*CELERY[:-5], "inspect", "active", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    assert job_id in done.stdout, done.stdout + done.stderr
    assert broker.full_name("jobs") in done.stdout
