"""Signing in by another service: who gets which account, which role, and how to get in without it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from chassis.db import db, state
from chassis.parts.accounts import passwords, totp
from chassis.parts.accounts.oidc.provider import Known
from chassis.parts.accounts.tables import identities
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.devices import Clock, set_up
from chassis.parts.accounts.tests.oidc_parts import START, back_from, path_of, sign_in, told
from chassis.security import audit, leaving
from chassis.wiring import wiring_of

GRACE = {"email": "grace@example.org", "email_verified": True, "name": "Grace  Hopper"}
DOMAIN = {"oidc_allowed_domains": ("example.org",)}


def role_of(people, email):
    line = next(line for line in people.run("list").output.splitlines() if line.startswith(email))
    return line.split()[1]


def test_somebody_of_an_allowed_domain_joins_and_comes_back(join, provider):
    people = join(**DOMAIN)
    provider.has("joins", **GRACE)
    for _ in range(2):
        grace = people.browser()
        answer = sign_in(provider, grace, "joins")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        assert "grace@example.org" in grace.get("/account").text
    assert people.run("list").output.count("grace@example.org  user   active") == 1
    assert "Grace Hopper" in people.run("list").output
    assert [line["action"] for line in audit.listing()][:3] == ["account.sign_in", "account.sign_in", "account.create"]


@pytest.mark.parametrize("host", ["http://localhost", "http://evil.example"])
def test_what_is_asked_for_has_a_challenge_and_comes_back_to_the_public_url(join, host):
    browser = join(app={"allowed_hosts": ("*",)}).browser(base_url=host)
    sent = browser.get(START, **{"X-Forwarded-Host": "evil.example"})
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}
    assert asked["redirect_uri"] == "http://localhost/sign-in/oidc/callback"
    assert (asked["response_type"], asked["scope"]) == ("code", "openid email profile")
    assert asked["code_challenge_method"] == "S256"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert sent.headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in sent.headers["Set-Cookie"]
    assert "SameSite=Lax" in sent.headers["Set-Cookie"]


def test_the_provider_is_asked_when_somebody_signs_in_and_then_known(join, provider):
    before = provider.asked()
    people = join(**DOMAIN)
    assert provider.asked() == before, "a start does not wait for it"
    assert "Sign in with Example ID" in people.browser().get("/sign-in").text
    assert provider.asked() == before
    for _ in range(3):
        people.browser().get(START)
    asked = provider.asked()
    for path in ("/.well-known/openid-configuration", "/jwks"):
        assert asked[path] - before.get(path, 0) == 1


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


def test_an_account_is_taken_over_by_a_verified_address_alone(join, provider):
    """And then everything that the account had before ends: somebody else may have made it by that address."""
    people = join()
    provider.has("claims-ada", email=ADA, email_verified=False)
    refused = sign_in(provider, people.browser(), "claims-ada")
    assert refused.status_code == 403
    assert "has not confirmed your e-mail address" in told(refused)
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
    monkeypatch.setattr(totp, "time", clock)
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


def test_without_passwords_the_provider_is_the_only_way_but_for_a_link_of_the_operator(join, provider):
    people = join({"allow_registration": True}, password_sign_in=False)
    browser = people.browser()
    page = browser.get("/sign-in").text
    assert "Sign in with Example ID" in page
    assert "<form" not in page.partition("<main")[2].partition("</main")[0]
    assert 'name="password"' not in page
    assert "create-admin" not in page
    token = {"csrf_token": "x"}
    for path in ("/sign-in", "/register"):
        assert browser.post(path, email=ADA, password=PASSWORD, again=PASSWORD, **token).status_code == 403
    assert browser.get("/register").status_code == 403
    assert people.run("reset-link", ADA).exit_code == 1
    link = path_of(people.run("sign-in-link", ROOT_MAIL).output.strip()).rstrip("?")
    root = people.browser()
    assert ROOT_MAIL in root.get(link).text
    assert root.send(link).status_code == 303
    assert root.get("/admin/accounts").status_code == 200
    assert 'name="current"' not in root.get("/account").text
    assert people.browser().get(link).status_code == 404
    people.run("disable", ADA, "--yes")
    assert people.run("sign-in-link", ADA).exit_code == 1


def test_by_a_link_that_expired_nobody_signs_in(people, monkeypatch):
    monkeypatch.setattr("chassis.parts.accounts.links.EMERGENCY_SECONDS", -1)
    link = path_of(people.run("sign-in-link", ADA).output.strip()).rstrip("?")
    assert people.browser().get(link).status_code == 404


def test_nothing_of_it_is_there_where_no_provider_is_set(people):
    assert people.browser().get("/sign-in/oidc").status_code == 404
    assert Known not in wiring_of(people.app).kept
    assert "oidc" not in people.browser().get("/sign-in").text


def test_an_account_without_a_password_is_opened_by_none(join, provider, monkeypatch):
    """Not even by the one whose hash every unknown e-mail is compared with."""
    people = join(**DOMAIN)
    provider.has("bare", **GRACE)
    grace = people.browser()
    sign_in(provider, grace, "bare")
    assert 'name="current"' not in grace.get("/account").text
    monkeypatch.setattr(passwords, "NOBODYS", passwords.hashed(PASSWORD))
    for password in (PASSWORD, "", "x"):
        assert people.browser().sign_in(GRACE["email"], password).status_code == 401


def test_the_way_back_is_a_path_of_ours(join, provider):
    provider.has("back", email=ADA, email_verified=True)
    people = join()
    answer = sign_in(provider, people.browser(), "back", "/sign-in/oidc?next=https://evil.example/")
    assert answer.headers["Location"] == "/"


def test_two_windows_at_once_do_not_mix(join, provider):
    provider.has("twice", email=ADA, email_verified=True)
    browser = join().browser()
    first = back_from(provider, browser, "twice")
    second = back_from(provider, browser, "twice")
    refused = browser.get(first)
    assert (refused.status_code, "another window" in told(refused)) == (401, True)
    assert browser.get(second).status_code == 401, "the page says to start again"
    assert sign_in(provider, browser, "twice").status_code == 303
