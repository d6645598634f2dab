"""The stored figures: of each worker and of the service, for a day, with deploys and restarts."""

import time
from types import SimpleNamespace

import pytest

from chassis.db import db
from chassis.parts.console import charts
from chassis.parts.console.recorder import KEPT_SECONDS, STEP_SECONDS, Recorder
from chassis.parts.console.tables import figures
from chassis.tests.security.attack.ceiling.limits import HOLD_MS


@pytest.fixture
def client(make):
    client = make()
    client.set_cookie("tester", "admin")
    return client


def recorder(name, started_at):
    made = Recorder()
    made._worker, made._started_at = f"host:{name}", started_at
    return made


def asked(client, hours=24):
    return client.get(f"/admin/console/figures?hours={hours}").json


def test_a_row_has_means_and_the_highest_of_times(client):
    start = time.time() // STEP_SECONDS * STEP_SECONDS
    one = recorder(1, start)
    for at, (connections, p95) in enumerate([(2, 0.1), (4, 0.3), (6, None)]):
        one.take({"at": start + 15 * at, "connections": connections, "request_p95_seconds": p95})
    found = asked(client)
    assert found["at"] == [start]
    assert found["service"]["connections"] == [4]
    assert found["service"]["request_p95_seconds"] == [0.3]
    assert found["service"]["memory_bytes"] == [None]
    assert found["workers"] == {}, "one worker is the service"


def test_several_workers_are_summed_and_shown_each(client):
    now = time.time()
    for name, connections, p95 in ((1, 2, 0.1), (2, 3, 0.4)):
        recorder(name, now).take({"at": now, "connections": connections, "request_p95_seconds": p95, "jobs_failed": 7})
    found = asked(client)
    whole = {name: values for name, values in found["service"].items() if values != [None]}
    assert whole == {"connections": [5], "request_p95_seconds": [0.4], "jobs_failed": [7]}
    assert {name: one["connections"] for name, one in found["workers"].items()} == {"host:1": [2], "host:2": [3]}


def test_a_worker_that_follows_another_is_not_counted_twice(client):
    start = (time.time() - 3_600) // STEP_SECONDS * STEP_SECONDS
    for name, first, last in ((1, 0, 95), (2, 100, 295)):
        one = recorder(name, start + first)
        for at in range(first, last + 1, 5):
            one._written_at = 0.0
            one.take({"at": start + at, "connections": 8})
    assert asked(client)["service"]["connections"] == [8]


def test_starts_are_marked_and_old_rows_go(client):
    now = time.time()
    starts = [(30 * 3600, "1.0"), (5 * 3600, "1.0"), (5 * 3600 - 9, "1.0"), (2 * 3600, "1.1")]
    rows = [
        {"worker": f"w{n}", "version": version, "figures": {"connections": 1}}
        | dict.fromkeys(("at", "first_at", "seen_at", "started_at"), now - ago)
        for n, (ago, version) in enumerate(starts)
    ]
    db.write(lambda conn: conn.execute(figures.insert(), rows))
    assert [one["text"] for one in asked(client)["markers"]] == ["Restart", "Deploy of 1.1"]
    assert [one["text"] for one in asked(client, 3)["markers"]] == ["Deploy of 1.1"]
    recorder(1, now).take({"at": now, "connections": 1})
    left = db.read(lambda conn: [row.at for row in conn.execute(figures.select())])
    assert min(left) > now - KEPT_SECONDS
    for hours in ("0", "25", "nan", "x"):
        assert client.get(f"/admin/console/figures?hours={hours}").status_code == 400


def test_a_database_that_refuses_loses_no_more_than_its_rows(make):
    client = make()
    db.close()
    recorder(1, time.time()).take({"at": time.time(), "connections": 1})
    assert client.get("/livez").status_code == 200


class Watched:
    """Turns that note how long each piece of work took, with others or not."""

    longest = last = 0.0

    def give(self):
        now = time.thread_time()
        Watched.longest, Watched.last = max(Watched.longest, now - Watched.last), now


def test_a_day_of_many_workers_holds_up_nobody(monkeypatch):
    now = time.time() // STEP_SECONDS * STEP_SECONDS
    times = [now - STEP_SECONDS * number for number in range(299, -1, -1)]
    row = SimpleNamespace(first_at=now, seen_at=now + 290, figures=dict.fromkeys(charts.NAMES, 1.0))
    rows = [SimpleNamespace(**{**vars(row), "at": at}) for at in times for _ in range(32)]
    series = [rows, *[rows[number::32] for number in range(charts.MOST_WORKERS)]]
    monkeypatch.setattr(charts, "Turns", Watched, raising=False)
    Watched.longest, Watched.last = 0.0, time.thread_time()
    assert all(charts._series(times, one)[charts.NAMES[0]] for one in series)
    assert max(Watched.longest, time.thread_time() - Watched.last) * 1000 < HOLD_MS
