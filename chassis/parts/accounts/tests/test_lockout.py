"""The lock-out: no flood ends it, nobody locks a known browser out, and the owner is told."""

import pytest

from chassis.db import db
from chassis.parts.accounts import devices, lockout, totp
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.devices import Clock, set_up, show
from chassis.security import audit

NEW = "an otter under the bridge"


def guess(people, email=ADA, times=lockout.FREE_OF_ACCOUNT, address="10.9.8.7"):
    """Guess from elsewhere; return the last answer's status."""
    guesser = people.browser(address=address)
    return [guesser.sign_in(email, "wrong").status_code for _ in range(times)][-1]


def device_of(browser, email=ADA):
    return browser.cookie(devices._cookie(email))


def known(people, email=ADA):
    """Return a browser in which somebody signed in once, and out again."""
    browser = people.browser()
    browser.sign_in(email)
    browser.act("/sign-out")
    return browser


def test_a_flood_of_other_attempts_does_not_unlock_an_account(people, monkeypatch):
    monkeypatch.setattr(lockout, "MAX_ROWS", 10)
    guess(people)
    with people.app.app_context():
        for number in range(40):
            lockout.count(lockout.account(f"{number}@example.org"))
        with pytest.raises(lockout.TooManyAttempts):
            lockout.count(lockout.account(ADA))


def test_guesses_from_elsewhere_do_not_lock_out_a_known_browser(people):
    root, stranger = known(people, ROOT_MAIL), people.browser()
    guess(people, ROOT_MAIL)
    assert stranger.sign_in(ROOT_MAIL).status_code == 429
    assert root.sign_in(ROOT_MAIL).status_code == 303
    assert stranger.sign_in(ROOT_MAIL).status_code == 429, "its sign-in gives the guesser no more guesses"


def test_a_locked_address_does_not_lock_out_a_known_browser(people, monkeypatch):
    monkeypatch.setattr(lockout, "FREE_OF_ADDRESS", 2)
    ada = known(people)
    for number in range(2):
        guess(people, f"{number}@example.org", times=1, address="127.0.0.1")
    assert people.browser().sign_in(ROOT_MAIL).status_code == 429
    assert ada.sign_in().status_code == 303


def test_a_known_browser_is_locked_by_its_own_guesses_and_nobody_with_it(people):
    ada = known(people)
    answers = [ada.sign_in(password="wrong").status_code for _ in range(lockout.FREE_OF_ACCOUNT + 1)]
    assert answers == [401] * lockout.FREE_OF_ACCOUNT + [429]
    assert people.browser().sign_in().status_code == 303
    people.run("unlock", ADA)
    assert ada.sign_in().status_code == 303


def test_a_cookie_counts_for_its_account_and_only_as_it_was_signed(people):
    ada, guesser = known(people), people.browser()
    guess(people, ROOT_MAIL)
    for value in (device_of(ada), f"{device_of(ada)}x", "x", "ünïcödé"):
        guesser.client.set_cookie(devices._cookie(ROOT_MAIL), value)
        assert guesser.sign_in(ROOT_MAIL).status_code == 429


def test_a_device_is_known_for_a_time(people, monkeypatch):
    ada = known(people)
    guess(people)
    monkeypatch.setattr(devices, "KNOWN_SECONDS", -1)
    assert ada.sign_in().status_code == 429


def test_the_cookie_is_out_of_reach_for_scripts_and_names_nobody(people):
    for base_url, secure in (("http://localhost", False), ("https://localhost", True)):
        cookies = people.browser(base_url=base_url).sign_in().headers.getlist("Set-Cookie")
        (cookie,) = [one for one in cookies if one.startswith("device-")]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is secure
        assert ADA.partition("@")[0] not in cookie


def test_whoever_is_signed_in_changes_the_password_while_others_guess(people):
    ada = people.browser()
    ada.sign_in()
    guess(people)
    assert ada.act("/account/password", current=PASSWORD, password=NEW, again=NEW).status_code == 303


def test_guesses_from_elsewhere_keep_no_known_browser_from_its_second_factor(people, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(totp, "clock", clock)
    ada = people.browser()
    ada.sign_in()
    device, _ = set_up(ada, clock)
    ada.act("/sign-out")
    guess(people)
    assert ada.sign_in().status_code == 303
    assert show(ada, code=device.next()).status_code == 303
    again = ada.act("/account/proof", "/account/proof", proof_password=PASSWORD, proof_next="/account")
    assert again.status_code == 303
    assert people.browser().sign_in().status_code == 429, "it gives the guesser no more guesses"


def test_a_password_makes_no_known_browser_before_the_second_factor(people, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(totp, "clock", clock)
    ada, thief = people.browser(), people.browser(address="10.9.8.7")
    ada.sign_in()
    set_up(ada, clock)
    thief.sign_in()
    assert device_of(thief) is None, "each new one would have guesses of its own"


def test_the_owner_sees_wrong_passwords_with_time_and_address(people):
    ada = people.browser()
    ada.sign_in()
    assert 'id="tries"' not in ada.get("/account").text
    guess(people, times=2, address="203.0.113.9")
    page = ada.get("/account").text
    assert "2 wrong passwords" in page
    assert page.count("from 203.0.113.9") == 2
    ada.act("/sign-out")
    ada.sign_in()
    assert "203.0.113.9" in ada.get("/account").text, "also after the next sign-in"
    ada.act("/sign-out")
    ada.sign_in()
    assert 'id="tries"' not in ada.get("/account").text


def test_a_lock_is_in_the_audit_log(people):
    guess(people)
    locks = [line for line in audit.listing() if line["action"] == "account.lock"]
    assert [(line["target"], line["address"], line["result"]) for line in locks] == [(ADA, "10.9.8.7", "locked")]


def test_a_full_table_loses_a_hundredth_at_once(people, monkeypatch):
    monkeypatch.setattr(lockout, "MAX_ROWS", 200)
    with people.app.app_context():
        for number in range(201):
            lockout.count(lockout.account(f"{number}@example.org"))
    rows = lockout.select(lockout.func.count()).select_from(lockout.attempts)
    assert db.read(lambda conn: conn.execute(rows).scalar()) == 199
