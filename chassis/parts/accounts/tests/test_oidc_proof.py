"""Whoever sits at a browser that is signed in at the provider has not proved who they are."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from chassis.parts.accounts.tests.conftest import ROOT_MAIL
from chassis.parts.accounts.tests.oidc_parts import sign_in, told
from chassis.security import keys

KEY = {"name": "nightly", "owner": "", "scope": "read"}
TELLS = {"claims_supported": ["sub", "auth_time"]}
HOUR = 3_600


@pytest.fixture
def root(join, provider):
    """Return a function that signs an admin in by a provider that says these things, and gives the browser."""
    provider.has("root", email=ROOT_MAIL, email_verified=True)

    def come(**says):
        provider.lie("claims", **says)
        browser = join().browser()
        assert sign_in(provider, browser, "root").status_code == 303
        return browser

    return come


def make_key(browser):
    return browser.act("/admin/keys", "/admin/keys", **KEY)


def way_to_provider(page):
    return re.search(r'href="(/sign-in/oidc[^"]*)"', page.text)[1].replace("&amp;", "&")


def asked_of_provider(browser, way):
    return parse_qs(urlsplit(browser.get(way).headers["Location"]).query)


def test_a_sign_in_of_today_at_the_provider_is_no_proof_of_now(root, provider):
    browser = root(**TELLS, auth_time=time.time() - HOUR)
    interrupted = make_key(browser)
    assert (interrupted.status_code, "Confirm your identity" in interrupted.text) == (401, True)
    way = way_to_provider(interrupted)
    assert asked_of_provider(browser, way)["prompt"] == ["login"]
    assert "prompt" not in asked_of_provider(browser, "/sign-in/oidc")
    refused = sign_in(provider, browser, "root", way)  # as if `prompt` had been taken out of the URL
    assert (refused.status_code, "did not ask you to sign in again" in told(refused)) == (401, True)
    assert make_key(browser).status_code == 401
    assert keys.listing() == []
    provider.lie("claims", **TELLS, auth_time=time.time())
    assert sign_in(provider, browser, "root", way).status_code == 303
    assert make_key(browser).status_code == 200


@pytest.mark.parametrize("says", [{"auth_time": None}, {"auth_time": 4_000_000_000}, {"auth_time": -1}])
def test_a_token_without_a_good_time_proves_nothing_where_others_have_one(root, provider, says):
    browser = root(**TELLS, **says)
    interrupted = make_key(browser)
    assert interrupted.status_code == 401
    assert sign_in(provider, browser, "root", way_to_provider(interrupted)).status_code == 401


def test_a_provider_that_never_says_when_is_believed(root, provider):
    browser = root(auth_time=None)
    assert "prompt" not in asked_of_provider(browser, "/sign-in/oidc?proof=1")
    assert sign_in(provider, browser, "root", "/sign-in/oidc?proof=1").status_code == 303
    assert make_key(browser).status_code == 200
