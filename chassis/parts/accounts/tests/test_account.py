"""One's own account: the password, the sessions, and the ways out."""

import math
import re
import time

import pytest
from flask import request

from chassis.db import db
from chassis.parts.accounts import lockout, sessions
from chassis.parts.accounts.tables import sessions as table
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD
from chassis.realtime import revocation
from chassis.security import audit, identity, maintenance
from chassis.tests.patience import wait_until

NEW = "an otter under the bridge"


def signed_in(people, number=1, **options):
    """Return so many browsers in which Ada is signed in."""
    browsers = [people.browser(**options) for _ in range(number)]
    for browser in browsers:
        browser.sign_in()
    return browsers


def test_signing_out_ends_the_session_and_not_the_cookie_alone(people):
    ada, copy = signed_in(people)[0], people.browser()
    copy.client.set_cookie("account", ada.cookie())
    answer = ada.act("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert ada.cookie() is None
    assert not copy.is_in()
    assert audit.listing()[0]["action"] == "account.sign_out"


def test_signing_out_by_a_link_is_impossible(people):
    ada = signed_in(people)[0]
    for path in ("/sign-out", "/sign-out-everywhere"):
        assert ada.get(path).status_code == 405
    assert ada.is_in()


def test_signing_out_everywhere(people):
    here, there = signed_in(people, 2)
    here.act("/sign-out-everywhere")
    assert not here.is_in()
    assert not there.is_in()


def test_another_password_ends_all_sessions_and_gives_this_one_a_new_cookie(people):
    here, there = signed_in(people, 2)
    copy = people.browser()
    copy.client.set_cookie("account", here.cookie())
    answer = here.act("/account/password", current=PASSWORD, password=NEW, again=NEW)
    assert answer.status_code == 303
    assert here.is_in()
    assert "has been changed" in here.get(answer.headers["Location"]).text
    assert not there.is_in()
    assert not copy.is_in()
    assert there.sign_in().status_code == 401
    assert there.sign_in(password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"current": "wrong"}, "current password is wrong"),
        ({"again": "something else"}, "do not match"),
        ({"password": "short", "again": "short"}, "at least 12"),
    ],
)
def test_a_password_that_is_not_changed_says_why(people, fields, reason):
    ada = signed_in(people)[0]
    answer = ada.act("/account/password", **{"current": PASSWORD, "password": NEW, "again": NEW, **fields})
    assert answer.status_code == 400
    assert reason in answer.text
    assert people.browser().sign_in().status_code == 303


def test_who_holds_a_session_cannot_guess_the_password_by_it(people):
    ada = signed_in(people)[0]
    fields = {"current": "wrong", "password": NEW, "again": NEW}
    answers = [ada.act("/account/password", **fields).status_code for _ in range(lockout.FREE_OF_ACCOUNT + 1)]
    assert answers == [400] * lockout.FREE_OF_ACCOUNT + [429]


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


def test_a_wrong_key_is_refused_beside_a_good_cookie(people):
    ada = signed_in(people)[0]
    assert ada.get("/api/jobs").status_code == 200
    assert ada.get("/api/jobs", **{"X-API-Key": "wrong"}).status_code == 401


def test_a_key_has_no_account_page(make):
    people = make(admin_api_key="k3Zq9_" * 8)
    assert people.browser().get("/account", **{"X-API-Key": "k3Zq9_" * 8, "Accept": "*/*"}).status_code == 401


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


def test_a_database_that_cannot_be_written_still_knows_who_reads(people, monkeypatch):
    ada = signed_in(people)[0]
    backwards(sessions.SEEN_EVERY_SECONDS + 1)

    def refuse(_work):
        raise sessions.SQLAlchemyError("read-only")

    monkeypatch.setattr(sessions.db, "write", refuse)
    assert ada.is_in()


def test_without_a_guard_the_pages_are_open_and_the_link_is_there(make):
    people = make(require_client_api_key=False)
    visitor = people.browser()
    assert visitor.get("/api/jobs").status_code == 200
    assert "/sign-in?next=/nothing" in visitor.get("/nothing").text
    assert visitor.get("/account").status_code == 302
    assert visitor.get("/admin/accounts").status_code == 302


def test_in_maintenance_one_signs_in_and_out_and_changes_nothing_else(people):
    ada = people.browser()
    with people.app.app_context():
        maintenance.turn_on("Moving")
    assert ada.sign_in().status_code == 303
    refused = ada.act("/account/password", current=PASSWORD, password=NEW, again=NEW)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert "Moving" in refused.text
    assert ada.act("/sign-out").status_code == 303
    assert people.browser().sign_in(password=PASSWORD).status_code == 303
    with people.app.app_context():
        maintenance.turn_off()


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


def test_the_page_and_the_api_show_what_is_used_and_left(make):
    people = make(quota_stored_bytes=5_000_000, quota_jobs=7, quota_uploads_per_day=0)
    ada = signed_in(people)[0]
    cells = re.findall(r"<td>([^<]*)</td>", ada.get("/account").text.partition("Your usage")[2])
    assert cells[:8] == ["Storage", "0 Bytes", "5.0 MB", "5.0 MB", "Queued or running jobs", "0", "7", "7"]
    answer = ada.client.get("/api/usage", **ada.options).json
    assert answer["owner"] == ADA
    assert {"jobs": 7, "stored_bytes": 5_000_000}.items() <= {
        one["name"]: one["left"] for one in answer["items"]
    }.items()
    assert "uploads" not in {one["name"] for one in answer["items"]}, "it has no limit"
