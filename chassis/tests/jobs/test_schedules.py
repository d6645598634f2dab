"""Runs by the clock: when they come, that each comes once, and what becomes of those that could not."""

import threading
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from chassis import jobs
from chassis.base import cron
from chassis.errors import BootError, Conflict, NotFound
from chassis.jobs import registry, schedule_store, schedules, store
from chassis.jobs.tables import schedules as table
from chassis.settings import Settings

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def following(expression, start, number):
    found, after = [], datetime.fromisoformat(start).timestamp()
    for _ in range(number):
        after = cron.next_after(expression, after, BERLIN)
        found.append(datetime.fromtimestamp(after, BERLIN).isoformat())
    return found


def test_what_falls_into_the_hour_that_clocks_skip_comes_right_after_it():
    assert following("30 2 * * *", "2026-03-28T12:00+01:00", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


@pytest.mark.parametrize("start", ["2026-10-25T02:30+02:00", "2026-10-25T02:10+01:00"])
def test_what_falls_into_the_hour_that_clocks_repeat_comes_once(start):
    assert following("30 2 * * *", start, 1) == ["2026-10-26T02:30:00+01:00"]


def test_what_comes_every_hour_comes_in_the_repeated_hour_too():
    assert following("30 * * * *", "2026-10-25T01:45+02:00", 3) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:30:00+01:00",
    ]


@pytest.mark.parametrize("wrong", ["sometimes", "61 * * * *", "0 0 31 2 *", "* * * *"])
def test_a_schedule_that_is_none_stops_the_start_with_a_sentence(database, settings, wrong):
    jobs.job("nightly", schedule=wrong)(lambda context, payload: None)
    with pytest.raises(BootError, match=r"The schedule of the job kind nightly holds '.*', .*\."):
        schedules.configure(settings)


@pytest.fixture
def planned(database, settings):
    """Return a function that registers a kind with a schedule and stores when it runs."""

    def plan(kind="nightly", schedule="0 2 * * *", **options):
        jobs.job(kind, schedule=schedule, **options)(lambda context, payload: None)
        schedules.configure(settings)
        schedules.start_due()
        return schedules.listing()[0]

    return plan


@pytest.fixture
def clock(database):
    """Return a function that lets a schedule be late by some seconds, and looks."""

    def late(seconds, kind="nightly"):
        at = time.time() - seconds
        database.write(lambda conn: conn.execute(update(table).where(table.c.kind == kind).values(next_at=at)))
        schedules._Plan.looked = 0
        schedules.start_due()
        return next(one for one in schedules.listing() if one.kind == kind)

    return late


def stored(kind="nightly"):
    return jobs.listing(kind=kind)["total"]


def test_a_run_starts_when_its_time_comes_and_not_before(planned, clock):
    assert (planned().last_at, stored()) == (None, 0)
    found = clock(0.1)
    assert (found.last_state, stored()) == ("queued", 1)
    assert found.next_at > time.time()


def test_of_many_processes_one_starts_a_run(planned, database):
    seen = planned().next_at
    outcomes = []

    def start():
        job = jobs.new_job("nightly", {})
        outcomes.append(
            database.write(lambda conn: schedule_store.start(conn, "nightly", seen, seen + 60, job, time.time()))
        )

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(outcomes), stored()) == (["started"] + ["taken"] * 7, 1)


def test_runs_that_were_missed_are_caught_up_once(planned, clock):
    planned()
    found = clock(86_400 * 7)
    assert (stored(), found.skipped) == (1, 0)
    assert found.next_at > time.time()


def test_or_skipped_when_the_kind_says_so(planned, clock):
    planned(missed="skip")
    found = clock(86_400 * 7)
    assert (stored(), found.skipped, found.last_at) == (0, 1, None)
    assert found.next_at > time.time()
    assert clock(5).last_state == "queued"


def test_no_run_starts_while_the_last_one_waits_or_runs(planned, clock, database):
    planned()
    first = clock(1)
    second = clock(1)
    assert (stored(), second.skipped, second.last_job_id) == (1, 1, first.last_job_id)
    assert second.next_at > time.time()
    jobs.cancel(first.last_job_id)
    assert clock(1).last_job_id != first.last_job_id


def test_another_expression_or_zone_begins_anew_and_the_same_keeps_its_time(planned, clock, settings, database):
    planned(schedule="0 2 * * *")
    schedules.configure(settings)
    due = time.time() - 30
    database.write(lambda conn: conn.execute(update(table).values(next_at=due)))
    assert schedules.listing()[0].next_at == due
    schedules.start_due()
    assert stored() == 1, "a restart must not forget what was due"
    schedules.configure(settings.model_copy(update={"schedule_time_zone": "Asia/Tokyo"}))
    schedules.start_due()
    assert datetime.fromtimestamp(schedules.listing()[0].next_at, ZoneInfo("Asia/Tokyo")).hour == 2


def test_settings_choose_the_schedule_and_may_choose_none(planned, clock):
    never = planned(schedule=lambda settings: "" if settings.port == 5000 else "* * * * *")
    assert (never.expression, never.next_at) == ("", None)
    job = schedules.run_now("nightly")
    assert schedules.listing()[0].last_job_id == job.id
    with pytest.raises(Conflict):
        schedules.run_now("nightly")


def test_a_schedule_whose_kind_is_gone_is_ignored(planned, clock, settings, monkeypatch):
    planned()
    monkeypatch.setattr(registry, "_kinds", {})
    planned("other")
    clock(10, kind="other")
    clock(10, kind="other")
    assert [one.kind for one in schedules.listing()] == ["other"]
    with pytest.raises(NotFound):
        schedules.run_now("nightly")


def test_a_run_that_ended_well_is_remembered_when_its_job_is_gone(planned, clock, runner, wait_for, database):
    planned()
    runner()
    job_id = clock(1).last_job_id
    wait_for(lambda: jobs.get(job_id).state == "succeeded")
    later = time.time() + 60
    assert database.write(lambda conn: store.delete_ended(conn, ["nightly"], before=later, limit=10)) == 1
    found = schedules.listing()[0]
    assert (found.last_state, found.last_job_id) == (None, job_id)
    assert found.last_success_at <= time.time()


def test_an_empty_schedule_is_never_and_a_wrong_one_or_zone_is_named(monkeypatch):
    from chassis.errors import SettingsError
    from chassis.features import load

    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("RETENTION_SCHEDULE", "")
    assert load().retention_schedule == ""
    monkeypatch.setenv("CLEANUP_SCHEDULE", "off")
    assert load().cleanup_schedule == ""
    monkeypatch.setenv("RETENTION_SCHEDULE", "every day")
    monkeypatch.setenv("SCHEDULE_TIME_ZONE", "Mars/Olympus")
    with pytest.raises(SettingsError) as raised:
        load()
    assert set(dict(raised.value.problems)) == {"RETENTION_SCHEDULE", "SCHEDULE_TIME_ZONE"}
    assert Settings(schedule_time_zone="Europe/Berlin").schedule_time_zone
