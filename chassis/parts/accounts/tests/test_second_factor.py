"""A second factor: codes of an app, each once; recovery codes; who has to have one; and the lock-out of guesses."""

import re

import pytest
from werkzeug.security import gen_salt

from chassis.db import db
from chassis.parts.accounts import factor_store, lockout, sealing, totp
from chassis.parts.accounts.factor_tables import factors as table
from chassis.parts.accounts.factor_tables import recovery_codes
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.devices import FACTORS, SECOND, Clock, set_up, show
from chassis.security import audit, identity


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(totp, "time", clock)
    return clock


@pytest.fixture
def ada(people):
    """Ada's browser, signed in."""
    browser = people.browser()
    browser.sign_in()
    return browser


def at_the_door(people, **options):
    """Return a browser in which Ada has shown her password and nothing else."""
    browser = people.browser(**options)
    assert browser.sign_in().status_code in (303, 429)
    return browser


def audited():
    return [(line["action"], line["actor"], line["result"]) for line in audit.listing()]


def test_an_app_is_set_up_by_a_code_and_asked_for_at_the_next_sign_in(people, ada, clock):
    there = people.browser()
    there.sign_in()
    wrong = ada.send(f"{FACTORS}/authenticator", code="000000")
    assert (wrong.status_code, "is wrong" in wrong.text) == (400, True)
    device, codes = set_up(ada, clock)
    assert len(set(codes)) == 10
    assert ada.is_in(), "the session that set it up goes on"
    assert not there.is_in(), "the others have ended"
    assert "set up" in ada.get("/account").text
    assert there.sign_in(target="/account?tab=1").headers["Location"] == "/account?tab=1"
    led = there.get("/account?tab=1")
    assert (led.status_code, led.headers["Location"]) == (302, f"{SECOND}?next=%2Faccount%3Ftab%3D1")
    assert "Second step" in there.get(led.headers["Location"]).text
    went_on = there.send(led.headers["Location"], SECOND, proof_code=device.next())
    assert (went_on.status_code, went_on.headers["Location"]) == (303, "/account?tab=1")
    assert there.is_in()
    assert ("account.factor_add", ADA, "ok") in audited()
    assert audited()[0] == ("account.second_factor", ADA, "ok")


def test_a_password_alone_opens_nothing_and_adds_no_factor_of_its_own(people, ada, clock):
    set_up(ada, clock)
    thief = people.browser()
    thief.sign_in()
    api = thief.get("/api/jobs", Accept="application/json")
    assert (api.status_code, api.json["error"]["code"]) == (401, "sign_in_unfinished")
    for page in ("/account", FACTORS, f"{FACTORS}/authenticator", "/account/proof"):
        assert thief.get(page).headers["Location"].startswith(f"{SECOND}?next="), page
    for path in ("/account/password", "/sign-out-everywhere", f"{FACTORS}/codes", "/account/proof"):
        assert thief.act(path, SECOND, code="123456").status_code == 401, path
    assert show(thief, password=PASSWORD).status_code == 400, "a password is no second factor"
    assert not thief.is_in()
    cookie = thief.cookie()
    with people.app.test_request_context(headers={"Cookie": f"account={cookie}"}):
        who = identity.current()
        assert (who.gate, who.scopes) == (SECOND, frozenset())
        assert identity.still_good(who), "so that a socket would be looked at like any other"


def test_the_cookie_from_before_the_second_step_opens_nothing_after(people, ada, clock):
    device, _codes = set_up(ada, clock)
    here, copy = at_the_door(people), people.browser()
    copy.client.set_cookie("account", here.cookie())
    assert show(here, code=device.next()).status_code == 303
    assert here.is_in()
    assert not copy.is_in()


@pytest.mark.parametrize("drift", [-30, 0, 30])
def test_a_code_works_once_and_one_step_off(people, ada, clock, drift):
    device, _codes = set_up(ada, clock)
    clock.ahead += 120
    code = device.at(drift)
    for answer in (303, 401):
        door = at_the_door(people)
        assert show(door, code=f" {code[:3]} {code[3:]} ").status_code == answer
    assert not door.is_in()
    assert show(door, code=device.at(-90)).status_code == 401
    assert show(door, code=device.at(90)).status_code == 401


def test_the_code_that_set_it_up_is_used(people, ada, clock):
    device, _codes = set_up(ada, clock)
    assert show(at_the_door(people), code=device.at(0)).status_code == 401


NO_CODES = ["", "12345", "1234567", "abcdef", "\uff11" * 6, "\u0663" * 6, "1" * 60_000, "-12345", "\x00" * 6]


