"""Passwords that are easily guessed are refused when they are set."""

import pytest

from chassis.base.service import current
from chassis.parts.accounts import breached, passwords, strength
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD


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
        ("ADA@example.org", "Leave out your email address"),
        ("L0vel@ce.1815", "Leave out your email address"),
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


def test_a_generated_password_is_taken_each_time(people):
    assert len(passwords.generated()) > breached.MOST_CHARACTERS  # one in 200 shorter ones counts as breached
    with people.app.app_context():
        for _ in range(20):
            passwords.check(passwords.generated(), ADA, "Ada Lovelace")


def test_the_words_of_one_person_do_not_count_for_another():
    assert strength.hints("vexoplint-trusk", ["Vexoplint Trusk"])
    assert not strength.hints("vexoplint-trusk", [])


def test_a_password_is_the_same_however_the_keyboard_writes_it():
    stored = passwords.hashed("caf\u00e9 on the corner")
    assert passwords.is_right("cafe\u0301 on the corner", stored)
    assert not passwords.is_right("cafe on the corner", stored)
    assert "corner" not in stored
