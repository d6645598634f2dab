"""Signing in by a password: the way there and back, and what a mistake tells and costs."""

import shutil
import sys
from pathlib import Path

import pytest

from chassis.base.environment import BASE_DIR
from chassis.parts.accounts import passwords
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


def test_the_first_account_is_explained_by_a_command_that_exists_here(people):
    page = people.browser().get("/sign-in").text
    command = page.partition(" users create-admin EMAIL</code>")[0].rpartition("<code>")[2]
    assert shutil.which(BASE_DIR / command if "/" in command else command, path=Path(sys.executable).parent)


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
    assert {answer.text.count("Incorrect email or password.") for answer in answers} == {1}
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
