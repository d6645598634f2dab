"""The operator's commands beside a real server: schedules, jobs, maintenance, the level of the logs."""

import itertools
import json
import os
import shlex
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import socketio
from sqlalchemy.exc import OperationalError

from app import create_app
from chassis import jobs
from chassis.db import db
from chassis.jobs import queries
from chassis.security import switches
from chassis.tests.conftest import gunicorn, same_in_every_mode, serving
from chassis.tests.documents import blocks
from chassis.tests.patience import LIMIT_SECONDS, wait_until

pytestmark = same_in_every_mode
HERE = Path(__file__).parent
EVERY_SECOND = "* * * * * *"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that runs jobs, one of them by the clock each second."""
    with serving(tmp_path_factory.mktemp("operations")) as start:
        schedules = {"SQLITE_UPKEEP_SCHEDULE": EVERY_SECOND, "RETENTION_SCHEDULE": "30 3 * * *"}
        yield start(command=gunicorn(HERE, "operations_app:app"), **schedules)


@pytest.fixture
def flask(server):
    """Return a function that types a command beside the server, in this process, which spares a second each."""
    with patch.dict(os.environ, server.env, clear=True):
        app = create_app()
        runner = app.test_cli_runner()

        def typed(line, status=0, **options):
            done = runner.invoke(args=shlex.split(line, comments=True), **options)
            assert done.exit_code == status, f"{line}\n{done.output}\n{done.exception!r}"
            return done.stdout.strip() if status in (0, 1, 3) and done.stdout else done.output

        with app.app_context():
            yield typed


def queue(count=1, seconds=0.01, kind="steps", **payload):
    """Store a job as a request would; the kind is the server's, and this process need not know it."""
    with patch("chassis.jobs.registry.kind", lambda _: SimpleNamespace(priority=0)):
        return jobs.enqueue(kind, {"count": count, "seconds": seconds, **payload})


def ended(job, state="succeeded"):
    wait_until(lambda: jobs.get(job.id).state == state)
    return job


@pytest.mark.long
def test_two_processes_run_a_schedule_once(server, flask):
    command = [sys.executable, "-m", "flask", "jobs", "work"]
    began = time.time()
    with serving(server.folder) as start:
        worker = start(command=command, ready=False, SQLITE_UPKEEP_SCHEDULE=EVERY_SECOND)
        wait_until(lambda: '"working;' in worker.log)
        both = time.time()
        wait_until(lambda: len(runs(both, state="succeeded")) >= 4)
    found = runs(began)
    for earlier, later in itertools.pairwise(found):
        assert earlier.finished_at <= later.created_at, "a run began beside another"
    assert {job.state for job in found[:-1]} <= {"succeeded", "interrupted"}
    (listed,) = [one for one in json.loads(flask("schedules list --json")) if one["kind"] == "sqlite_upkeep"]
    assert (listed["expression"], listed["missed"]) == (EVERY_SECOND, "skip")
    assert listed["last_success_at"]
    assert server.metric("app_schedule_last_success_age_seconds") >= 0
    asked = time.time()
    assert server.metric("app_schedule_next_run_timestamp_seconds") >= asked


def runs(since, **asked):
    """Return the scheduled jobs that were made since a time, oldest first."""
    asked = {"kind": "sqlite_upkeep", **asked}
    return db.read(lambda conn: queries.matching(conn, asked, since=since, limit=500))[::-1]


def test_a_schedule_is_listed_and_run_now(server, flask):
    assert "30 3 * * *" in flask("schedules list")
    job_id = flask("schedules run retention").splitlines()[0]
    assert "jobs: 0, job_lines: 0, files: 0, feedback: 0, audit: 0" in flask(f"jobs watch {job_id}")
    assert "no job kind" in flask("schedules run nothing", status=1).lower()


def test_a_job_is_shown_and_watched_to_its_end(server, flask):
    good = queue(count=20, seconds=0.05)
    told = flask(f"jobs watch {good.id}").splitlines()
    assert len(told) > 1
    assert told[-1] == "succeeded  20/20 (100 %)  step 20"
    assert "failed with an unexpected error" in flask(f"jobs watch {queue(fails=True).id}", status=1)
    assert json.loads(flask(f"jobs show {good.id} --json"))["payload"]["count"] == 20
    assert "steps" in flask(f"jobs show {good.id}")


def test_ctrl_c_ends_the_watching_and_not_the_job(server, flask):
    job = queue(count=1_000, seconds=0.1)
    with patch("chassis.cli.jobs.time.sleep", side_effect=KeyboardInterrupt):
        flask(f"jobs watch {job.id}", status=130)
    assert not jobs.get(job.id).cancel_requested
    flask(f"jobs cancel {job.id}")


def test_jobs_are_chosen_and_changed_in_bulk(server, flask):
    failed = [ended(queue(fails=True), "failed") for _ in range(3)]
    chosen = json.loads(flask("jobs list --kind steps --state failed --since 1h --limit 2 --json"))
    assert [job["id"] for job in chosen] == [failed[2].id, failed[1].id]
    assert flask("jobs list --owner nobody") == "No jobs."
    assert "Give the ids of jobs" in flask("jobs requeue", status=2)
    dry = flask("jobs requeue --all --kind steps --state failed --dry-run")
    assert failed[0].id in dry
    assert jobs.get(failed[0].id).state == "failed"
    assert "jobs changed" in flask("jobs requeue --all --kind steps --state failed")
    wait_until(lambda: jobs.get(failed[0].id).state == "failed" and jobs.get(failed[0].id).revision > 4)
    long = queue(count=1_000, seconds=0.1)
    assert "Aborted" in flask("jobs cancel --all --kind steps", status=1, input="n\n")
    flask("jobs cancel --all --kind steps --yes")
    assert jobs.get(long.id).cancel_requested
    assert "cancelled" in flask(f"jobs watch {long.id}", status=3)
    assert flask("jobs reset-stalled --dry-run") == "0 jobs would be reset."


