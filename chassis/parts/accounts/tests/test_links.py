"""Invitations, links for a new password, registration."""

import re

import pytest

from chassis.db import db
from chassis.observability.redaction import redact_line
from chassis.parts.accounts.tables import links as table
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL

NEW = "an otter under the bridge"
GRACE = "grace@example.org"


def path_of(people, *words):
    """Return the path of the link that a command prints."""
    printed = people.run(*words).output.strip()
    return "/" + printed.split("/", 3)[3]


def later(seconds):
    db.write(lambda conn: conn.execute(table.update().values(expires_at=table.c.expires_at - seconds)))


def test_an_invitation_makes_one_account_once(people):
    path = path_of(people, "invite", "Grace@Example.org")
    grace = people.browser()
    for _ in range(2):
        assert GRACE in grace.get(path).text, "a preview of a mail program uses nothing up"
    assert grace.send(path, name="Grace", password=NEW, again=NEW).status_code == 303
    assert grace.is_in()
    late = people.browser()
    assert late.get(path).status_code == 404
    assert late.post(path, password=NEW, again=NEW).status_code in (403, 404)
    assert people.browser().sign_in(GRACE, NEW).status_code == 303
    assert "Grace" in people.run("list").output


def test_an_invitation_gives_its_role_whatever_the_form_says(people):
    path = path_of(people, "invite", GRACE)
    grace = people.browser()
    grace.send(path, password=NEW, again=NEW, role="admin", email="root@example.org")
    assert grace.get("/admin/accounts").status_code == 403
    admin = people.browser()
    admin.send(path_of(people, "invite", "second@example.org", "--role", "admin"), password=NEW, again=NEW)
    assert admin.get("/admin/accounts").status_code == 200


def test_a_weak_password_does_not_use_an_invitation_up(people):
    path = path_of(people, "invite", GRACE)
    grace = people.browser()
    weak = grace.send(path, name="Grace", password="short", again="short")
    assert weak.status_code == 400
    assert 'value="Grace"' in weak.text
    assert grace.send(path, password=NEW, again="another").status_code == 400
    assert grace.send(path, password=NEW, again=NEW).status_code == 303


@pytest.mark.parametrize("words", [("invite", GRACE), ("reset-link", ADA)])
def test_a_link_expires(people, words):
    path = path_of(people, *words)
    assert people.browser().get(path).status_code == 200
    later(8 * 86_400)
    assert people.browser().get(path).status_code == 404
    assert people.browser().send(path, password=NEW, again=NEW).status_code in (403, 404)
    assert people.browser().sign_in().status_code == 303


def test_a_later_link_takes_the_place_of_an_earlier_one(people):
    first, second = (path_of(people, "reset-link", ADA) for _ in range(2))
    assert people.browser().get(first).status_code == 404
    assert people.browser().get(second).status_code == 200


def test_a_link_is_for_its_purpose_alone(people):
    invitation, reset = path_of(people, "invite", GRACE), path_of(people, "reset-link", ADA)
    assert people.browser().get(invitation.replace("invitation", "reset")).status_code == 404
    assert people.browser().get(reset.replace("reset", "invitation")).status_code == 404


def test_a_reset_link_sets_the_password_ends_all_sessions_and_the_lock_out(people):
    ada, guesser = people.browser(), people.browser()
    ada.sign_in()
    for _ in range(6):
        guesser.sign_in(password="wrong")
    path = path_of(people, "reset-link", ADA)
    fresh = people.browser()
    assert fresh.send(path, password=NEW, again=NEW).status_code == 303
    assert fresh.is_in()
    assert not ada.is_in()
    assert people.browser().get(path).status_code == 404
    assert people.browser().sign_in().status_code == 401
    assert people.browser().sign_in(password=NEW).status_code == 303


def test_a_reset_link_of_a_disabled_account_is_none(people):
    path = path_of(people, "reset-link", ADA)
    people.run("disable", ADA, "--yes")
    assert people.browser().get(path).status_code == 404
    assert "enable it first" in people.run("reset-link", ADA).output


def test_a_link_that_was_made_up_is_none(people):
    for path in ("/invitation/x", "/reset/x", "/invitation/ln_00000000_" + "x" * 43, "/reset/%00"):
        assert people.browser().get(path).status_code == 404


def test_an_invitation_is_refused_where_there_is_an_account(people):
    assert "already has an account" in people.run("invite", "ADA@example.org").output
    path = path_of(people, "invite", GRACE)
    people.run("create-admin", GRACE, "--password-stdin", input=f"{PASSWORD}\n")
    assert people.browser().send(path, password=NEW, again=NEW).status_code == 409
    assert people.browser().sign_in(GRACE).status_code == 303


def test_nobody_registers_unless_it_is_allowed(people):
    assert people.browser().get("/register").status_code == 404
    assert people.browser().send("/register", email=GRACE, password=NEW, again=NEW).status_code in (403, 404)
    assert "/register" not in people.browser().get("/sign-in").text


def test_where_it_is_allowed_anybody_gets_an_account_that_is_no_admins(make):
    people = make({"allow_registration": True})
    assert "/register" in people.browser().get("/sign-in").text
    grace = people.browser()
    assert grace.send("/register", email="Grace@Example.org", password=NEW, again=NEW, role="admin").status_code == 303
    assert grace.is_in()
    assert grace.get("/admin/accounts").status_code == 403
    for email, status in ((ADA, 409), (ROOT_MAIL.upper(), 409), ("no address", 400), ("a\x1b[2J@example.org", 400)):
        assert people.browser().send("/register", email=email, password=NEW, again=NEW).status_code == status


def test_nobody_registers_an_address_that_owns_a_keys_work(make):
    people = make({"allow_registration": True})
    people.run("create", "old", "--owner", "Grace@example.org", group="keys")
    assert people.browser().send("/register", email=GRACE, password=NEW, again=NEW).status_code == 409


def test_one_address_does_not_register_without_end(make, monkeypatch):
    monkeypatch.setattr("chassis.parts.accounts.lockout.FREE_OF_ADDRESS", 2)
    people = make({"allow_registration": True})
    emails = [f"{n}@example.org" for n in range(3)]
    answers = [people.browser().send("/register", email=e, password=NEW, again=NEW).status_code for e in emails]
    assert answers == [303, 303, 429]
    assert people.browser().sign_in().status_code == 303, "which locks nobody out who has an account"


def test_the_secret_of_a_link_is_in_no_table_and_no_log(people):
    path = path_of(people, "invite", GRACE)
    stored = db.read(lambda conn: str(conn.execute(table.select()).all()))
    assert path[-20:] not in stored
    assert re.fullmatch(r'"/invitation/ln_[0-9a-f]{8}_\*\*\*"', redact_line(f'"{path}"', []))
