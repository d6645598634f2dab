"""Whose jobs are given back, and whose are not."""

import subprocess
import sys
import time

import pytest

from chassis import jobs
from chassis.jobs import owner, store
from chassis.jobs.recovery import reset_stalled
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import wait_until


def claimed(database, kind, by, lease_seconds=60.0):
    job = jobs.enqueue(kind, {})
    now = time.time()
    claim = database.write(lambda conn: store.claim(conn, kinds=[kind], owner=by, now=now, lease_seconds=lease_seconds))
    assert claim.id == job.id
    return claim


@pytest.fixture
def kinds(database):
    jobs.job("interrupted")(lambda context, payload: None)
    jobs.job("requeued", stall="requeue")(lambda context, payload: None)


@pytest.fixture
def other():
    """Another live process, by its name as an owner."""
    code = "from chassis.jobs.owner import claim_owner; print(claim_owner(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=CLEAN, stdin=-1, stdout=-1, text=True) as process:
        process.owner = process.stdout.readline().strip()
        yield process
        process.kill()


def test_a_live_process_keeps_its_jobs_and_a_dead_one_loses_them_at_once(kinds, database, other):
    job = claimed(database, "interrupted", other.owner)
    assert reset_stalled(database) == []
    other.kill()
    other.wait()
    assert [(j.id, j.state) for j in reset_stalled(database)] == [(job.id, "interrupted")]


def test_a_zombie_counts_as_dead(kinds, database, other):
    other.kill()
    wait_until(lambda: owner.is_dead(other.owner))


def test_a_reused_pid_is_not_the_owner(kinds, database):
    boot, space, pid, _start, claim = owner.claim_owner().split(":")
    assert owner.is_dead(f"{boot}:{space}:{pid}:1:{claim}")
    assert not owner.is_dead(owner.claim_owner())


def test_a_live_process_of_another_user_that_is_hidden_is_not_dead(kinds, database, monkeypatch, tmp_path):
    name = owner.claim_owner()
    (tmp_path / "self").mkdir()
    (tmp_path / "self/stat").touch()
    monkeypatch.setattr(owner, "PROC", tmp_path)  # /proc as hidepid shows it: without others' processes

    def kill(pid, number):
        raise PermissionError

    monkeypatch.setattr("chassis.jobs.owner.os.kill", kill)
    assert not owner.is_dead(name)


def test_where_the_boot_id_is_hidden_the_lease_alone_tells(kinds, database):
    code = """
import pathlib
from chassis.jobs import owner
owner.PROC = pathlib.Path("/nowhere")
print(owner._boot_id())
"""
    run = [sys.executable, "-c", code]
    names = {subprocess.run(run, cwd=ROOT, env=CLEAN, capture_output=True, text=True).stdout for _ in range(2)}
    assert len(names) == 2, "two processes must not take each other for dead"
    assert all(len(name.strip()) == 32 for name in names)


def test_of_another_machine_or_container_the_lease_alone_tells(kinds, database):
    elsewhere = "other-boot:1:1:1:claim"
    claimed(database, "requeued", elsewhere, lease_seconds=60)
    assert reset_stalled(database) == []
    job = claimed(database, "interrupted", elsewhere, lease_seconds=-1)
    assert [j.id for j in reset_stalled(database)] == [job.id]


def test_the_policy_of_the_kind_decides(kinds, database):
    job = claimed(database, "requeued", "gone:1:1:1:c", lease_seconds=-1)
    assert [j.state for j in reset_stalled(database)] == ["queued"]
    assert jobs.get(job.id).owner is None


def test_a_job_that_kills_its_process_again_and_again_fails(kinds, database):
    jobs.enqueue("requeued", {})
    for expected in ("queued", "queued", "failed"):
        now = time.time()
        database.write(
            lambda conn, now=now: store.claim(conn, kinds=["requeued"], owner="x:1:1:1:c", now=now, lease_seconds=-1)
        )
        assert [j.state for j in reset_stalled(database)] == [expected]


def test_a_stalled_job_whose_cancellation_was_asked_for_is_cancelled(kinds, database):
    job = claimed(database, "requeued", "x:1:1:1:c", lease_seconds=-1)
    jobs.cancel(job.id)
    assert [j.state for j in reset_stalled(database)] == ["cancelled"]


def test_one_job_is_claimed_once_by_many_claimers(kinds, database):
    import threading

    for _ in range(20):
        jobs.enqueue("interrupted", {})
    won = []

    def claim():
        while found := database.write(
            lambda conn: store.claim(
                conn, kinds=["interrupted"], owner=owner.claim_owner(), now=time.time(), lease_seconds=9
            )
        ):
            won.append(found.id)

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(set(won)) == 20
