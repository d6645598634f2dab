"""Sessions end by their time and from another session, and an identity is good as long."""

import math
import time

from flask import request

from chassis.db import clock, db
from chassis.parts.accounts import sessions
from chassis.parts.accounts.tables import sessions as table
from chassis.parts.accounts.tests.conftest import ADA
from chassis.parts.accounts.tests.signed_in import signed_in
from chassis.realtime import revocation
from chassis.security import identity
from chassis.tests.patience import wait_until


def test_signing_out_everywhere(people):
    here, there = signed_in(people, 2)
    here.act("/sign-out-everywhere")
    assert not here.is_in()
    assert not there.is_in()


def test_one_session_is_ended_from_another_and_only_by_its_owner(people):
    here, there = signed_in(people, 2)
    other = people.browser()
    other.sign_in("root@example.org")
    listed = db.read(lambda conn: conn.execute(table.select().order_by(table.c.created_at)).all())
    its_id = listed[1].id
    assert other.act(f"/account/sessions/{its_id}/end").status_code == 404
    assert there.is_in()
    assert here.act(f"/account/sessions/{its_id}/end").status_code == 303
    assert not there.is_in()
    assert here.is_in()


def test_the_own_sessions_are_shown_and_nothing_that_opens_one(people):
    here, _there = signed_in(people, 2)
    text = here.get("/account").text
    assert text.count("127.0.0.1") >= 2
    assert text.count("this session") == 1
    assert here.cookie() not in text
    hashes = db.read(lambda conn: [row.hash for row in conn.execute(table.select())])
    assert here.cookie() not in hashes
    assert not [hashed for hashed in hashes if hashed in text]


def test_a_session_ends_by_its_time_and_when_nobody_uses_it(make):
    for own in ({"session_max_seconds": 100}, {"session_idle_seconds": 100}):
        people = make(own)
        ada = signed_in(people)[0]
        assert ada.is_in()
        backwards(90)
        assert ada.is_in()
        backwards(90)
        assert ada.is_in() == ("session_idle_seconds" in own)
        backwards(101)
        assert not ada.is_in()


def backwards(seconds):
    """Let all sessions be older."""
    columns = ("created_at", "expires_at", "last_seen_at")
    db.write(lambda conn: conn.execute(table.update().values({c: table.c[c] - seconds for c in columns})))


def test_a_request_reads_one_row_and_writes_once_a_minute(people):
    ada = signed_in(people)[0]
    seen = lambda: db.read(lambda conn: conn.execute(table.select()).one().last_seen_at)  # noqa: E731
    before = seen()
    ada.get("/account")
    assert seen() == before
    backwards(sessions.SEEN_EVERY_SECONDS + 1)
    ada.get("/account")
    assert seen() >= before


class Clock:
    """The clocks of a module, of which the monotonic one goes on when it is told to."""

    def __init__(self):
        self.time, self.now = time.time, time.monotonic()

    def monotonic(self):
        return self.now

    def goes_on(self, seconds):
        self.now += seconds


def test_an_identity_is_good_as_long_as_its_session_with_the_same_rights(people, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(sessions.known, "_read_at", -math.inf)
    monkeypatch.setattr(sessions, "time", clock)
    ada = signed_in(people)[0]
    with people.app.test_request_context(headers={"Cookie": f"account={ada.cookie()}"}):
        who = identity.current()
        assert (who.kind, who.name, who.owner, who.principal) == ("account", ADA, ADA, f"account:{who.id}")
        assert sorted(who.scopes) == ["read", "submit"]
        assert identity.still_good(who)
        people.run("set-role", ADA, "admin")
        clock.goes_on(sessions.READ_AGAIN_SECONDS * 2)
        assert not identity.still_good(who)
    with people.app.test_request_context(headers={"Cookie": f"account={ada.cookie()}"}):
        who = identity.current()
        assert identity.still_good(who)
        assert who.may("admin")
        ada.act("/sign-out")
        clock.goes_on(sessions.READ_AGAIN_SECONDS * 2)
        assert not identity.still_good(who)


def test_a_machine_whose_clock_is_a_month_ahead_ends_no_session_early(people, monkeypatch):
    ada, month = signed_in(people)[0], 31 * 86_400
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + month)
    monkeypatch.setattr(clock._Machine, "ahead", month)  # as a connection to PostgreSQL tells
    assert ada.is_in()


def test_a_database_that_cannot_be_written_still_knows_who_reads(people, monkeypatch):
    ada = signed_in(people)[0]
    backwards(sessions.SEEN_EVERY_SECONDS + 1)

    def refuse(_work):
        raise sessions.SQLAlchemyError("read-only")

    monkeypatch.setattr(sessions.db, "write", refuse)
    assert ada.is_in()


def test_a_session_that_ends_by_its_time_takes_its_sockets_with_it_and_one_in_use_does_not(make, monkeypatch):
    monkeypatch.setattr(revocation, "CHECK_ALL_EVERY", 1_000_000)
    people = make(own={"session_idle_seconds": 2})
    lookout = revocation.Lookout(people.app)
    lookout.tick()
    idle, used = signed_in(people, 2)
    for sid, browser in (("idle", idle), ("used", used)):
        with people.app.test_request_context(headers={"Cookie": f"account={browser.cookie()}"}):
            request.sid, request.namespace = sid, "/"
            revocation.watch()

    def ended():
        assert used.is_in()
        lookout.tick()
        return [sid for sid, _ in revocation._open] == ["used"]

    try:
        wait_until(ended)
    finally:
        revocation._open.clear()
