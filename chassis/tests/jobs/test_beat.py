"""Workers are seen while they live, and their death is noticed by processes that run no jobs."""

import time
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from chassis import jobs
from chassis.jobs import beat, registry, schedules, store, worker_store
from chassis.jobs.beat import Beat
from chassis.jobs.tables import workers as table
from chassis.jobs.watchdog import Watchdog
from chassis.jobs.worker_store import Identity


def nothing(context, payload):
    """Do nothing."""


def seen(database):
    return database.read(beat.by_kind)


def pass_by(database, seconds):
    """Let all workers be that much older."""
    earlier = {name: table.c[name] - seconds for name in ("started_at", "seen_at", "expires_at")}
    database.write(lambda conn: conn.execute(update(table).values(**earlier)))


def test_a_runner_is_seen_with_its_kinds_until_it_stops(runner, database):
    jobs.job("plain")(nothing)
    jobs.job("burn", cpu_bound=True)(nothing)
    assert beat.problem() == "no worker for burn, plain"
    assert seen(database)["plain"] == beat.Seen(0, None)
    one = runner()
    assert beat.problem() == "no worker for burn"
    assert (seen(database)["plain"].workers, seen(database)["burn"]) == (1, beat.Seen(0, None))
    two = runner(cpu_bound=True)
    assert beat.problem() is None
    assert [(worker.engine, worker.slots) for worker in beat.listing()] == [("embedded", 4), ("work", 4)]
    one.stop()
    assert seen(database)["plain"].workers == 1
    two.stop()
    assert beat.problem() == "no worker for burn, plain"
    assert seen(database)["burn"].seconds >= 0, "when it was last seen stays known"


def test_a_worker_that_is_not_seen_for_a_lease_is_dead(database):
    jobs.job("plain")(nothing)
    Beat("work", lambda: ["plain"], slots=1, lease_seconds=3600, problem=lambda: None).tick()
    assert seen(database)["plain"].workers == 1
    pass_by(database, 3600)
    assert seen(database)["plain"].workers == 0
    assert seen(database)["plain"].seconds >= 3600
    assert beat.listing() == []


def test_a_worker_beats_as_long_as_it_works(database):
    jobs.job("plain")(nothing)
    state = SimpleNamespace(problem=None)
    kinds = lambda: registry.names(cpu_bound=True)  # noqa: E731
    one = Beat("work", kinds, slots=1, lease_seconds=30, problem=lambda: state.problem)
    one.tick()
    first = beat.listing()[0].seen_at
    one.tick()
    assert beat.listing()[0].seen_at > first
    state.problem, last = "the runner hangs", beat.listing()
    one.tick()
    assert beat.listing() == last


def test_a_worker_of_long_ago_is_forgotten_when_a_new_one_starts(database):
    jobs.job("plain")(nothing)
    for name in ("old", "new"):
        worker = Identity(name, name, "work", ["plain"], 1)
        database.write(lambda conn, worker=worker: worker_store.beat(conn, worker, lease_seconds=30))
        if name == "old":
            pass_by(database, worker_store.KEPT_SECONDS + 1)
    assert [worker.name for worker in database.read(worker_store.listing)] == ["new"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_worker_whose_clock_is_wrong_is_seen_as_long_as_it_lives_and_no_longer(database, monkeypatch, hours):
    jobs.job("plain")(nothing)
    right = time.time
    one = Beat("work", lambda: ["plain"], slots=1, lease_seconds=30, problem=lambda: None)
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: right() + hours * 3600)
        one.tick()
        assert beat.problem() is None, "by the wrong clock"
    (worker,) = beat.listing()
    assert (worker.expires_at - worker.seen_at, seen(database)["plain"].workers) == (pytest.approx(30, abs=1), 1)
    assert worker.started_at <= worker.seen_at
    pass_by(database, 30)
    assert beat.problem() == "no worker for plain"
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: right() + hours * 3600)
        assert beat.problem() == "no worker for plain", "by the wrong clock"


def test_the_watchdog_resets_the_jobs_of_dead_workers_and_starts_schedules(database, settings):
    jobs.job("plain", stall="requeue")(nothing)
    jobs.job("nightly", schedule="* * * * *")(nothing)
    schedules.configure(settings)
    job = jobs.enqueue("plain", {})
    elsewhere, now = "other-boot:1:1:1:claim", time.time()
    claim = {"kinds": ["plain"], "owner": elsewhere, "now": now}
    database.write(lambda conn: store.claim(conn, **claim, lease_seconds=60))
    Watchdog(settings).tick()
    assert jobs.get(job.id).state == "running", "its worker may live"
    owner = {"job_id": job.id, "owner": elsewhere}
    database.write(lambda conn: store.heartbeat(conn, **owner, lease_seconds=-1))
    Watchdog(settings).tick()
    assert jobs.get(job.id).state == "queued"
    assert [one.kind for one in schedules.listing()] == ["nightly"]
    assert schedules.listing()[0].next_at
