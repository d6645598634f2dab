"""The page of an account: signing out, another password, and what it shows."""

import re

import pytest

from chassis.parts.accounts import lockout
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD
from chassis.parts.accounts.tests.signed_in import signed_in
from chassis.security import audit, budget_admin, maintenance

NEW = "an otter under the bridge"


def test_signing_out_ends_the_session_and_not_the_cookie_alone(people):
    ada, copy = signed_in(people)[0], people.browser()
    copy.client.set_cookie("account", ada.cookie())
    answer = ada.act("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert ada.cookie() is None
    assert not copy.is_in()
    assert audit.listing()[0]["action"] == "account.sign_out"


def test_signing_out_by_a_link_is_impossible(people):
    ada = signed_in(people)[0]
    for path in ("/sign-out", "/sign-out-everywhere"):
        assert ada.get(path).status_code == 405
    assert ada.is_in()


def test_another_password_ends_all_sessions_and_gives_this_one_a_new_cookie(people):
    here, there = signed_in(people, 2)
    copy = people.browser()
    copy.client.set_cookie("account", here.cookie())
    answer = here.act("/account/password", current=PASSWORD, password=NEW, again=NEW)
    assert answer.status_code == 303
    assert here.is_in()
    assert "has been changed" in here.get(answer.headers["Location"]).text
    assert not there.is_in()
    assert not copy.is_in()
    assert there.sign_in().status_code == 401
    assert there.sign_in(password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"current": "wrong"}, "Incorrect current password"),
        ({"again": "something else"}, "do not match"),
        ({"password": "short", "again": "short"}, "at least 12"),
    ],
)
def test_a_password_that_is_not_changed_says_why(people, fields, reason):
    ada = signed_in(people)[0]
    answer = ada.act("/account/password", **{"current": PASSWORD, "password": NEW, "again": NEW, **fields})
    assert answer.status_code == 400
    assert reason in answer.text
    assert people.browser().sign_in().status_code == 303


def test_who_holds_a_session_cannot_guess_the_password_by_it(people):
    ada = signed_in(people)[0]
    fields = {"current": "wrong", "password": NEW, "again": NEW}
    answers = [ada.act("/account/password", **fields).status_code for _ in range(lockout.FREE_OF_ACCOUNT + 1)]
    assert answers == [400] * lockout.FREE_OF_ACCOUNT + [429]


def test_a_wrong_key_is_refused_beside_a_good_cookie(people):
    ada = signed_in(people)[0]
    assert ada.get("/api/jobs").status_code == 200
    assert ada.get("/api/jobs", **{"X-API-Key": "wrong"}).status_code == 401


def test_a_key_has_no_account_page(make):
    people = make(admin_api_key="k3Zq9_" * 8)
    assert people.browser().get("/account", **{"X-API-Key": "k3Zq9_" * 8, "Accept": "*/*"}).status_code == 401


def test_without_a_guard_the_pages_are_open_and_the_link_is_there(make):
    people = make(require_client_api_key=False)
    visitor = people.browser()
    assert visitor.get("/api/jobs").status_code == 200
    assert "/sign-in?next=/nothing" in visitor.get("/nothing").text
    assert visitor.get("/account").status_code == 302
    assert visitor.get("/admin/accounts").status_code == 302


def test_in_maintenance_one_signs_in_and_out_and_changes_nothing_else(people):
    ada = people.browser()
    with people.app.app_context():
        maintenance.turn_on("Moving")
    assert ada.sign_in().status_code == 303
    refused = ada.act("/account/password", current=PASSWORD, password=NEW, again=NEW)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert "Moving" in refused.text
    assert ada.act("/sign-out").status_code == 303
    assert people.browser().sign_in(password=PASSWORD).status_code == 303
    with people.app.app_context():
        maintenance.turn_off()


def test_the_page_and_the_api_show_what_is_used_and_left(make):
    people = make(quota_stored_bytes=5_000_000, quota_jobs=7, quota_uploads_per_day=0)
    ada = signed_in(people)[0]
    cells = re.findall(r"<td>([^<]*)</td>", ada.get("/account").text.partition("Your usage")[2])
    assert cells[:8] == ["Storage", "0 Bytes", "5.0 MB", "5.0 MB", "Queued or running jobs", "0", "7", "7"]
    answer = ada.client.get("/api/usage", **ada.options).json
    assert answer["owner"] == ADA
    assert {"jobs": 7, "stored_bytes": 5_000_000}.items() <= {
        one["name"]: one["left"] for one in answer["items"]
    }.items()
    assert "uploads" not in {one["name"] for one in answer["items"]}, "it has no limit"


def test_the_page_shows_the_budget_and_what_is_left_of_it(make):
    people = make()
    ada = signed_in(people)[0]
    assert "Your spending" not in ada.get("/account").text
    with people.app.app_context():
        budget_admin.set_limit(ADA, 12_500_000)
    assert "0.00 USD spent of 12.50: 12.50 left until" in ada.get("/account").text
