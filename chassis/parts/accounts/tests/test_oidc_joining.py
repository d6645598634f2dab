"""Who may join by the provider: people of a domain, with an invitation, or nobody."""

import pytest

from chassis.parts.accounts.tests.oidc_parts import path_of, sign_in, told
from chassis.parts.accounts.tests.oidc_people import DOMAIN, GRACE, role_of


def test_nobody_joins_who_was_not_allowed_to(join, provider):
    provider.has("stranger", **GRACE)
    people = join()
    refused = sign_in(provider, people.browser(), "stranger")
    assert (refused.status_code, told(refused)) == (403, "You have no account here. Ask for an invitation.")
    assert sign_in(provider, join({"allow_registration": True}).browser(), "stranger").status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "grace@example.org"},
        {"email": "grace@example.org", "email_verified": False},
        {"email": "grace@example.org", "email_verified": "yes"},
        {"email_verified": True},
        {"email": "no address", "email_verified": True},
        {"email": ["grace@example.org"], "email_verified": True},
        {"email": "grace@example.org.evil.example", "email_verified": True},
        {"email": "grace@example.org@evil.example", "email_verified": True},
        {"email": "grace@notexample.org", "email_verified": True},
    ],
)
def test_a_domain_counts_in_verified_addresses_alone(join, provider, claims):
    provider.has("unverified", **claims)
    browser = join(**DOMAIN).browser()
    assert sign_in(provider, browser, "unverified").status_code == 403
    assert not browser.is_in()


def test_an_invitation_is_accepted_by_the_provider_whatever_the_address_there(join, provider):
    people = join()
    provider.has("invited", email="private@home.example")
    link = path_of(people.run("invite", "new@example.org", "--role", "admin").output.strip()).rstrip("?")
    grace = people.browser()
    assert f"{link}/oidc" in grace.get(link).text
    assert sign_in(provider, grace, "invited", f"{link}/oidc").status_code == 303
    assert "new@example.org" in grace.get("/account").text
    assert role_of(people, "new@example.org") == "admin"
    assert grace.get(link).status_code == 404
    provider.has("late", email="late@home.example")
    assert sign_in(provider, people.browser(), "late", f"{link}/oidc").status_code == 404


def test_addresses_that_nobody_verified_count_where_the_operator_says_so(join, provider):
    people = join(oidc_email_trust="all", **DOMAIN)
    provider.has("trusted", email="grace@example.org")
    assert sign_in(provider, people.browser(), "trusted").status_code == 303
