"""Celery's broker is killed, flushed, full, or sends too much: no job is lost, and none runs twice."""

import pytest
from pydantic import SecretStr

from chassis import jobs
from chassis.jobs import broker
from chassis.jobs.sender import Sender
from chassis.settings import Settings
from chassis.tests.jobs.live.workers import lines
from chassis.tests.patience import wait_until
from chassis.tests.servers import same_in_every_mode

pytest.importorskip("celery")
pytestmark = [pytest.mark.server, pytest.mark.long, same_in_every_mode]
FULL = ("config", "set", "maxmemory", "1mb")  # less than an empty Redis needs, so that it takes nothing
ROOMY = ("config", "set", "maxmemory", "0")


def away(service):
    """Wait until the web process, which serves on, says that the broker takes no messages."""
    detail = wait_until(lambda: service.server.json("/readyz")["checks"].get("broker"))
    assert detail["ok"]
    assert "does not take messages" in detail["detail"]


def back(service):
    wait_until(lambda: "broker" not in service.server.json("/readyz")["checks"])


def messages(service):
    return int(service.tell_broker("llen", broker.full_name("jobs")))


def send(service, *ids_and_kinds):
    sender = Sender(Settings(jobs_engine="celery", jobs_broker_url=SecretStr(service.redis.url)))
    assert sender.send(list(ids_and_kinds))


def test_a_broker_that_is_killed_and_comes_back_loses_no_job(celery, tmp_path):
    notes, go = tmp_path / "notes", tmp_path / "go"
    held = [celery.enqueue("wait", path=str(go)) for _ in range(2)]
    celery.start()
    for job_id in held:
        celery.running(job_id)
    written = [celery.enqueue("note", path=str(notes)) for _ in range(20)]
    wait_until(lambda: messages(celery) >= len(written))
    celery.redis.kill()  # with all messages
    written += [celery.enqueue("note", path=str(notes)) for _ in range(20)]
    away(celery)
    go.touch()
    for job_id in held:
        assert celery.wait(job_id, "succeeded").attempt == 1, "a job goes on without the broker"
    celery.redis.start()
    for job_id in written:
        assert celery.wait(job_id, "succeeded").attempt == 1
    back(celery)
    assert sorted(lines(notes)) == sorted(written), "each ran once"


def test_a_worker_that_starts_without_the_broker_works_when_it_comes(celery, tmp_path):
    notes = tmp_path / "notes"
    celery.redis.kill()
    celery.start()
    job_id = celery.enqueue("note", path=str(notes))
    away(celery)
    wait_until(lambda: "Trying again" in celery.log(), celery.log())
    celery.redis.start()
    celery.wait(job_id, "succeeded")


def test_a_flushed_broker_loses_no_job(celery, tmp_path):
    notes = tmp_path / "notes"
    written = [celery.enqueue("note", path=str(notes)) for _ in range(30)]
    wait_until(lambda: messages(celery) >= 30)
    assert celery.tell_broker("flushall") == "OK"
    celery.start()
    for job_id in written:
        celery.wait(job_id, "succeeded")
    celery.tell_broker("flushall")  # beneath a worker that listens
    written.append(celery.enqueue("note", path=str(notes)))
    celery.wait(written[-1], "succeeded")
    assert sorted(lines(notes)) == sorted(written), "each ran once"


def test_a_full_broker_loses_no_job(celery, tmp_path):
    notes = tmp_path / "notes"
    celery.start()
    written = [celery.enqueue("note", path=str(notes))]
    celery.wait(written[0], "succeeded")
    assert celery.tell_broker(*FULL) == "OK"
    assert celery.tell_broker("config", "get", "maxmemory-policy").endswith("noeviction")
    written += [celery.enqueue("note", path=str(notes)) for _ in range(20)]
    away(celery)
    assert {jobs.get(job_id).state for job_id in written[1:]} == {"queued"}
    celery.tell_broker(*ROOMY)
    for job_id in written:
        celery.wait(job_id, "succeeded")
    back(celery)
    assert sorted(lines(notes)) == sorted(written), "each ran once"


def test_messages_that_a_full_broker_holds_and_a_worker_that_starts_then_lose_no_job(celery, tmp_path):
    notes = tmp_path / "notes"
    written = [celery.enqueue("note", path=str(notes)) for _ in range(20)]
    wait_until(lambda: messages(celery) >= 20)
    celery.tell_broker(*FULL)
    worker = celery.start()
    away(celery)
    wait_until(lambda: "command not allowed when used memory" in celery.log(), celery.log())
    celery.tell_broker(*ROOMY)
    for job_id in written:
        celery.wait(job_id, "succeeded")
    assert worker.poll() is None
    assert sorted(lines(notes)) == sorted(written), "each ran once"


def test_doubled_late_and_foreign_messages_change_nothing(celery, tmp_path):
    notes, go = tmp_path / "notes", tmp_path / "go"
    ended, held = celery.enqueue("note", path=str(notes)), celery.enqueue("wait", path=str(go))
    celery.start()
    celery.wait(ended, "succeeded")
    celery.running(held)
    send(celery, *[(ended, "note"), (held, "wait"), ("f" * 32, "note")] * 10)
    wait_until(lambda: celery.log().count("no job was ready") >= 30)
    go.touch()
    assert celery.wait(held, "succeeded").attempt == 1
    assert lines(notes) == [ended]


def test_jobs_with_several_messages_run_once(celery, tmp_path):
    notes = tmp_path / "notes"
    written = [celery.enqueue("note", path=str(notes)) for _ in range(10)]
    for _ in range(5):
        send(celery, *[(job_id, "note") for job_id in written])
    celery.start()
    wait_until(lambda: celery.log().count("no job was ready") >= 50, celery.log())
    assert sorted(lines(notes)) == sorted(written)
    assert {(jobs.get(job_id).state, jobs.get(job_id).attempt) for job_id in written} == {("succeeded", 1)}
