"""Wrong passwords lock accounts and addresses for a time that grows."""

import time

import pytest

from chassis.db import db
from chassis.parts.accounts import lockout
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL


def test_wrong_passwords_lock_the_account_and_the_right_one_is_refused_too(people):
    ada = people.browser()
    for _ in range(lockout.FREE_OF_ACCOUNT):
        assert ada.sign_in(password="wrong").status_code == 401
    for password in (PASSWORD, "wrong"):
        answer = people.browser(address="10.9.8.7").sign_in(password=password)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= lockout.FIRST_SECONDS
        assert "Too many attempts" in answer.text
    assert people.browser().sign_in(ROOT_MAIL).status_code == 303
    assert "can try again" in people.run("unlock", ADA).output
    assert ada.sign_in().status_code == 303


def test_an_email_without_an_account_is_locked_in_the_same_way(people):
    visitor = people.browser()
    answers = [visitor.sign_in("nobody@example.org", "wrong").status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2


def test_an_address_is_locked_whatever_it_tries(people, monkeypatch):
    monkeypatch.setattr(lockout, "FREE_OF_ADDRESS", 3)
    guesser = people.browser(address="2001:db8::1")
    answers = [guesser.sign_in(f"{n}@example.org", "wrong").status_code for n in range(4)]
    assert answers == [401] * 3 + [429]
    assert people.browser(address="2001:db8::2").sign_in().status_code == 429, "the same network of one customer"
    assert people.browser(address="2001:db8:0:1::2").sign_in().status_code == 303


def test_who_signs_in_does_not_lock_his_address(people, monkeypatch):
    monkeypatch.setattr(lockout, "FREE_OF_ADDRESS", 3)
    assert [people.browser().sign_in().status_code for _ in range(5)] == [303] * 5


def test_guesses_at_once_are_no_more_than_one_after_the_other(people):
    with people.app.app_context():
        for _ in range(lockout.FREE_OF_ACCOUNT):
            lockout.count(lockout.account(ADA))  # none of them knows yet whether it was right
        with pytest.raises(lockout.TooManyAttempts):
            lockout.count(lockout.account(ADA))


def test_an_attempt_that_began_earlier_and_is_counted_later_is_not_locked(people):
    with people.app.app_context():
        for ago in (0, 5):
            db.write(lambda conn, ago=ago: lockout._count(conn, lockout.account(ADA), time.time() - ago))


def test_each_delay_is_twice_as_long_up_to_the_longest():
    delays = [lockout.delay_seconds(failures, 5) for failures in range(4, 12)]
    assert delays == [0, 30, 60, 120, 240, 480, 900, 900]


def test_attempts_are_forgotten_and_never_more_than_so_many(people, monkeypatch):
    monkeypatch.setattr(lockout, "MAX_ROWS", 10)
    with people.app.app_context():
        for number in range(25):
            lockout.count(lockout.account(f"{number}@example.org"))
        count = db.read(
            lambda conn: conn.execute(lockout.select(lockout.func.count(lockout.attempts.c.subject))).scalar()
        )
    assert count == 10
