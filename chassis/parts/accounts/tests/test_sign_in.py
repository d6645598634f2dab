"""Signing in: one sentence for every mistake, no session that was known before, no way to another site."""

import time

import pytest

from chassis.base.service import current
from chassis.db import db
from chassis.parts.accounts import lockout, passwords, strength
from chassis.parts.accounts.local_path import local_path
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.security import audit


def audited():
    return [(line["action"], line["actor"], line["result"]) for line in audit.listing()]


def test_a_visitor_is_sent_to_sign_in_and_comes_back(people):
    ada = people.browser()
    sent = ada.get("/account?tab=1")
    assert (sent.status_code, sent.headers["Location"]) == (302, "/sign-in?next=/account?tab%3D1")
    back = ada.send(sent.headers["Location"], "/sign-in", email=ADA, password=PASSWORD)
    assert (back.status_code, back.headers["Location"]) == (303, "/account?tab=1")
    page = ada.get("/account?tab=1")
    assert ADA in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert ada.get("/sign-in").status_code == 302
    assert audited()[0] == ("account.sign_in", ADA, "ok")


def test_a_program_is_answered_401_and_not_sent_anywhere(people):
    client = people.app.test_client()
    for headers in ({"Accept": "application/json"}, {}):
        assert client.get("/account", headers=headers).status_code == 401
    assert client.get("/api/jobs", headers={"Accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("email", ["Ada@Example.ORG", "  ada@example.org ", "\uff41da@example.org"])
def test_an_email_is_the_same_in_any_case(people, email):
    ada = people.browser()
    assert ada.sign_in(email).status_code == 303
    assert ada.is_in()


def test_every_mistake_is_told_in_the_same_words_and_costs_one_hash(people, monkeypatch):
    people.run("disable", ADA, "--yes")
    verified = []
    real = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", Counting(real, verified))
    answers = [
        people.browser().sign_in(email, password)
        for email, password in (
            (ROOT_MAIL, "wrong"),
            ("nobody@example.org", PASSWORD),
            ("no address at all", PASSWORD),
            (ADA, PASSWORD),  # right, of a disabled account
            (ADA, "wrong"),
        )
    ]
    assert [answer.status_code for answer in answers] == [401] * 5
    assert {answer.text.count("The e-mail or password is wrong.") for answer in answers} == {1}
    assert verified == ["verify"] * 5
    assert [result for _, _, result in audited()[:5]] == ["refused"] * 5
    assert ("account.sign_in", "(no e-mail address)", "refused") in audited()


class Counting:
    """Counts what a hasher is asked."""

    def __init__(self, hasher, asked):
        self._hasher, self._asked = hasher, asked

    def __getattr__(self, name):
        if name in ("hash", "verify"):
            self._asked.append(name)
        return getattr(self._hasher, name)


def test_who_has_no_account_costs_as_much_as_who_has_one():
    assert not passwords.is_outdated(passwords.NOBODYS)


def test_a_cookie_from_before_opens_nothing_after(people):
    """Session fixation: who planted a cookie has nothing of the session that follows."""
    ada, attacker = people.browser(), people.browser()
    for browser in (ada, attacker):
        browser.client.set_cookie("account", "planted")
    ada.sign_in()
    assert ada.is_in()
    assert ada.cookie() != "planted"
    assert not attacker.is_in()


def test_signing_in_again_ends_the_session_at_hand(people):
    ada, thief = people.browser(), people.browser()
    ada.sign_in()
    thief.client.set_cookie("account", ada.cookie())
    assert thief.is_in()
    assert ada.act("/sign-in", email=ADA, password=PASSWORD).status_code == 303
    assert ada.is_in()
    assert not thief.is_in()


def test_the_cookie_is_for_this_host_alone_and_out_of_reach_for_scripts(people, make):
    plain = people.browser().sign_in().headers["Set-Cookie"]
    assert plain.startswith("account=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    secret = "k3Zq9_" * 8
    for browser in (
        people.browser(base_url="https://localhost"),
        make(app_env="production", secret_key=secret).browser(),
    ):
        cookies = browser.sign_in().headers.getlist("Set-Cookie")
        cookie = next(c for c in cookies if "account=" in c)
        assert cookie.startswith("__Host-account=")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_under_tls_a_cookie_that_another_host_may_have_set_is_none(people):
    ada = people.browser()
    ada.sign_in()
    other = people.browser(base_url="https://localhost")
    other.client.set_cookie("account", ada.cookie())
    assert not other.is_in()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "/%0d\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:/evil.example",
        "",
        None,
    ],
)
def test_nobody_is_sent_to_another_site(target):
    assert local_path(target, "/home") == "/home"


@pytest.mark.parametrize("target", ["/", "/a/page", "/a?b=c&d=https://x.example/", "/a//b"])
def test_our_own_paths_are_kept(target):
    assert local_path(target) == target


def test_the_way_back_is_checked_when_it_is_sent_too(people):
    answer = people.browser().sign_in(target="https://evil.example/")
    assert answer.headers["Location"] == "/"


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


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 12"),
        ("é" * 600 + "abcdefg", "at most 1024 bytes"),
        ("Summer2026!!", "similar to a commonly used password. Add another word"),
        ("PasswordPassword", "Avoid repeated words"),
        ("aaaaaaaaaaaabbb", "Avoid repeated words"),
        ("qwertyuiopasdf", "similar to a commonly used password"),
        ("P@ssw0rd1234!", "substitutions like '@'"),
        ("ADA@example.org", "Leave out your e-mail"),
        ("L0vel@ce.1815", "Leave out your e-mail"),
        (f"{current().name}2026!", "the name of this service"),
        ("correcthorsebatterystaple", "guessed first"),
        ("Correct-Horse-Battery-Staple-1!", "guessed first"),
        ("Fruehling2026!", "guessed first"),
        ("Fr\u00fchling!2026!", "guessed first"),
        ("Willkommen!2026", "guessed first"),
        ("Septembre#12-2025", "guessed first"),
        ("1qaz!QAZ2wsx@WSX", "breached passwords"),
        ("IchLiebeDich1", "breached passwords"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused_with_a_hint(people, password, reason):
    with people.app.app_context(), pytest.raises(passwords.BadRequest, match=reason):
        passwords.check(password, ADA, "Ada Lovelace")


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "an otter under the bridge", "q9dTz-Kx7Lw2", "ünïcödé wörds hërë", "May otters chew 12 pencils"],
)
def test_a_password_that_is_hard_to_guess_is_taken(people, password):
    with people.app.app_context():
        passwords.check(password, ADA, "Ada Lovelace")


def test_the_words_of_one_person_do_not_count_for_another():
    assert strength.hints("vexoplint-trusk", ["Vexoplint Trusk"])
    assert not strength.hints("vexoplint-trusk", [])


def test_a_password_is_the_same_however_the_keyboard_writes_it():
    stored = passwords.hashed("caf\u00e9 on the corner")
    assert passwords.is_right("cafe\u0301 on the corner", stored)
    assert not passwords.is_right("cafe on the corner", stored)
    assert "corner" not in stored


@pytest.mark.parametrize("other", ["\xe9", "\xed\xa0\x80"])
def test_a_cookie_of_another_application_that_is_no_text_signs_nobody_out(people, other):
    browser = people.browser()
    browser.sign_in()
    cookies = f"theirs={other}; account={browser.cookie()}; session={other}"
    plain = people.app.test_client(use_cookies=False)
    for path in ("/account", "/", "/account/sessions"):
        expected = browser.get(path).status_code
        assert plain.get(path, headers={"Cookie": cookies}).status_code == expected
