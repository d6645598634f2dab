"""The way to the provider and back, and what is asked of it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from chassis.parts.accounts.oidc.provider import Known
from chassis.parts.accounts.tests.conftest import ADA
from chassis.parts.accounts.tests.oidc_parts import START, back_from, sign_in, told
from chassis.parts.accounts.tests.oidc_people import DOMAIN, GRACE
from chassis.security import audit
from chassis.wiring import wiring_of


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


def test_nothing_of_it_is_there_where_no_provider_is_set(people):
    assert people.browser().get("/sign-in/oidc").status_code == 404
    assert Known not in wiring_of(people.app).kept
    assert "oidc" not in people.browser().get("/sign-in").text


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
