"""Roles that a claim of the provider gives and takes away."""

import pytest

from chassis.db import db, state
from chassis.parts.accounts.tests.oidc_parts import sign_in, told
from chassis.parts.accounts.tests.oidc_people import DOMAIN, GRACE, role_of
from chassis.security import audit


@pytest.mark.parametrize("claim", ["groups", "realm_access.roles", "https://example.org/roles"])
def test_roles_are_renewed_at_each_sign_in(join, provider, claim):
    people = join(oidc_role_claim=claim, oidc_admin_values=("admins", "root"), oidc_user_values=("staff",))
    email = GRACE["email"]
    for values, role in ((["staff"], "user"), (["admins", "staff"], "admin"), ("root", "admin"), (["staff"], "user")):
        given = {"realm_access": {"roles": values}} if claim.startswith("realm") else {claim: values}
        provider.has("grows", **GRACE, **given)
        grace = people.browser()
        assert sign_in(provider, grace, "grows").status_code == 303
        assert role_of(people, email) == role
        assert grace.get("/admin/accounts").status_code == (200 if role == "admin" else 403)
    for given in ({}, {"groups": []}, {"groups": [["staff"]]}, {"groups": {"staff": 1}}, {"realm_access": "x"}):
        provider.has("grows", **GRACE, **given)
        refused = sign_in(provider, people.browser(), "grows")
        assert (refused.status_code, "no role for this service" in told(refused)) == (403, True)


def test_a_role_that_is_taken_away_is_gone_from_the_sessions_that_are_open(join, provider):
    people = join(oidc_role_claim="groups", oidc_admin_values=("admins",), **DOMAIN)
    provider.has("falls", **GRACE, groups=["admins"])
    old = people.browser()
    sign_in(provider, old, "falls")
    assert old.get("/admin/accounts").status_code == 200
    provider.has("falls", **GRACE, groups=[])
    sign_in(provider, people.browser(), "falls")
    assert old.get("/admin/accounts").status_code == 403


def test_admins_alone_join_by_their_group_where_nothing_else_lets_people_in(join, provider):
    people = join(oidc_role_claim="groups", oidc_admin_values=("admins",))
    provider.has("admin", email="boss@example.org", email_verified=True, groups=["admins"])
    provider.has("nobody", **GRACE, groups=[])
    assert sign_in(provider, people.browser(), "admin").status_code == 303
    assert sign_in(provider, people.browser(), "nobody").status_code == 403


def test_what_the_token_leaves_out_is_asked_of_userinfo(join, provider):
    people = join(oidc_role_claim="groups", oidc_admin_values=("admins",), **DOMAIN)
    provider.has("short", **GRACE, groups=["admins"])
    provider.lie("claims", email=None, email_verified=None, groups=None)
    assert sign_in(provider, people.browser(), "short").status_code == 303
    assert role_of(people, GRACE["email"]) == "admin"


def test_whoever_the_claim_makes_an_admin_is_counted(join, provider):
    def made():
        return (db.read(lambda conn: state.get(conn, audit.ADMINS_MADE)) or {"count": 0})["count"]

    people = join(oidc_role_claim="groups", oidc_admin_values=("admins",), **DOMAIN)
    before = made()
    for groups, admins in ((["admins"], 1), (["admins"], 1), ([], 1), (["admins"], 2)):
        provider.has("counted", email="counted@example.org", email_verified=True, groups=groups)
        assert sign_in(provider, people.browser(), "counted").status_code == 303
        assert made() == before + admins
