"""CPU-bound jobs run in processes of their own, which are killed when their job has to end."""

import os
import re
from pathlib import Path

import pytest

from chassis import jobs
from chassis.db import db
from chassis.jobs.cpu import Pool
from chassis.jobs.runner import Runner
from chassis.security import identity
from chassis.security.identity import Identity, scopes
from chassis.settings import Settings
from chassis.tests.jobs.worker_app import app
from chassis.tests.servers import new_database

APP = Path(__file__).with_name("worker_app.py")
pytestmark = pytest.mark.server


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a function that starts a runner whose CPU-bound jobs run in at most two processes."""
    url = new_database(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("APP_ENV", "test")
    started = []

    def start(**options):
        settings = Settings(database_url=url, jobs_grace_seconds=0.5, jobs_cpu_processes=2, **options)
        db.open(settings)
        runner = Runner(app, settings, cpu_bound=True, pool=Pool(settings, str(APP)))
        runner.start()
        started.append(runner)
        return runner

    yield start
    for runner in started:
        runner.stop()
    db.close()


def alive(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def ended(job):
    found = jobs.get(job.id)
    return found if found.finished_at else None


def pid_of(job):
    """Return the process in which a job that runs has reported progress, or None."""
    found = jobs.get(job.id)
    return found.message if found.state == "running" else None


def test_a_cpu_bound_job_runs_elsewhere_and_its_process_is_used_again(work, wait_for):
    work()
    job = jobs.enqueue("count", {})
    first = wait_for(lambda: ended(job))
    again = jobs.enqueue("count", {})
    second = wait_for(lambda: ended(again))
    assert (first.state, first.done, first.total) == ("succeeded", 3, 3)
    assert first.message == second.message != str(os.getpid())


def test_a_job_that_runs_elsewhere_is_paid_by_whoever_queued_it(work, wait_for, monkeypatch):
    work()
    who = Identity("key", "env-0001", "line 4", scopes("submit"), owner="ada@example.org")
    with monkeypatch.context() as patch:
        patch.setattr(identity, "current", lambda: who)
        job = jobs.enqueue("pay", {})
    assert wait_for(lambda: ended(job)).message == "ada@example.org"


def test_a_job_that_never_asks_is_killed_when_it_is_cancelled(work, wait_for):
    work()
    job = jobs.enqueue("deaf", {})
    pid = wait_for(lambda: pid_of(job))
    jobs.cancel(job.id)
    assert wait_for(lambda: ended(job)).state == "cancelled"
    wait_for(lambda: not alive(pid))


def test_a_job_that_never_asks_is_killed_when_its_time_is_over(work, wait_for):
    work(jobs_time_limit_seconds=1.5)
    job = jobs.enqueue("deaf", {})
    found = wait_for(lambda: ended(job))
    assert (found.state, found.error) == ("failed", "The job exceeded its time limit of 1.5 s.")
    wait_for(lambda: not found.message or not alive(found.message))


def test_what_the_handler_raised_or_the_death_of_its_process_ends_the_job(work, wait_for, capfd):
    """Its process logs the traceback of an unexpected error, and nobody logs another one."""
    work()
    errors = {}
    for how in ("give up", "raise", "exit"):
        job = jobs.enqueue("fragile", {"how": how})
        found = wait_for(lambda job=job: ended(job))
        assert found.state == "failed"
        errors[how] = found.error
    assert errors["give up"] == "It cannot be done."
    assert "unexpected error" in errors["raise"]
    assert "hush" not in errors["raise"]
    assert "".join(capfd.readouterr()).count("job_raised") == 1
    assert re.fullmatch(r"The job's process died with status -?9\.", errors["exit"])


def test_no_more_cpu_bound_jobs_run_than_there_are_processes_and_others_go_on(work, wait_for, tmp_path):
    runner = work()
    queued = [jobs.enqueue("deaf", {}) for _ in range(3)]
    wait_for(lambda: sum(jobs.get(job.id).state == "running" for job in queued) == 2)
    other = jobs.enqueue("note", {"path": str(tmp_path / "notes")})
    assert wait_for(lambda: ended(other)).state == "succeeded"
    assert sum(jobs.get(job.id).state == "running" for job in queued) == 2
    runner.stop()
    wait_for(lambda: not runner.claims.all())
    assert sum(jobs.get(job.id).state == "interrupted" for job in queued) == 2
