"""A second factor is set up by a code, and the password alone opens nothing."""

import re

from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.devices import FACTORS, SECOND, set_up, show
from chassis.parts.accounts.tests.second_factor.doors import at_the_door, audited
from chassis.security import identity


def test_an_app_is_set_up_by_a_code_and_asked_for_at_the_next_sign_in(people, ada, clock):
    there = people.browser()
    there.sign_in()
    wrong = ada.send(f"{FACTORS}/authenticator", code="000000")
    assert (wrong.status_code, "Incorrect code" in wrong.text) == (400, True)
    device, codes = set_up(ada, clock)
    assert len(set(codes)) == 10
    assert ada.is_in(), "the session that set it up goes on"
    assert not there.is_in(), "the others have ended"
    assert "set up" in ada.get("/account").text
    assert there.sign_in(target="/account?tab=1").headers["Location"] == "/account?tab=1"
    led = there.get("/account?tab=1")
    assert (led.status_code, led.headers["Location"]) == (302, f"{SECOND}?next=%2Faccount%3Ftab%3D1")
    assert "Second step" in there.get(led.headers["Location"]).text
    went_on = there.send(led.headers["Location"], SECOND, proof_code=device.next())
    assert (went_on.status_code, went_on.headers["Location"]) == (303, "/account?tab=1")
    assert there.is_in()
    assert ("account.factor_add", ADA, "ok") in audited()
    assert audited()[0] == ("account.second_factor", ADA, "ok")


def test_a_password_alone_opens_nothing_and_adds_no_factor_of_its_own(people, ada, clock):
    set_up(ada, clock)
    thief = people.browser()
    thief.sign_in()
    api = thief.get("/api/jobs", Accept="application/json")
    assert (api.status_code, api.json["error"]["code"]) == (401, "sign_in_unfinished")
    for page in ("/account", FACTORS, f"{FACTORS}/authenticator", "/account/proof"):
        assert thief.get(page).headers["Location"].startswith(f"{SECOND}?next="), page
    for path in ("/account/password", "/sign-out-everywhere", f"{FACTORS}/codes", "/account/proof"):
        assert thief.act(path, SECOND, code="123456").status_code == 401, path
    assert show(thief, password=PASSWORD).status_code == 400, "a password is no second factor"
    assert not thief.is_in()
    cookie = thief.cookie()
    with people.app.test_request_context(headers={"Cookie": f"account={cookie}"}):
        who = identity.current()
        assert (who.gate, who.scopes) == (SECOND, frozenset())
        assert identity.still_good(who), "so that a socket would be looked at like any other"


def test_the_cookie_from_before_the_second_step_opens_nothing_after(people, ada, clock):
    device, _codes = set_up(ada, clock)
    here, copy = at_the_door(people), people.browser()
    copy.client.set_cookie("account", here.cookie())
    assert show(here, code=device.next()).status_code == 303
    assert here.is_in()
    assert not copy.is_in()


def test_an_admin_who_has_to_have_one_does_nothing_before(make, clock):
    people = make({"accounts_second_factor": "admins"})
    ada, root = people.browser(), people.browser()
    ada.sign_in()
    assert ada.is_in()
    root.sign_in(ROOT_MAIL, target="/admin/keys")
    led = root.get("/admin/keys").headers["Location"]
    assert led == f"{FACTORS}?next=%2Fadmin%2Fkeys"
    assert "needs a second factor" in root.get(led).text
    assert root.get("/api/jobs", Accept="application/json").json["error"]["code"] == "sign_in_unfinished"
    assert root.get("/account").status_code == 302
    assert root.act("/admin/keys", FACTORS, name="x").status_code == 401
    _device, codes = set_up(root, clock, next="/admin/keys")
    assert len(codes) == 10
    assert root.get("/admin/keys").status_code == 200
    path = re.search(r'action="(/account/factors/\w+/remove)"', root.get(FACTORS).text)[1]
    refused = root.act(path, FACTORS)
    assert (refused.status_code, "needs a second factor" in refused.text) == (409, True)
    people.run("set-role", ADA, "admin")
    assert ada.get("/account").headers["Location"].startswith(FACTORS)


def test_everyone_can_be_asked_for_one_and_a_session_without_ends_soon(make, monkeypatch):
    people = make({"accounts_second_factor": "everyone"})
    ada = people.browser()
    ada.sign_in()
    assert ada.get("/account").headers["Location"].startswith(FACTORS)
    monkeypatch.setattr("chassis.parts.accounts.gates.MAX_SECONDS", 0)
    assert ada.get("/account").headers["Location"].startswith("/sign-in")