def test_ended_jobs_are_purged_and_those_of_other_rows_are_not(server, flask):
    job = ended(queue(kind="steps"))
    with patch("chassis.jobs.registry.deletable", lambda: ["steps"]):
        assert "0 jobs would" in flask("jobs purge --older-than 1d")
        assert "would be deleted" in flask("jobs purge --older-than 0s --dry-run")
        assert "Aborted" in flask("jobs purge --older-than 0s", status=1, input="n\n")
        assert jobs.get(job.id)
        assert "jobs deleted" in flask("jobs purge --older-than 0s --yes")
        assert "no such job" in flask(f"jobs show {job.id}", status=1)
    assert "A feature's rows refer" in flask("jobs purge --older-than 1d --kind steps", status=1)
    assert "jobs.purge" in flask("audit list")


@pytest.fixture
def socket(server):
    client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    client.connect(server.url, transports=["websocket"], wait_timeout=LIMIT_SECONDS)
    yield client
    client.disconnect()


def test_in_maintenance_reading_goes_on_and_nothing_is_changed_or_begun(server, flask, socket):
    assert server.post("/api/things")[0] == 200
    running = [ended(queue(count=100_000, seconds=0.1), "running") for _ in range(2)]
    flask("maintenance on --reason Moving")
    _status, body = wait_until(lambda: (answer := server.post("/api/things"))[0] == 503 and answer)
    assert (body["error"]["code"], "Moving" in body["error"]["message"]) == ("maintenance", True)
    assert socket.call("change")["error"]["code"] == "maintenance"
    assert socket.call("look") == {"ok": True}
    ready = server.json("/readyz")
    assert (ready["status"], ready["checks"]["maintenance"]) == ("ok", {"ok": True, "detail": "Moving"})
    assert "changes are not possible right now. <span>Moving" in server.get("/page")[1]
    assert server.request("POST", "/admin/keys", b"")[0] != 503
    assert server.metric("app_maintenance") == 1
    waiting = queue()
    assert flask("maintenance status", status=1) == "Maintenance is on: Moving"
    for job in running:  # a runner that heeds what was asked one after the other has looked twice
        assert jobs.get(job.id).state == "running"
        jobs.cancel(job.id)
        ended(job, "cancelled")
    assert jobs.get(waiting.id).state == "queued"
    flask("maintenance off")
    ended(waiting)
    assert server.post("/api/things")[0] == 200
    assert socket.call("change") == {"ok": True}
    assert server.metric("app_maintenance") == 0
    assert flask("maintenance status") == "Maintenance is off."
    assert [line.split("  ")[2] for line in flask("audit list --limit 2").splitlines()] == [
        "maintenance.off",
        "maintenance.on",
    ]


def test_maintenance_works_while_the_database_cannot_be_written(server, flask):
    full = OperationalError("INSERT", {}, Exception("database or disk is full"))
    with patch.object(db, "write", side_effect=full):
        assert "the database cannot be written" in flask("maintenance on --reason Full")
        wait_until(lambda: server.post("/api/things")[0] == 503)
        flask("maintenance off")
    wait_until(lambda: server.post("/api/things")[0] == 200)
    assert not (server.folder / "maintenance.json").exists()
    assert switches.maintenance() is None


def test_the_level_of_the_logs_changes_while_it_runs_and_goes_back_by_itself(server, flask, socket):
    def changes():
        lines = [json.loads(line) for line in server.log.splitlines() if '"log_level_changed"' in line]
        return [line["level_now"] for line in lines]

    assert flask("logs level") == "INFO"
    assert flask("logs level debug") == "DEBUG"
    wait_until(lambda: changes()[-1:] == ["DEBUG"])
    socket.call("look")
    wait_until(lambda: '"level": "debug"' in server.log)
    assert flask("logs level DEBUG --for 1s").startswith("DEBUG until ")
    wait_until(lambda: changes()[-2:] == ["DEBUG", "INFO"])
    assert flask("logs level") == "INFO"
    flask("logs level WARNING")
    assert flask("logs level default") == "INFO"


def documented(block):
    return [line.removeprefix("flask ") for line in block.splitlines()]


def test_the_documented_commands_about_jobs(server, flask):
    job = queue(seconds=5)
    *lines, work = documented(blocks("chassis/docs/operations.md", "Jobs")[0].replace(" ID", f" {job.id}"))
    assert work.startswith("jobs work")  # which chassis/tests/test_documents.py types
    for line in lines:
        flask(line)
        if line.startswith(f"jobs cancel {job.id}"):
            ended(job, "cancelled")


def test_the_other_documented_commands(server, flask):
    for line in documented(blocks("chassis/docs/operations.md", "Schedules")[0]):
        assert flask(line)
    on, status, off = documented(blocks("chassis/docs/operations.md", "Maintenance")[0])
    assert (flask(on), flask(off), flask(status)) == ("Maintenance is on.", *["Maintenance is off."] * 2)
    shown, some_time, warning, default = documented(blocks("chassis/docs/operations.md", "The level of the logs")[0])
    assert [flask(line)[:5] for line in (shown, some_time, warning, default)] == ["INFO", "DEBUG", "WARNI", "INFO"]
