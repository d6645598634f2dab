"""What forms of accounts cost when their fields are as bad as they can be."""

import subprocess
import sys
import time
import unicodedata

import pytest

from chassis.parts.accounts import strength
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.tests.conftest import ROOT

MARKS = "\u0301" * 20_000  # fits into a form; normalising it takes half a second
MOST = 1_024


@pytest.fixture
def longest(monkeypatch):
    """Return a function that gives the length of the longest text that was normalised."""
    lengths, normalize = [0], unicodedata.normalize

    def watched(form, text):
        lengths.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", watched)
    return lambda: max(lengths)


@pytest.mark.parametrize("fields", [{"email": MARKS}, {"password": MARKS}, {"next": "/" + MARKS}])
def test_signing_in_normalises_no_long_text(people, longest, fields):
    browser = people.browser()
    token = {"csrf_token": browser.get("/sign-in").text.partition('name="csrf_token" value="')[2].partition('"')[0]}
    sent = {**token, "email": ADA, "password": "wrong", **fields}
    answer = browser.client.post(
        "/sign-in", data=sent, content_type="multipart/form-data", headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 401
    assert longest() <= MOST


def test_registering_normalises_no_long_text(make, longest):
    browser = make({"allow_registration": True}).browser()
    for fields in ({"email": "a@b.example", "password": MARKS[:3_000]}, {"email": MARKS[:3_000], "password": PASSWORD}):
        answer = browser.send("/register", again=fields["password"], name="N", **fields)
        assert answer.status_code == 400
    assert longest() <= MOST


def test_an_account_normalises_no_long_text(people, longest):
    browser, admin = people.browser(), people.browser()
    browser.sign_in()
    admin.sign_in(ROOT_MAIL)
    long = MARKS[:3_000]
    assert browser.act("/account/password", current=long, password=PASSWORD * 2, again=PASSWORD * 2).status_code == 400
    assert browser.act("/account/password", current=PASSWORD, password=long, again=long).status_code == 400
    assert admin.act("/admin/accounts/invite", "/admin/accounts", email=long, role="user").status_code == 400
    assert longest() <= MOST


def test_a_form_of_half_a_megabyte_is_refused_unread(people):
    answer = people.browser().post("/sign-in", email="\u0301" * 80_000, password="x")
    assert answer.status_code == 413


def test_links_begin_with_the_public_url_whatever_the_request_says(make):
    people = make(public_url="https://app.example.org")
    admin = people.browser(base_url="http://localhost:81")
    admin.sign_in(ROOT_MAIL)
    shown = admin.act("/admin/accounts/invite", "/admin/accounts", email="new@example.org", role="user")
    assert 'value="https://app.example.org/invitation/ln_' in shown.text
    told = people.run("invite", "other@example.org").output
    assert told.startswith("https://app.example.org/invitation/ln_")


def test_a_password_that_is_too_long_is_no_password(people):
    assert people.browser().sign_in(password=PASSWORD + " " * 1_100).status_code == 401


@pytest.mark.parametrize(
    "alphabet", ["4@8({[<369|1!0$5+7%2", "0123456789", "19", "a", "password", "\u0301", "1il|", "e3"]
)
def test_judging_a_password_is_bounded_whatever_it_is(alphabet):
    """At its worst input zxcvbn takes two minutes; a second is for a busy machine, where these take 20 ms."""
    strength.hints("warm", [])
    before = time.process_time()
    strength.hints((alphabet * 1_024)[:1_024], [alphabet * 200] * 200)
    assert time.process_time() - before < 1


def test_the_lists_are_read_only_when_a_password_is_set():
    program = "import sys; from chassis.parts.accounts import passwords; passwords.is_right('x', None); "
    done = subprocess.run(
        [sys.executable, "-c", program + "print('zxcvbn' in sys.modules)"], capture_output=True, cwd=ROOT
    )
    assert done.stdout.strip() == b"False"
