"""Celery's workers, messages and broker may fail, and no job is lost."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from chassis import jobs
from chassis.db import db
from chassis.jobs import broker
from chassis.jobs.sender import Sender
from chassis.jobs.tables import jobs as table
from chassis.settings import Settings
from chassis.tests.jobs.live.workers import APP, CELERY, lines
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT, same_in_every_mode

pytest.importorskip("celery")
pytestmark = [pytest.mark.server, same_in_every_mode]


def redis_cli(url, *command):
    done = subprocess.run(["redis-cli", "-u", url, *command], capture_output=True, text=True, check=True)
    return done.stdout.strip()


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


def test_a_flushed_broker_loses_no_job(celery, tmp_path):
    notes = tmp_path / "notes"
    written = [celery.enqueue("note", path=str(notes)) for _ in range(30)]
    wait_until(lambda: redis_cli(celery.redis, "llen", broker.full_name("jobs")) >= "30")
    assert redis_cli(celery.redis, "flushall") == "OK"
    celery.start()
    for job_id in written:
        celery.wait(job_id, "succeeded")
    redis_cli(celery.redis, "flushall")  # beneath a worker that listens
    written.append(celery.enqueue("note", path=str(notes)))
    celery.wait(written[-1], "succeeded")
    assert sorted(lines(notes)) == sorted(written), "each ran once"


def test_doubled_late_and_foreign_messages_change_nothing(celery, tmp_path):
    notes, go = tmp_path / "notes", tmp_path / "go"
    ended, held = celery.enqueue("note", path=str(notes)), celery.enqueue("wait", path=str(go))
    celery.start()
    celery.wait(ended, "succeeded")
    celery.running(held)
    sender = Sender(Settings(jobs_engine="celery", jobs_broker_url=SecretStr(celery.redis)))
    stale = [(ended, "note"), (held, "wait"), ("f" * 32, "note")]
    assert sender.send(stale * 10)
    wait_until(lambda: celery.log().count("no job was ready") >= 30)
    go.touch()
    assert celery.wait(held, "succeeded").attempt == 1
    assert lines(notes) == [ended]


def test_a_broker_that_is_away_or_full_loses_no_job(celery, tmp_path):
    notes = tmp_path / "notes"
    celery.start()
    celery.wait(celery.enqueue("note", path=str(notes)), "succeeded")
    redis_cli(celery.redis, "config", "set", "maxmemory", "1")
    job_id = celery.enqueue("note", path=str(notes))
    detail = wait_until(lambda: celery.server.json("/readyz")["checks"].get("broker"))
    assert detail["ok"]
    assert "does not take messages" in detail["detail"]
    assert jobs.get(job_id).state == "queued"
    redis_cli(celery.redis, "config", "set", "maxmemory", "0")
    celery.wait(job_id, "succeeded")
    wait_until(lambda: "broker" not in celery.server.json("/readyz")["checks"])
    assert len(lines(notes)) == 2


def test_kinds_have_queues_and_workers_may_take_some_of_them(celery, tmp_path):
    celery.start("-Q", broker.full_name("jobs"))
    celery.wait(celery.enqueue("note", path=str(tmp_path / "notes")), "succeeded")
    slow = celery.enqueue("shaky")
    assert "no worker for shaky" in celery.server.json("/readyz")["checks"]["workers"]["detail"]
    wait_until(lambda: redis_cli(celery.redis, "llen", broker.full_name("slow")) == "1")
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
