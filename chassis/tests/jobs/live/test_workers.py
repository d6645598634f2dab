"""Jobs run in workers of their own: the same with `flask jobs work` and with Celery."""

import os
import signal
import subprocess

import pytest
from sqlalchemy import update

from chassis import jobs
from chassis.db import db
from chassis.jobs import queries
from chassis.jobs.tables import schedules as schedules_table
from chassis.settings import Settings
from chassis.tests.jobs.live.workers import CELERY, lines
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


def test_a_stopped_worker_gives_its_jobs_back_and_the_next_one_goes_on_with_them(workers, tmp_path):
    go = tmp_path / "go"
    worker = workers.start()
    queued = [workers.enqueue(kind, path=str(go)) for kind in ("wait", "march")]
    for job_id in queued:
        workers.running(job_id)
    worker.terminate()
    assert worker.wait(LIMIT_SECONDS) == 0
    for job_id in queued:
        found = jobs.get(job_id)
        assert (found.state, found.attempt, found.done) == ("queued", 0, 1), workers.log()
    go.touch()
    workers.start()
    assert [workers.wait(job_id, "succeeded").attempt for job_id in queued] == [1, 1]
    assert "job_requeued" in workers.log()


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
