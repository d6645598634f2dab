"""Forms of the admin pages without scripts: a reload repeats nothing, and a mistake loses nothing that was typed."""

import re

import pytest

from chassis.db import clock
from chassis.parts.accounts.tests.conftest import ADA, ROOT_MAIL
from chassis.web import once

KEY = {"name": "robot", "owner": "", "scope": "read", "days": "0", "per_second": "0", "monthly_budget": "0"}
SECRET = re.compile(r'<code id="made">(ak_[^<]+)</code>')
LINK = re.compile(r'value="[^"]*(/invitation/[^"]+)"')


@pytest.fixture
def root(people):
    browser = people.browser()
    browser.sign_in(ROOT_MAIL)
    return browser


def test_a_new_key_is_shown_once_and_a_reload_makes_no_second_one(root):
    made = root.act("/admin/keys", **KEY)
    assert made.request.method == "GET"
    assert SECRET.search(made.text)
    assert "no-store" in made.headers["Cache-Control"]
    again = root.get(made.request.path)
    assert not SECRET.search(again.text)
    assert again.text.count("Revoke key") == 1


def test_a_new_link_is_shown_once(root):
    made = root.act("/admin/accounts/invite", email="new@example.org", role="user", show="1")
    assert (made.request.method, made.request.path) == ("GET", "/admin/accounts/link")
    assert LINK.search(made.text)
    assert root.get(made.request.path).location == "/admin/accounts"


def test_what_was_handed_over_is_for_one_person_and_a_minute(people, root, monkeypatch):
    token = re.search(r'name="csrf_token" value="(\w+)"', root.get("/admin/keys").text)[1]
    root.only_post("/admin/keys", csrf_token=token, **KEY)
    sealed = root.client.get_cookie(once.COOKIE, path="/admin/keys").value
    assert "ak_" not in sealed
    people.run("set-role", ADA, "admin")
    other = people.browser()
    other.sign_in(ADA)
    other.client.set_cookie(once.COOKIE, sealed, path="/admin/keys")
    assert not SECRET.search(other.get("/admin/keys").text)
    other.client.set_cookie(once.COOKIE, sealed[:-2] + "00", path="/admin/keys")
    assert other.get("/admin/keys").status_code == 200
    late = clock.now() + once.SECONDS + 1
    monkeypatch.setattr(once.clock, "now", lambda: late)
    assert not SECRET.search(root.get("/admin/keys").text)


@pytest.mark.parametrize(
    ("page", "path", "typed", "field"),
    [
        ("/admin/keys", "/admin/keys", {**KEY, "days": "99999"}, "days"),
        ("/admin/keys", "/admin/keys", {**KEY, "name": "", "owner": "somebody"}, "name"),
        ("/admin/accounts", "/admin/accounts/invite", {"email": "no address", "role": "admin"}, "email"),
        ("/admin/accounts", "/admin/accounts/invite", {"email": ADA, "role": "user"}, "email"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(root, page, path, typed, field):
    answer = root.act(path, page, **typed)
    assert 400 <= answer.status_code < 500
    assert re.search(rf'id="{field}" [^>]*aria-describedby="{field}-mistake"', answer.text)
    assert re.search(rf'id="{field}-mistake" class="failure" role="alert">\w', answer.text)
    for name, value in typed.items():
        kept = f'value="{value}"' in answer.text or re.search(rf"<option[^>]*selected>{value}", answer.text)
        assert not value or kept or f'<option value="{value}" selected>' in answer.text, name


def test_an_unknown_heir_is_told_on_the_accounts_own_page(root):
    ada = re.search(rf'href="(/admin/accounts/\w+)">{ADA}', root.get("/admin/accounts").text)[1]
    answer = root.act(f"{ada}/disable", ada, heir="nobody@example.org")
    assert answer.status_code in (400, 404, 409)
    assert 'id="heir-mistake"' in answer.text
    assert 'value="nobody@example.org"' in answer.text
    assert "Disable account" in answer.text
