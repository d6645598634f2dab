"""The cookie of a session is new after each sign-in, and nobody else's."""

import pytest

from chassis.parts.accounts.tests.conftest import ADA, PASSWORD


def test_a_cookie_from_before_opens_nothing_after(people):
    """Session fixation: who planted a cookie has nothing of the session that follows."""
    ada, attacker = people.browser(), people.browser()
    for browser in (ada, attacker):
        browser.client.set_cookie("account", "planted")
    ada.sign_in()
    assert ada.is_in()
    assert ada.cookie() != "planted"
    assert not attacker.is_in()


def test_signing_in_again_ends_the_session_at_hand(people):
    ada, thief = people.browser(), people.browser()
    ada.sign_in()
    thief.client.set_cookie("account", ada.cookie())
    assert thief.is_in()
    assert ada.act("/sign-in", email=ADA, password=PASSWORD).status_code == 303
    assert ada.is_in()
    assert not thief.is_in()


def test_the_cookie_is_for_this_host_alone_and_out_of_reach_for_scripts(people, make):
    plain = people.browser().sign_in().headers["Set-Cookie"]
    assert plain.startswith("account=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    secret = "k3Zq9_" * 8
    for browser in (
        people.browser(base_url="https://localhost"),
        make(app_env="production", secret_key=secret).browser(),
    ):
        cookies = browser.sign_in().headers.getlist("Set-Cookie")
        cookie = next(c for c in cookies if "account=" in c)
        assert cookie.startswith("__Host-account=")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_under_tls_a_cookie_that_another_host_may_have_set_is_none(people):
    ada = people.browser()
    ada.sign_in()
    other = people.browser(base_url="https://localhost")
    other.client.set_cookie("account", ada.cookie())
    assert not other.is_in()


@pytest.mark.parametrize("other", ["\xe9", "\xed\xa0\x80"])
def test_a_cookie_of_another_application_that_is_no_text_signs_nobody_out(people, other):
    browser = people.browser()
    browser.sign_in()
    cookies = f"theirs={other}; account={browser.cookie()}; session={other}"
    plain = people.app.test_client(use_cookies=False)
    for path in ("/account", "/", "/account/sessions"):
        expected = browser.get(path).status_code
        assert plain.get(path, headers={"Cookie": cookies}).status_code == expected
