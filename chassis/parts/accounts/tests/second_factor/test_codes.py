"""Codes and recovery codes work once, and guesses lock the account."""

import re

import pytest

from chassis.db import db
from chassis.parts.accounts import factor_store, lockout, totp
from chassis.parts.accounts.factor_tables import recovery_codes
from chassis.parts.accounts.tests.conftest import ADA, ROOT_MAIL
from chassis.parts.accounts.tests.devices import FACTORS, set_up, show
from chassis.parts.accounts.tests.second_factor.doors import at_the_door, audited


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
    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    newer = re.findall(r"<code>([a-z2-7-]{19})</code>", made.text)
    assert not set(newer) & set(codes)
    for code, answer in ((codes[3], 401), (newer[0], 303)):
        assert show(at_the_door(people), recovery=code).status_code == answer