def test_what_is_no_code_is_refused(people, ada, clock, monkeypatch):
    monkeypatch.setattr(lockout, "FREE_OF_ACCOUNT", 100)
    set_up(ada, clock)
    door = at_the_door(people)
    answers = [show(door, **{kind: text}).status_code for kind in ("code", "recovery") for text in NO_CODES]
    assert set(answers) == {400, 401}


def test_two_requests_with_one_code_open_one_session(people, ada, clock):
    device, _codes = set_up(ada, clock)
    known = db.read(lambda conn: factor_store.of_kind(conn, factor_store.TOTP))
    with people.app.app_context():
        uses = [totp.check(known, code) for code in [device.next()] * 2]  # neither has seen the other
    assert [db.write(use) for use in uses] == [True, False]


def test_wrong_codes_lock_the_account_and_the_password_does_not_free_it(people, ada, clock):
    set_up(ada, clock)
    door, answers = at_the_door(people), []
    for _ in range(lockout.FREE_OF_ACCOUNT):
        answers.append(show(door, code="000000").status_code)
        signed_in = people.browser(address="10.1.1.1").sign_in().status_code
    assert answers == [401] * lockout.FREE_OF_ACCOUNT
    assert signed_in == 429
    assert show(door, code="000000").status_code == 429
    assert ("account.second_factor", ADA, "refused") in audited()


def test_recovery_codes_work_once_each_and_are_stored_as_hashes(people, ada, clock):
    _device, codes = set_up(ada, clock)
    stored = db.read(lambda conn: [row.hash for row in conn.execute(recovery_codes.select())])
    assert len(stored) == 10
    assert not set(codes) & set(stored)
    assert "<strong>10</strong> codes" in ada.get(FACTORS).text
    assert not [code for code in codes if code in ada.get(FACTORS).text]
    for typed, answer in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401), (codes[1], 303)):
        door = at_the_door(people)
        assert show(door, recovery=typed).status_code == answer
    assert "<strong>8</strong> codes" in ada.get(FACTORS).text
    other = people.browser()
    other.sign_in(ROOT_MAIL)
    set_up(other, clock)
    other = people.browser()
    other.sign_in(ROOT_MAIL)
    assert show(other, recovery=codes[2]).status_code == 401, "someone else"
    made = ada.act(f"{FACTORS}/codes", FACTORS)
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    newer = re.findall(r"<code>([a-z2-7-]{19})</code>", made.text)
    assert not set(newer) & set(codes)
    for code, answer in ((codes[3], 401), (newer[0], 303)):
        assert show(at_the_door(people), recovery=code).status_code == answer


def test_removing_it_ends_the_other_sessions_and_the_codes(people, ada, clock):
    device, _codes = set_up(ada, clock)
    there = people.browser()
    there.sign_in()
    show(there, code=device.next())
    assert there.is_in()
    path = re.search(r'action="(/account/factors/\w+/remove)"', ada.get(FACTORS).text)[1]
    other = people.browser()
    other.sign_in(ROOT_MAIL)
    assert other.act(path).status_code == 404
    removed = ada.act(path, FACTORS)
    assert "is removed" in ada.get(removed.headers["Location"]).text
    assert not there.is_in()
    assert db.read(lambda conn: conn.execute(recovery_codes.select()).all()) == []
    assert ada.act("/sign-in", email=ADA, password=PASSWORD).status_code == 303
    assert ada.is_in()
    assert ("account.factor_remove", ADA, "ok") in audited()


def test_an_admin_who_has_to_have_one_does_nothing_before(make, clock):
    people = make({"accounts_second_factor": "admins"})
    ada, root = people.browser(), people.browser()
    ada.sign_in()
    assert ada.is_in()
    root.sign_in(ROOT_MAIL, target="/admin/keys")
    led = root.get("/admin/keys").headers["Location"]
    assert led == f"{FACTORS}?next=%2Fadmin%2Fkeys"
    assert "needs a second factor" in root.get(led).text
    assert root.get("/api/jobs", Accept="application/json").json["error"]["code"] == "sign_in_unfinished"
    assert root.get("/account").status_code == 302
    assert root.act("/admin/keys", FACTORS, name="x").status_code == 401
    _device, codes = set_up(root, clock, next="/admin/keys")
    assert len(codes) == 10
    assert root.get("/admin/keys").status_code == 200
    path = re.search(r'action="(/account/factors/\w+/remove)"', root.get(FACTORS).text)[1]
    refused = root.act(path, FACTORS)
    assert (refused.status_code, "needs a second factor" in refused.text) == (409, True)
    people.run("set-role", ADA, "admin")
    assert ada.get("/account").headers["Location"].startswith(FACTORS)


