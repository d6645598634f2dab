"""What one key or account may have, and that two requests at once cannot both take the last of it."""

import threading
import time
from types import SimpleNamespace

import pytest

from chassis import jobs
from chassis.db import clock, db
from chassis.errors import OverQuota
from chassis.jobs import store
from chassis.security import identity, keys, quotas
from chassis.security.identity import Identity
from chassis.security.quotas import DAY_SECONDS, Quota
from chassis.settings import Settings
from chassis.tests.conftest import new_database

ADA, BOB = "ada@example.org", "key:b0b"


@pytest.fixture
def limited(tmp_path, monkeypatch):
    """Return a function that sets limits, with two quotas of a feature: of letters a day, and of stored bytes."""
    url = new_database(tmp_path)
    db.open(Settings(database_url=url))
    for name in ("_quotas", "_stored"):
        monkeypatch.setattr(quotas, name, dict(getattr(quotas, name)))
    monkeypatch.setattr(quotas, "_settings", None)
    monkeypatch.setattr(quotas, "_stored", {})

    def limit(letters=0, stored=0, **settings):
        quotas.configure(Settings(database_url=url, quota_stored_bytes=stored, **settings))
        quotas.declare(Quota("letters", "letters a day", lambda _settings: letters))

    yield limit
    db.close()


def take(owner, **amounts):
    db.write(lambda conn: quotas.take(conn, owner, **amounts))


def left(owner, name):
    return next(one.left for one in quotas.usage(owner) if one.name == name)


def at(monkeypatch, seconds):
    monkeypatch.setattr(quotas, "clock", SimpleNamespace(now=lambda: seconds))


def test_more_than_is_left_of_the_day_is_refused_with_what_is_left_until_the_next_day(limited, monkeypatch):
    limited(letters=10)
    at(monkeypatch, 20_000 * DAY_SECONDS + 100)
    take(ADA, letters=8)
    with pytest.raises(OverQuota, match=r"Your limit is 10 letters a day: 2 left, and this needs 3\.") as refused:
        take(ADA, letters=3)
    error = refused.value
    assert (error.status, error.retry_after_seconds) == (429, DAY_SECONDS - 100)
    assert error.details == {"quota": "letters", "limit": 10, "used": 8, "left": 2, "needed": 3}
    take(ADA, letters=2)
    take(BOB, letters=10)
    at(monkeypatch, 20_001 * DAY_SECONDS)
    assert left(ADA, "letters") == 10
    take(ADA, letters=10)


def test_a_machine_whose_clock_is_a_day_off_counts_towards_the_same_day(limited, monkeypatch):
    limited(letters=10)
    real = time.time
    take(ADA, letters=8)
    monkeypatch.setattr(time, "time", lambda: real() + 10 * DAY_SECONDS)
    monkeypatch.setattr(clock._Machine, "ahead", 10 * DAY_SECONDS)  # as a connection to PostgreSQL tells
    assert left(ADA, "letters") == 2


def test_without_a_limit_or_an_owner_nothing_is_counted(limited):
    limited(letters=0)
    take(ADA, letters=1_000_000)
    limited(letters=10)
    take("", letters=1_000_000)
    assert left(ADA, "letters") == 10
    assert quotas.usage("") == []


def test_what_is_stored_is_asked_of_everybody_who_stores_and_refused_as_507(limited):
    limited(stored=100)
    quotas.count_stored("letters", lambda conn, owner: 60)
    quotas.count_stored("parcels", lambda conn, owner: 30 if owner == ADA else 0)
    take(ADA, stored_bytes=10)
    with pytest.raises(OverQuota, match="10 left") as refused:
        take(ADA, stored_bytes=11)
    assert (refused.value.status, refused.value.retry_after_seconds) == (507, None)
    take(BOB, stored_bytes=40)


def test_what_is_refused_leaves_nothing_counted(limited):
    limited(letters=10, stored=5)
    with pytest.raises(OverQuota):
        take(ADA, letters=4, stored_bytes=6)
    assert left(ADA, "letters") == 10


def test_of_many_at_once_only_as_many_pass_as_are_left(limited, monkeypatch):
    limited(letters=3, quota_jobs=3)
    ada = Identity("account", "1", ADA, identity.scopes("submit"), owner=ADA)
    monkeypatch.setattr(identity, "current", lambda: ada)
    jobs.job("letter")(lambda context, payload: None)
    passed, start = [], threading.Barrier(8)

    def attempt(what):
        try:
            what()
            passed.append(what)
        except OverQuota:
            pass

    def enqueue():
        jobs.enqueue("letter", {})

    def count():
        take(ADA, letters=1)

    def work():
        start.wait()
        attempt(enqueue)
        attempt(count)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (passed.count(enqueue), passed.count(count)) == (3, 3)


def test_a_job_that_ends_makes_room_for_the_next(limited, monkeypatch):
    limited(quota_jobs=1)
    ada = Identity("account", "1", ADA, identity.scopes("submit"), owner=ADA)
    monkeypatch.setattr(identity, "current", lambda: ada)
    jobs.job("letter")(lambda context, payload: None)
    first = jobs.enqueue("letter", {})
    with pytest.raises(OverQuota, match="Your limit is 1 queued or running jobs: 0 left"):
        jobs.enqueue("letter", {})
    db.write(lambda conn: store.cancel_queued(conn, first.id, time.time()))
    jobs.enqueue("letter", {})
    with pytest.raises(OverQuota):
        db.write(lambda conn: jobs.put_back(conn, first.id, ADA))


def test_a_key_without_limits_has_no_quota_until_it_ends(limited):
    limited(letters=1)
    new = keys.NewKey("load", ("submit",), expires_at=time.time() + 60, without_limits=True)
    key_id = keys.id_of(keys.create(new))
    owner = f"key:{key_id}"
    take(owner, letters=5)
    assert quotas.usage(owner) == []
    keys.revoke_without_limits(key_id)
    take(owner, letters=1)
    with pytest.raises(OverQuota):
        take(owner, letters=1)
    usual = f"key:{keys.id_of(keys.create(keys.NewKey('usual', ('submit',))))}"
    with pytest.raises(OverQuota):
        take(usual, letters=2)


def test_counts_of_old_days_are_deleted(limited, monkeypatch):
    limited(letters=10)
    for day in (1, 2, 3):
        at(monkeypatch, day * DAY_SECONDS)
        take(ADA, letters=day)
    assert db.write(lambda conn: quotas.delete_days(conn, 3 * DAY_SECONDS, 1)) == 1
    assert db.write(lambda conn: quotas.delete_days(conn, 3 * DAY_SECONDS, 10)) == 1
    assert left(ADA, "letters") == 7
