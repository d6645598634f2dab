"""Asked again, before what does most harm: a session that was left open makes no key and no admin."""

import re

import pytest

from chassis.db import db
from chassis.parts.accounts import lockout, totp
from chassis.parts.accounts.tables import sessions as table
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.devices import FACTORS, Clock, set_up
from chassis.security import keys

KEY = {"name": "nightly & <b>", "owner": "", "scope": "read"}


@pytest.fixture
def root(people):
    """An admin's browser, signed in a while ago."""
    browser = people.browser()
    browser.sign_in(ROOT_MAIL)
    a_while_ago()
    return browser


def a_while_ago():
    """Let the last proof of every session be too long ago."""
    db.write(lambda conn: conn.execute(table.update().values(proved_at=table.c.proved_at - 901)))


def hidden_in(page):
    form = page.text.partition('action="/account/proof"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"', form)
    return {name: value.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">") for name, value in found}


def test_a_form_is_interrupted_and_goes_on_with_all_that_was_typed(people, root):
    asked = root.act("/admin/keys", "/admin/keys", **KEY)
    assert (asked.status_code, "Confirm your identity" in asked.text) == (401, True)
    assert keys.listing() == []
    wrong = root.post("/account/proof", **hidden_in(asked), proof_password="wrong")
    assert (wrong.status_code, "Incorrect" in wrong.text) == (401, True)
    right = root.post("/account/proof", **hidden_in(wrong), proof_password=PASSWORD)
    assert (right.status_code, right.headers["Location"]) == (307, "/admin/keys")
    made = root.post("/admin/keys", **hidden_in(wrong), proof_password=PASSWORD)  # as a browser does after 307
    assert made.status_code == 200
    assert PASSWORD not in made.text
    assert [key["name"] for key in keys.listing()] == [KEY["name"]]
    assert root.act("/admin/keys", "/admin/keys", **KEY).status_code == 200, "and is not asked again soon"


def test_a_page_is_interrupted_and_shown_after_that(people, root):
    asked = root.get(f"{FACTORS}/authenticator?next=/admin")
    assert asked.headers["Location"].startswith("/account/proof?proof_next=")
    page = root.get(asked.headers["Location"])
    answer = root.post("/account/proof", **hidden_in(page), proof_password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{FACTORS}/authenticator?next=/admin")
    assert root.get(answer.headers["Location"]).status_code == 200


def test_a_program_is_told_with_a_code_of_its_own(people, root):
    token = re.search(r'name="csrf_token" value="(\w+)"', root.get("/account").text)[1]
    headers = {"Accept": "application/json", "Origin": "http://localhost", "X-CSRF-Token": token}
    answer = root.client.post("/admin/keys", data=KEY, headers=headers, **root.options)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "proof_needed")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/admin/accounts/invite", {"email": "eve@example.org", "role": "admin"}),
        ("{ada}/role", {"role": "admin"}),
        ("{ada}/reset-link", {}),
        ("{ada}/reset-factor", {}),
        ("{ada}/enable", {}),
        ("/admin/keys/0123/expire", {"days": "30"}),
        (f"{FACTORS}/codes", {}),
        (f"{FACTORS}/authenticator", {"code": "123456"}),
        (f"{FACTORS}/passkey", {"name": "x"}),
        (f"{FACTORS}/0123/remove", {}),
        (f"{FACTORS}/0123/rename", {"name": "x"}),
        ("/admin/console/backups/x/download", {}),
    ],
)
def test_what_does_most_harm_asks_again(people, root, path, fields):
    page = re.search(rf'href="(/admin/accounts/\w+)">{ADA}', root.get("/admin/accounts").text)[1]
    asked = root.act(path.format(ada=page), "/account", **fields)
    assert (asked.status_code, "Confirm your identity" in asked.text) == (401, True)


def test_what_does_less_harm_does_not(people, root):
    shown = root.act("/admin/accounts/invite", "/admin/accounts", email="grace@example.org", role="user")
    assert shown.status_code == 200
    page = re.search(rf'href="(/admin/accounts/\w+)">{ADA}', root.get("/admin/accounts").text)[1]
    assert root.act(f"{page}/sign-out", page).status_code == 303


def test_keys_are_not_asked_and_zero_asks_nobody(make):
    key = "k3Zq9_" * 8
    people = make(admin_api_key=key, recent_proof_seconds=0)
    root = people.browser()
    root.sign_in(ROOT_MAIL)
    a_while_ago()
    assert root.act("/admin/keys", "/admin/keys", **KEY).status_code == 200
    people = make(admin_api_key=key)
    answer = people.app.test_client().post("/admin/keys", data=KEY, headers={"X-API-Key": key})
    assert answer.status_code == 303


def test_a_code_of_the_app_proves_it_too_and_only_once(people, root, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(totp, "clock", clock)
    root.act("/account/proof", "/account/proof", proof_password=PASSWORD)
    device, _codes = set_up(root, clock)
    code = device.next()
    for answer in (303, 401):
        a_while_ago()
        assert root.act("/account/proof", "/account/proof", proof_code=code).status_code == answer


def test_the_page_sends_nobody_to_another_site(people, root):
    for target in ("https://evil.example/", "//evil.example"):
        sent = root.act("/account/proof", "/account", proof_password=PASSWORD, proof_next=target, proof_repeat="1")
        assert sent.headers["Location"] == "/"


def test_a_link_of_another_site_makes_nobody_send_a_form(people, root):
    page = root.get("/account/proof?proof_next=/sign-out-everywhere&proof_repeat=1&name=x")
    assert hidden_in(page)["proof_repeat"] == ""
    assert "name" not in hidden_in(page)
    assert root.post("/account/proof", **hidden_in(page), proof_password=PASSWORD).status_code == 303


def test_who_holds_a_session_cannot_guess_the_password_here_either(people, root):
    answers = [
        root.act("/account/proof", "/account/proof", proof_password="wrong").status_code
        for _ in range(lockout.FREE_OF_ACCOUNT + 1)
    ]
    assert answers == [401] * lockout.FREE_OF_ACCOUNT + [429]


def test_a_session_of_before_counts_from_its_sign_in(people):
    root = people.browser()
    root.sign_in(ROOT_MAIL)
    db.write(lambda conn: conn.execute(table.update().values(proved_at=None)))
    assert root.act("/admin/keys", "/admin/keys", **KEY).status_code == 200
    db.write(lambda conn: conn.execute(table.update().values(created_at=table.c.created_at - 901)))
    assert root.act("/admin/keys", "/admin/keys", **KEY).status_code == 401