def test_everyone_can_be_asked_for_one_and_a_session_without_ends_soon(make, monkeypatch):
    people = make({"accounts_second_factor": "everyone"})
    ada = people.browser()
    ada.sign_in()
    assert ada.get("/account").headers["Location"].startswith(FACTORS)
    monkeypatch.setattr("chassis.parts.accounts.gates.MAX_SECONDS", 0)
    assert ada.get("/account").headers["Location"].startswith("/sign-in")


def test_a_lost_device_is_reset_by_the_operator_and_by_an_admin(people, ada, clock):
    for reset in ("command", "page"):
        set_up(ada, clock)
        if reset == "command":
            assert "no longer has a second factor" in people.run("reset-factor", ADA).output
        else:
            root = people.browser()
            root.sign_in(ROOT_MAIL)
            page = re.search(rf'href="(/admin/accounts/\w+)">{ADA}', root.get("/admin/accounts").text)[1]
            assert "Authenticator app, 10 recovery codes" in root.get(page).text
            root.act(f"{page}/reset-factor", page)
        assert audit.listing()[0]["action"] == "account.reset_factor"
        assert not ada.is_in()
        assert db.read(lambda conn: conn.execute(table.select()).all()) == []
        ada.sign_in()
        assert ada.is_in()


def test_another_password_is_set_without_a_second_step(people, ada, clock):
    set_up(ada, clock)
    new = "an otter under the bridge"
    assert ada.act("/account/password", current=PASSWORD, password=new, again=new).status_code == 303
    assert ada.is_in()


def test_another_password_by_a_link_is_no_way_around_it(people, ada, clock):
    set_up(ada, clock)
    link = people.run("reset-link", ADA).output.strip().partition("://")[2]
    path = "/" + link.partition("/")[2]
    ada.send(path, path, password="an otter under the bridge", again="an otter under the bridge")
    assert ada.get("/account").headers["Location"].startswith(SECOND)


def test_the_secret_is_sealed_and_outlives_a_new_secret_key(make, clock):
    first, second = (gen_salt(40) for _ in range(2))
    people = make(secret_key=first)
    ada = people.browser()
    ada.sign_in()
    device, _codes = set_up(ada, clock)
    kept = db.read(lambda conn: conn.execute(table.select()).one().secret)
    assert device.totp.byte_secret().hex() not in kept
    for config, opens in (({"SECRET_KEY_FALLBACKS": [first]}, True), ({}, True), ({"SECRET_KEY": gen_salt(40)}, False)):
        people.app.config.update({"SECRET_KEY": second, "SECRET_KEY_FALLBACKS": [], **config})
        answer = show(at_the_door(people), code=device.next())
        assert answer.status_code == (303 if opens else 409), config  # and the first use seals it by the new key
    assert "SECRET_KEY has changed" in answer.text


def test_all_secrets_are_sealed_again_by_a_command(make, clock):
    first, second = (gen_salt(40) for _ in range(2))
    people = make(secret_key=first)
    ada = people.browser()
    ada.sign_in()
    device, _codes = set_up(ada, clock)
    people.app.config.update(SECRET_KEY=second, SECRET_KEY_FALLBACKS=[first])
    assert "1 secrets" in people.run("reseal").output
    assert "0 secrets" in people.run("reseal").output
    people.app.config["SECRET_KEY_FALLBACKS"] = []
    assert show(at_the_door(people), code=device.next()).status_code == 303


def test_what_is_sealed_says_nothing_and_cannot_be_changed(people):
    with people.app.app_context():
        people.app.config["SECRET_KEY"] = gen_salt(40)
        one, other = (sealing.seal(b"the same secret", "totp") for _ in range(2))
        assert one != other
        assert sealing.unseal(one, "totp") == (b"the same secret", False)
        swapped = one[:40] + ("0" if one[40] != "0" else "1") + one[41:]
        for wrong in (swapped, one[:-2], "", "1.", "2" + one[1:], "1.zz"):
            with pytest.raises(sealing.Conflict):
                sealing.unseal(wrong, "totp")
        with pytest.raises(sealing.Conflict):
            sealing.unseal(one, "another purpose")
        with pytest.raises(ValueError, match="32 bytes"):
            sealing.seal(b"x" * 33, "totp")
