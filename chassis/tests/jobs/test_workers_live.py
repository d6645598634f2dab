"""Jobs of real workers beside a web process that runs none: the same with `flask jobs work` and with Celery."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import update

from chassis import jobs
from chassis.db import db
from chassis.jobs import broker, queries
from chassis.jobs.tables import jobs as table
from chassis.jobs.tables import schedules as schedules_table
from chassis.settings import Settings
from chassis.tests.jobs.live import APP, CELERY, lines
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT, same_in_every_mode

pytest.importorskip("celery")
pytestmark = [pytest.mark.server, same_in_every_mode]


def test_jobs_run_with_progress_retries_and_time_limits(workers, tmp_path):
    workers.start()
    notes = tmp_path / "notes"
    written = [workers.enqueue("note", path=str(notes)) for _ in range(20)]
    shaky, brief, count = (workers.enqueue(kind) for kind in ("shaky", "brief", "count"))
    assert all(workers.wait(job_id, "succeeded", "failed").state == "succeeded" for job_id in written)
    assert sorted(lines(notes)) == sorted(written), "each ran once"
    assert workers.wait(shaky, "succeeded", "failed").attempt == 2
    assert workers.wait(brief, "failed").error == "The job exceeded its time limit of 0.5 s."
    found = workers.wait(count, "succeeded", "failed")
    assert (found.state, found.done, found.total) == ("succeeded", 3, 3)


def test_waiting_running_and_deaf_jobs_are_cancelled(workers, tmp_path):
    waits = workers.enqueue("wait", path=str(tmp_path / "never"))
    jobs.cancel(waits)
    assert jobs.get(waits).state == "cancelled"
    workers.start()
    for kind in ("wait", "deaf"):
        job_id = workers.enqueue(kind, path=str(tmp_path / "never"))
        workers.running(job_id)
        jobs.cancel(job_id)
        workers.wait(job_id, "cancelled")


def test_a_schedule_runs_in_a_worker(workers):
    workers.start()
    due = update(schedules_table).where(schedules_table.c.kind == "nightly").values(next_at=1.0)
    wait_until(lambda: db.write(lambda conn: conn.execute(due).rowcount))
    (job,) = wait_until(lambda: db.read(lambda conn: queries.matching(conn, {"kind": "nightly"}, since=0, limit=9)))
    workers.wait(job.id, "succeeded")


def test_the_death_of_a_worker_is_noticed_and_its_jobs_run_again(workers, tmp_path):
    go = tmp_path / "go"
    worker = workers.start()
    wait_until(lambda: "workers" not in workers.server.json("/readyz")["checks"], workers.log())
    job_id = workers.enqueue("wait", path=str(go))
    workers.running(job_id)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    assert "no worker for" in wait_until(lambda: workers.server.json("/readyz")["checks"].get("workers"))["detail"]
    assert workers.server.get("/readyz")[0] == 200
    assert workers.server.metric("app_job_workers") == 0
    workers.wait(job_id, "queued")
    go.touch()
    workers.start()
    found = workers.wait(job_id, "succeeded")
    assert found.attempt == 2


def test_a_stopped_worker_gives_its_jobs_back_and_ends(workers, tmp_path):
    worker = workers.start()
    job_id = workers.enqueue("wait", path=str(tmp_path / "go"))
    workers.running(job_id)
    worker.terminate()
    assert worker.wait(LIMIT_SECONDS) == 0
    found = jobs.get(job_id)
    assert (found.state, found.attempt) == ("queued", 0), workers.log()


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


def test_wrong_settings_are_one_sentence(tmp_path):
    env = {**{k: os.environ[k] for k in ("PATH", "HOME")}, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/a"}
    done = subprocess.run(CELERY, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) != (0, "")
    assert "JOBS_BROKER_URL" in done.stderr
    assert "Traceback" not in done.stderr
    settings = Settings(jobs_engine="celery", jobs_queues=("a=b", "nothing", "x= y"))
    assert [problem for problem in settings.problems() if problem[0].startswith("JOBS_")] == [
        ("JOBS_QUEUES", "holds 'nothing', which is not KIND=QUEUE"),
        ("JOBS_QUEUES", "holds 'x= y', which is not KIND=QUEUE"),
        ("JOBS_ENGINE", "is celery, which needs JOBS_BROKER_URL or REDIS_URL"),
    ]
