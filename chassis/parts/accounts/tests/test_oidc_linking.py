"""Which account somebody gets who signs in by the provider, and what ends when it is taken over."""

from chassis.db import db
from chassis.parts.accounts import totp
from chassis.parts.accounts.tables import identities
from chassis.parts.accounts.tests.conftest import ADA
from chassis.parts.accounts.tests.devices import Clock, set_up
from chassis.parts.accounts.tests.oidc_parts import sign_in, told
from chassis.parts.accounts.tests.oidc_people import DOMAIN, GRACE
from chassis.security import audit, leaving
from chassis.wiring import wiring_of


def test_an_account_is_taken_over_by_a_verified_address_alone(join, provider):
    """And then everything that the account had before ends: somebody else may have made it by that address."""
    people = join()
    provider.has("claims-ada", email=ADA, email_verified=False)
    refused = sign_in(provider, people.browser(), "claims-ada")
    assert refused.status_code == 403
    assert "has not confirmed your email address" in told(refused)
    planted = people.browser()
    planted.sign_in()
    provider.has("is-ada", email="ADA@example.org", email_verified=True)
    ada = people.browser()
    assert sign_in(provider, ada, "is-ada").status_code == 303
    assert ADA in ada.get("/account").text
    assert not planted.is_in()
    assert people.browser().sign_in().status_code == 401, "the earlier password opens nothing"
    actions = [line["action"] for line in audit.listing()]
    assert actions[:3] == ["account.sign_in", "account.sign_in", "account.link"]
    provider.has("another-ada", email=ADA, email_verified=True)
    other = sign_in(provider, people.browser(), "another-ada")
    assert (other.status_code, "another person" in told(other)) == (409, True)


def test_an_account_with_a_second_factor_is_not_taken_over(join, provider, monkeypatch):
    """A factor of somebody who made it by another's address would stay good, and its owner's must not be dropped."""
    clock = Clock()
    monkeypatch.setattr(totp, "clock", clock)
    people = join()
    planted = people.browser()
    planted.sign_in()
    set_up(planted, clock)
    provider.has("guarded-ada", email=ADA, email_verified=True)
    refused = sign_in(provider, people.browser(), "guarded-ada")
    assert (refused.status_code, "has a second factor" in told(refused)) == (409, True)
    assert planted.is_in()
    people.run("reset-factor", ADA)
    assert sign_in(provider, people.browser(), "guarded-ada").status_code == 303


def test_what_was_planted_in_an_account_ends_when_it_is_taken_over(join, provider):
    people, ended = join(), []
    for plantable in (True, False):
        end = lambda conn, departure, plantable=plantable: ended.append((plantable, departure.email))  # noqa: E731
        wiring_of(people.app).leaving.append(
            leaving.Part(lambda conn, departure: leaving.Ending("", "", []), end, plantable)
        )
    provider.has("planted-ada", email=ADA, email_verified=True)
    for _ in range(2):
        assert sign_in(provider, people.browser(), "planted-ada").status_code == 303
    assert ended == [(True, ADA)]


def test_an_account_stays_the_same_when_the_address_changes_or_changes_hands(join, provider):
    people = join(**DOMAIN)
    provider.has("moves", **GRACE)
    sign_in(provider, people.browser(), "moves")
    provider.has("moves", email="hopper@example.org", email_verified=True)
    moved = people.browser()
    sign_in(provider, moved, "moves")
    assert "grace@example.org" in moved.get("/account").text
    provider.has("newcomer", **GRACE)
    assert sign_in(provider, people.browser(), "newcomer").status_code == 409
    rows = db.read(lambda conn: conn.execute(identities.select()).all())
    assert [(row.issuer, row.subject) for row in rows] == [(provider.url, "moves")]


def test_a_disabled_account_stays_out(join, provider):
    people = join()
    provider.has("disabled", email=ADA, email_verified=True)
    ada = people.browser()
    for linked in (False, True):
        if linked:
            assert sign_in(provider, ada, "disabled").status_code == 303
        people.run("disable", ADA, "--yes")
        refused = sign_in(provider, people.browser(), "disabled")
        assert (refused.status_code, told(refused)) == (403, "This account is disabled.")
        assert not ada.is_in()
        people.run("enable", ADA)
