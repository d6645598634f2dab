"""A second factor is removed or reset, and another password is no way around it."""

import re

from chassis.db import db
from chassis.parts.accounts.factor_tables import factors as table
from chassis.parts.accounts.factor_tables import recovery_codes
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.devices import FACTORS, SECOND, set_up, show
from chassis.parts.accounts.tests.second_factor.doors import audited
from chassis.security import audit


def test_removing_it_ends_the_other_sessions_and_the_codes(people, ada, clock):
    device, _codes = set_up(ada, clock)
    there = people.browser()
    there.sign_in()
    show(there, code=device.next())
    assert there.is_in()
    path = re.search(r'action="(/account/factors/\w+/remove)"', ada.get(FACTORS).text)[1]
    other = people.browser()
    other.sign_in(ROOT_MAIL)
    assert other.act(path).status_code == 404
    removed = ada.act(path, FACTORS)
    assert "is removed" in ada.get(removed.headers["Location"]).text
    assert not there.is_in()
    assert db.read(lambda conn: conn.execute(recovery_codes.select()).all()) == []
    assert ada.act("/sign-in", email=ADA, password=PASSWORD).status_code == 303
    assert ada.is_in()
    assert ("account.factor_remove", ADA, "ok") in audited()


def test_a_lost_device_is_reset_by_the_operator_and_by_an_admin(people, ada, clock):
    for reset in ("command", "page"):
        set_up(ada, clock)
        if reset == "command":
            assert "no longer has a second factor" in people.run("reset-factor", ADA).output
        else:
            root = people.browser()
            root.sign_in(ROOT_MAIL)
            page = re.search(rf'href="(/admin/accounts/\w+)">{ADA}', root.get("/admin/accounts").text)[1]
            assert "Authenticator app, 10 recovery codes" in root.get(page).text
            root.act(f"{page}/reset-factor", page)
        assert audit.listing()[0]["action"] == "account.reset_factor"
        assert not ada.is_in()
        assert db.read(lambda conn: conn.execute(table.select()).all()) == []
        ada.sign_in()
        assert ada.is_in()


def test_another_password_is_set_without_a_second_step(people, ada, clock):
    set_up(ada, clock)
    new = "an otter under the bridge"
    assert ada.act("/account/password", current=PASSWORD, password=new, again=new).status_code == 303
    assert ada.is_in()


def test_another_password_by_a_link_is_no_way_around_it(people, ada, clock):
    set_up(ada, clock)
    link = people.run("reset-link", ADA).output.strip().partition("://")[2]
    path = "/" + link.partition("/")[2]
    ada.send(path, path, password="an otter under the bridge", again="an otter under the bridge")
    assert ada.get("/account").headers["Location"].startswith(SECOND)
